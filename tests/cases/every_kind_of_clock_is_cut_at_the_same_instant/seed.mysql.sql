set time_zone = '+00:00';
create table days (id bigint not null primary key, at date) {{table}};
create index days_at on days (at);

create table walls (id bigint not null primary key, at {{datetime}}) {{table}};
create index walls_at on walls (at);

create table fractions (id bigint not null primary key, at {{datetime6}}) {{table}};
create index fractions_at on fractions (at);

create table instants (id bigint not null primary key, at {{instant}}) {{table}};
create index instants_at on instants (at);

create table seconds (id bigint not null primary key, at bigint) {{table}};
create index seconds_at on seconds (at);

create table millis (id bigint not null primary key, at bigint) {{table}};
create index millis_at on millis (at);

create table micros (id bigint not null primary key, at bigint) {{table}};
create index micros_at on micros (at);

insert into days values (1, '2023-12-30'), (2, '2023-12-31'), (3, '2024-01-01');
insert into walls values (1, '2023-12-31 23:59:59'), (2, '2024-01-01 00:00:00');
insert into fractions values (1, '2023-12-31 23:59:59.999999'), (2, '2024-01-01 00:00:00.000000');
insert into instants values (1, '2023-12-31 23:59:59'), (2, '2024-01-01 00:00:00');
insert into seconds values (1, 1704067199), (2, 1704067200);
insert into millis values (1, 1704067199999), (2, 1704067200000);
insert into micros values (1, 1704067199999999), (2, 1704067200000000);
