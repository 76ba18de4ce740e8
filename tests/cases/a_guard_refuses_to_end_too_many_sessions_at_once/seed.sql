create table user_sessions (id bigint not null primary key, expires_at {{datetime}} not null) {{table}};
insert into user_sessions values (1, '2024-01-01 00:00:00'), (2, '2024-01-01 00:00:00'), (3, '2026-01-01 00:00:00');
