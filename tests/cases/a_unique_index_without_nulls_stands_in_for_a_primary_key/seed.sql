create table events (tenant varchar(10) not null, ref varchar(20), serial bigint not null, created_at {{datetime}}) {{table}};
create unique index events_ref on events (ref);
create unique index events_serial on events (tenant, serial);
create index events_created_at on events (created_at);
create table events_archive (tenant varchar(10) not null, ref varchar(20), serial bigint not null, created_at {{datetime}}) {{table}};
create unique index events_archive_serial on events_archive (serial, tenant);
insert into events values ('a', null, 1, '2020-01-01 00:00:00'), ('a', null, 2, '2020-01-01 00:00:00'), ('b', 'x', 1, '2020-01-01 00:00:00'),
  ('b', 'y', 2, '2024-06-01 00:00:00');
