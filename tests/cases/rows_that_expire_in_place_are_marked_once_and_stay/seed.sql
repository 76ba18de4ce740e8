create table roles (id bigint not null primary key, name varchar(20) not null) {{table}};
insert into roles values (1, 'admin'), (2, 'editor');
create table user_roles (id bigint not null primary key, user_id bigint not null, role_id bigint not null references roles (id), assigned_at {{instant}} null, expires_at {{instant}} null, is_active smallint default 1, note varchar(40), unique (user_id, role_id)) {{table}};
create index idx_expires_at on user_roles (expires_at);
insert into user_roles values (1, 17, 1, '2020-01-01 00:00:00', '2024-12-31 23:59:59', 1, 'by hand'), (2, 18, 1, '2020-01-01 00:00:00', '2024-01-01 00:00:00', 0, null),
  (3, 19, 1, '2020-01-01 00:00:00', '2024-01-01 00:00:00', null, 'old'), (4, 20, 1, '2020-01-01 00:00:00', '2025-01-01 00:00:00', 1, null),
  (5, 21, 1, '2020-01-01 00:00:00', null, 1, null), (6, 22, 2, '2020-01-01 00:00:00', '2024-05-01 00:00:00', 1, 'held'), (7, 23, 2, '2020-01-01 00:00:00', '2024-05-01 00:00:00', 0, 'it''s "over"');
