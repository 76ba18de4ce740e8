CREATE TABLE data_classification_tags (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    table_name VARCHAR(64) NOT NULL,
    field_name VARCHAR(64) NOT NULL,
    sensitivity_level ENUM('low', 'medium', 'high', 'critical') NOT NULL,
    data_type VARCHAR(32),
    protection_method VARCHAR(64),
    retention_period INT COMMENT '保留期(天)',
    encryption_required TINYINT(1) DEFAULT 0,
    access_control_required TINYINT(1) DEFAULT 1,
    audit_required TINYINT(1) DEFAULT 0,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,

    UNIQUE KEY unique_table_field (table_name, field_name),
    INDEX idx_sensitivity_level (sensitivity_level),
    INDEX idx_table_name (table_name)
);

-- 8. 数据生命周期策略表
CREATE TABLE data_lifecycle_policies (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    table_name VARCHAR(64) NOT NULL,
    policy_name VARCHAR(100) NOT NULL,
    retention_period INT COMMENT '保留期(天)',
    archive_period INT COMMENT '归档期(天)',
    deletion_period INT COMMENT '删除期(天)',
    archive_location VARCHAR(255) COMMENT '归档位置',
    is_active TINYINT(1) DEFAULT 1,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,

    UNIQUE KEY unique_table_policy (table_name, policy_name),
    INDEX idx_table_name (table_name),
    INDEX idx_is_active (is_active)
);

-- 插入数据分类标签
INSERT INTO data_classification_tags (table_name, field_name, sensitivity_level, protection_method, retention_period, encryption_required, access_control_required, audit_required) VALUES
-- Level 4 极高敏感字段
('users', 'password_hash', 'critical', 'bcrypt_encryption', 0, 1, 1, 1),
('user_sessions', 'session_token', 'critical', 'jwt_encryption', 0, 1, 1, 1),
('user_sessions', 'refresh_token', 'critical', 'jwt_encryption', 0, 1, 1, 1),

-- Level 3 高敏感字段
('users', 'email', 'high', 'aes256_encryption', 2555, 1, 1, 1),
('users', 'phone', 'high', 'aes256_encryption', 2555, 1, 1, 1),
('users', 'first_name', 'high', 'access_control', 2555, 0, 1, 1),
('users', 'last_name', 'high', 'access_control', 2555, 0, 1, 1),
('user_profiles', 'date_of_birth', 'high', 'aes256_encryption', 2555, 1, 1, 1),
('user_profiles', 'location', 'high', 'access_control', 2555, 0, 1, 1),
('points', 'balance', 'high', 'access_control', 2555, 0, 1, 1),

-- Level 2 中敏感字段
('users', 'username', 'medium', 'access_control', 1095, 0, 1, 0),
('user_profiles', 'bio', 'medium', 'access_control', 1095, 0, 1, 0),
('resumes', 'title', 'medium', 'access_control', 1095, 0, 1, 0),
('resumes', 'content', 'medium', 'access_control', 1095, 0, 1, 0),
('user_settings', 'theme', 'medium', 'access_control', 1095, 0, 1, 0),
