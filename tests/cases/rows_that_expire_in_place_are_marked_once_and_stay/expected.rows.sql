select id, user_id, CAST(expires_at AS CHAR(19)) AS expires_at, is_active, note from user_roles order by id;
