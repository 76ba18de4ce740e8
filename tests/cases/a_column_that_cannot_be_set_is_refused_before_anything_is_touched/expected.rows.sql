select id, expires_at, is_active from user_roles order by id;
