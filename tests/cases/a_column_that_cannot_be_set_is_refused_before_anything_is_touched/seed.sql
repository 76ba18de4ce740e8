create table user_roles (id bigint not null primary key, role_id bigint not null, expires_at {{datetime}} null, is_active integer not null default 1) {{table}};
create table grants (id bigint not null primary key, role_id bigint) {{table}};
insert into user_roles values (1, 1, '2024-01-01 00:00:00', 1);
