create table orders (id int not null primary key, created_at timestamp not null);
create index on orders (created_at);
insert into orders values (1, '2020-01-01 00:00:00'), (2, '-infinity'), (3, 'infinity'), (4, '-infinity'), (5, '2024-12-31 00:00:00');
create table days (id int not null primary key, created_on date not null);
insert into days values (1, '2020-01-01'), (2, '-infinity'), (3, 'infinity');
create table web_sessions (id int not null primary key, expires_at timestamptz not null);
insert into web_sessions values (1, '2020-01-01 00:00:00+00'), (2, '-infinity'), (3, '2030-01-01 00:00:00+00');
