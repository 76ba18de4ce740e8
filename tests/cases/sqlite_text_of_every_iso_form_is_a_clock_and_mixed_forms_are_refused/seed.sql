create table zulu (id integer primary key, at); create index zulu_at on zulu (at); insert into zulu values (1, '2023-12-31T23:59:59Z'), (2, '2024-01-01T00:00:00Z');
create table offset (id integer primary key, at); create index offset_at on offset (at); insert into offset values (1, '2024-01-01T07:59:59+08:00'), (2, '2024-01-01T08:00:00+08:00');
create table millis (id integer primary key, at); create index millis_at on millis (at); insert into millis values (1, '2023-12-31T23:59:59.999Z'), (2, '2024-01-01T00:00:00.000Z');
create table mixed (id integer primary key, at); create index mixed_at on mixed (at); insert into mixed values (1, '2023-12-31T23:59:59Z'), (2, '2020-01-01 00:00:00');
create table kinds (id integer primary key, at); create index kinds_at on kinds (at); insert into kinds values (1, 1000), (2, '2020-01-01 00:00:00');
create table words (id integer primary key, at); create index words_at on words (at); insert into words values (1, 'yesterday'), (2, 'today');
create table unitless (id integer primary key, at); create index unitless_at on unitless (at); insert into unitless values (1, 1000), (2, 1704067200);
