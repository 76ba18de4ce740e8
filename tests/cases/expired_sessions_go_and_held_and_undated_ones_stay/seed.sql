create table user_sessions (id varchar(36) not null primary key, user_id bigint not null, session_token varchar(255) not null unique, expires_at {{instant}} null, created_at {{instant}} null) {{table}};
create index idx_user_sessions_expires on user_sessions (expires_at);
insert into user_sessions values ('a1', 17, 'canary-1', '2024-12-31 23:59:59', '2024-12-01 00:00:00'), ('a2', 18, 'canary-2', '2024-06-01 00:00:00', '2024-05-01 00:00:00'),
  ('a3', 19, 'canary-3', '2025-01-01 00:00:00', '2024-12-31 00:00:00'), ('a4', 17, 'canary-4', '2024-03-01 00:00:00', '2024-02-01 00:00:00'),
  ('a5', 20, 'canary-5', null, '2024-02-01 00:00:00'), ('a6', 21, 'canary-6', '2025-01-02 00:00:00', '2024-12-31 00:00:00');
