create table orders (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};

insert into orders values (1, 'closed', '2023-02-27 23:59:59'), (2, 'closed', '2023-02-28 00:00:00'), (3, 'closed', '2024-02-28 23:59:59'),
  (4, 'closed', '2024-02-29 00:00:00'), (5, 'closed', '2024-03-01 00:00:00');
