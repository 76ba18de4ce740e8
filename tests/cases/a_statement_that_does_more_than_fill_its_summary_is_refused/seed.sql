create table orders (id bigint not null primary key, day integer not null) {{table}};
insert into orders values (1, 1), (2, 1), (3, 2);
create table daily (day integer not null primary key, orders integer not null) {{table}};
insert into daily values (9, 9);
create table kept (day integer not null primary key) {{table}};
insert into kept values (9);
