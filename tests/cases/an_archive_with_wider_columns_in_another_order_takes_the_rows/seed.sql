create table orders (id integer not null primary key, note varchar(40), amount decimal(12,4), created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (extra varchar(10), amount decimal(20,4), created_at {{datetime}}, note varchar(80), id bigint not null primary key, reason varchar(10) not null default 'old', steward_batch varchar(64)) {{table}};
insert into orders values (1, 'a', 1.5, '2020-01-01 00:00:00'), (2, null, null, '2020-01-01 00:00:00');
