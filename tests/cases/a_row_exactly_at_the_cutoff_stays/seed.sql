create table orders (id bigint not null primary key, status varchar(20) not null, created_at {{datetime6}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(20) not null, created_at {{datetime6}}) {{table}};
insert into orders values (1, 'before', '2023-01-01 11:59:59.999999'), (2, 'at', '2023-01-01 12:00:00.000000'), (3, 'after', '2023-01-01 12:00:00.000001');
