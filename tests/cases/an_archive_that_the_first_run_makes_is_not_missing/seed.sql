create table orders (id bigint not null primary key, note varchar(40), created_at {{datetime}} not null) {{table}};
create index orders_created_at on orders (created_at);
insert into orders values (1, 'older than both', '2015-01-01 00:00:00'), (2, 'to be archived', '2023-01-01 00:00:00'), (3, 'young', '2024-12-01 00:00:00');
