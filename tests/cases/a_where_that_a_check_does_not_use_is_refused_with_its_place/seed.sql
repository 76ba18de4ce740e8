create table users (id int not null primary key) {{table}};
