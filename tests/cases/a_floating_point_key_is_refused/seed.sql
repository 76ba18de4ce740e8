create table approximate (id double precision not null primary key, created_at {{datetime}}) {{table}};
create index approximate_created_at on approximate (created_at);
insert into approximate values (0.1, '2020-01-01 00:00:00'), (0.30000000000000004, '2020-01-01 00:00:00');
