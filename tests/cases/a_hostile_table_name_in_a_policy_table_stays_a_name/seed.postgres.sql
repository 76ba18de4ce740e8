-- with: policy_tables

-- Level 1 低敏感字段
('users', 'id', 'low', 'none', 365, 0::int::boolean, 0::int::boolean, 0::int::boolean),
('users', 'created_at', 'low', 'none', 365, 0::int::boolean, 0::int::boolean, 0::int::boolean),
('jobs', 'title', 'low', 'none', 365, 0::int::boolean, 0::int::boolean, 0::int::boolean),
('jobs', 'description', 'low', 'none', 365, 0::int::boolean, 0::int::boolean, 0::int::boolean);

insert into data_lifecycle_policies (id, table_name, policy_name, deletion_period, is_active) values
(1, 'users; drop table users', 'semicolon', 3650, true),
(2, 'users` where 1=1 -- ', 'backtick', 3650, true),
(3, 'users" where 1=1 -- ', 'quote', 3650, true),
(4, 'users'' or ''1''=''1', 'apostrophe', 3650, true);
