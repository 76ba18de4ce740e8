create table named (id bigint not null primary key, at varchar(30)) {{table}};
create table counted (id bigint not null primary key, at bigint) {{table}};
create table dated (id bigint not null primary key, at date) {{table}};
insert into named values (1, '2020-01-01 00:00:00');
insert into counted values (1, 1000);
insert into dated values (1, '2020-01-01');
