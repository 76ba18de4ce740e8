create table orders (id bigint not null primary key, status varchar(60) not null, created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(60) not null, created_at {{datetime}}) {{table}};
insert into orders values (1, 'before the night', '2024-10-27 01:59:59'), (2, 'either of two instants', '2024-10-27 02:15:00'),
  (3, 'either of two instants', '2024-10-27 02:45:00'), (4, 'after it', '2024-10-27 03:00:00');
