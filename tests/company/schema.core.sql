CREATE TABLE users (
  id BIGINT UNSIGNED PRIMARY KEY, email VARCHAR(255), email_encrypted BLOB, status VARCHAR(20) NOT NULL, created_at DATETIME NOT NULL,
  INDEX idx_email (email)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;
CREATE TABLE user_sessions (
  id BIGINT UNSIGNED PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL, session_token VARCHAR(255) NOT NULL, expires_at TIMESTAMP NULL,
  INDEX idx_expires_at (expires_at)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE user_roles (
  id BIGINT UNSIGNED PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL, role_id BIGINT UNSIGNED NOT NULL, expires_at TIMESTAMP NULL,
  is_active TINYINT(1) DEFAULT 1, INDEX idx_expires_at (expires_at)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE ai_cache (
  id BIGINT UNSIGNED PRIMARY KEY, cache_key VARCHAR(255) NOT NULL UNIQUE, cache_data JSON NOT NULL, expires_at TIMESTAMP NOT NULL,
  INDEX idx_expires_at (expires_at)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
