create table orders (id bigint not null primary key, note varchar(40), amount decimal(12,4), created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table narrow (id bigint not null primary key, note varchar(39), amount decimal(12,4), created_at {{datetime}}) {{table}};
create table lacking (id bigint not null primary key, note varchar(40), created_at {{datetime}}) {{table}};
create table demanding (id bigint not null primary key, note varchar(40), amount decimal(12,4), created_at {{datetime}}, reason varchar(10) not null) {{table}};
create table keyless (id bigint not null, note varchar(40), amount decimal(12,4), created_at {{datetime}}) {{table}};
insert into orders values (1, 'a', 1.5, '2020-01-01 00:00:00');
