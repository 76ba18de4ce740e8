-- with: policy_tables

-- Level 1 低敏感字段
('users', 'id', 'low', 'none', 365, 0, 0, 0),
('users', 'created_at', 'low', 'none', 365, 0, 0, 0),
('jobs', 'title', 'low', 'none', 365, 0, 0, 0),
('jobs', 'description', 'low', 'none', 365, 0, 0, 0);

insert into data_lifecycle_policies (id, table_name, policy_name, retention_period, archive_period, deletion_period, archive_location, is_active) values
(1, 'users', 'user-data', 2555, 365, 3650, 'users_archive', 1),
(2, 'user_sessions', 'sessions', NULL, NULL, 90, NULL, 1),
(3, 'resumes', 'old-resumes', NULL, NULL, 1095, NULL, 0);
