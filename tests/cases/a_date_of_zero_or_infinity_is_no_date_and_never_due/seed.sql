create table ticks (id int not null primary key, made bigint) {{table}};
insert into ticks values (1, 1577836800), (2, 0), (3, -1), (4, null);
create table roles (id int not null primary key, ends bigint not null, is_active int not null) {{table}};
insert into roles values (1, 1577836800, 1), (2, 0, 1), (3, 1893456000, 1);
