set session sql_mode = '';
create table orders (id int not null primary key, created_at datetime not null, key (created_at)) {{table}};
insert into orders values (1, '2020-01-01 00:00:00'), (2, '0000-00-00 00:00:00'), (3, '2020-00-00 00:00:00'), (4, '0000-05-01 00:00:00'), (5, '2024-12-31 00:00:00');
create table days (id int not null primary key, created_on date not null) {{table}};
insert into days values (1, '2020-01-01'), (2, '0000-00-00'), (3, '2020-05-00');
create table web_sessions (id int not null primary key, expires_at timestamp not null default '0000-00-00 00:00:00') {{table}};
insert into web_sessions values (1, '2020-01-01 00:00:00'), (2, '0000-00-00 00:00:00'), (3, '2030-01-01 00:00:00');
