create table orders (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};
