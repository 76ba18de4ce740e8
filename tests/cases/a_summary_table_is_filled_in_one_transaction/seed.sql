create table orders (id bigint not null primary key, day integer not null) {{table}};
insert into orders values (1, 1), (2, 1), (3, 2);
create table daily (day integer not null primary key, orders integer not null) {{table}};
insert into daily values (9, 9);
create table wrong (day integer not null primary key, orders integer not null) {{table}};
insert into wrong values (1, 1);
