create table digits (d int not null primary key) {{table}};
insert into digits values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);

create table orders (id bigint not null primary key, created_at {{datetime}}) {{table}};
create table orders_archive (id bigint not null primary key, created_at {{datetime}}) {{table}};
insert into orders select a.d * 10000 + b.d * 1000 + c.d * 100 + e.d * 10 + f.d, '2024-12-31 00:00:00'
  from digits a, digits b, digits c, digits e, digits f where a.d < 3 and a.d * 10 + b.d < 25;
insert into orders values (25000, '2020-01-01 00:00:00'), (25001, '2024-12-31 00:00:00'), (25002, '2020-01-01 00:00:00');
