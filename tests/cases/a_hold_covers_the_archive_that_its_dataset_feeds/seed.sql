create table orders (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};
create index orders_created_at on orders (created_at);
create table orders_archive (id bigint not null primary key, status varchar(20) not null, created_at {{datetime}}) {{table}};

create index orders_archive_created_at on orders_archive (created_at);
insert into orders_archive values (1, 'closed', '2010-01-01 00:00:00'), (2, 'closed', '2010-01-01 00:00:00'), (5, 'closed', '2010-01-01 00:00:00');
