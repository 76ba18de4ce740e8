create table orders (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};

insert into orders values (1, 'closed', '2020-01-01 00:00:00'), (2, 'open', '2021-06-30 12:00:00'), (3, 'closed', '2022-12-31 23:59:59'),
  (4, 'closed', '2023-01-01 00:00:00'), (5, 'open', '2024-12-31 00:00:00');
