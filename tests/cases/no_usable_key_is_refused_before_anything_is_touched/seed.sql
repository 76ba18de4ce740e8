create table keyless (id bigint not null, created_at {{datetime}}) {{table}};
create index keyless_created_at on keyless (created_at);
create table nullable (id bigint, created_at {{datetime}}) {{table}};
create unique index nullable_id on nullable (id);
create table sound (id bigint not null primary key, created_at {{datetime}}) {{table}};
create index sound_created_at on sound (created_at);
insert into keyless values (1, '2020-01-01 00:00:00'), (1, '2020-01-01 00:00:00');
insert into nullable values (null, '2020-01-01 00:00:00'), (null, '2020-01-01 00:00:00');
insert into sound values (1, '2020-01-01 00:00:00');
