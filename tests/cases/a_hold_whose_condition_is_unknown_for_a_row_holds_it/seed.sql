create table orders (id bigint not null primary key, status varchar(20), created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(20), created_at {{datetime}}) {{table}};

insert into orders values (1, null, '2020-01-01 00:00:00'), (2, 'disputed', '2020-01-01 00:00:00'), (3, 'closed', '2020-01-01 00:00:00');
