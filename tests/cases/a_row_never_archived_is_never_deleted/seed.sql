create table orders (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};

insert into orders values (1, 'closed', '2020-01-01 00:00:00'), (2, 'open', '2021-06-30 12:00:00'), (3, 'closed', '2022-12-31 23:59:59'),
  (4, 'closed', '2023-01-01 00:00:00'), (5, 'open', '2024-12-31 00:00:00');

create index orders_archive_created_at on orders_archive (created_at);
insert into orders_archive values (101, 'closed', '2010-01-01 00:00:00'), (102, 'closed', '2024-01-01 00:00:00');
insert into orders values (6, 'open', '2011-05-06 07:08:09'), (7, 'open', '2012-01-01 00:00:00');
