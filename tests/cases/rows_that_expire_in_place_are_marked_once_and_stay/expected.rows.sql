select id, user_id, expires_at, is_active, note from user_roles order by id;
