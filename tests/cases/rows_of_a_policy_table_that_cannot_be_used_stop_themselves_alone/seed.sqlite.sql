-- with: policy_tables

-- Level 1 低敏感字段
('users', 'id', 'low', 'none', 365, 0, 0, 0),
('users', 'created_at', 'low', 'none', 365, 0, 0, 0),
('jobs', 'title', 'low', 'none', 365, 0, 0, 0),
('jobs', 'description', 'low', 'none', 365, 0, 0, 0);

insert into data_lifecycle_policies (id, table_name, policy_name, retention_period, archive_period, deletion_period, archive_location, is_active) values
(1, 'users', 'deletes-before-it-archives', NULL, 365, 90, 'users_archive', 1),
(2, 'users', 'deletes-before-its-minimum', 3650, NULL, 3000, NULL, 1),
(3, 'users', 'deletes-before-the-tags-allow', NULL, NULL, 2554, NULL, 1),
(4, 'user_sessions', 'zero', NULL, NULL, 0, NULL, 1),
(5, 'user_sessions', 'negative', NULL, -1, NULL, 'users_archive', 1),
(6, 'user_sessions', 'to-a-bucket', NULL, 30, NULL, 's3://bucket/x', 1);
insert into data_classification_tags (table_name, field_name, sensitivity_level, protection_method, retention_period) values ('points', 'code', 'high', 'rot13', 1);
