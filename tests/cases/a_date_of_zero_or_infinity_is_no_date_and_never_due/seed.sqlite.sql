create table orders (id int not null primary key, created_at text not null);
create index orders_created_at on orders (created_at);
insert into orders values (1, '2020-01-01 00:00:00'), (2, '0000-00-00 00:00:00'), (3, '2020-00-00 00:00:00'), (4, '0000-05-01 00:00:00'), (5, '2024-12-31 00:00:00');
create table days (id int not null primary key, created_on text not null);
insert into days values (1, '2020-01-01'), (2, '0000-00-00'), (3, '2020-05-00');
create table web_sessions (id int not null primary key, expires_at text not null);
insert into web_sessions values (1, '2020-01-01 00:00:00'), (2, '0000-00-00 00:00:00'), (3, '2030-01-01 00:00:00');
