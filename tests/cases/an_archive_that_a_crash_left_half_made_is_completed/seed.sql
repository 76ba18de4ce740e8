create table orders (id bigint not null primary key, note varchar(40), created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
insert into orders values (1, 'a', '2020-01-01 00:00:00'), (2, 'b', '2024-06-01 00:00:00');
create table orders_archive like orders;
