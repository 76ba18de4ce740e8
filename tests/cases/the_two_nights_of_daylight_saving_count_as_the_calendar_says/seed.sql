create table orders (id bigint not null primary key, status varchar(60) not null, created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(60) not null, created_at {{datetime}}) {{table}};
insert into orders values (1, 'the hour before it springs', '2024-03-30 23:30:00'), (2, 'an hour after it sprang', '2024-03-31 01:30:00'),
  (3, 'the first half past two', '2024-10-27 00:30:00'), (4, 'the second half past two', '2024-10-27 01:30:00');
