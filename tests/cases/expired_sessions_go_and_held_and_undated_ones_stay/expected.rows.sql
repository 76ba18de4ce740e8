select id, user_id from user_sessions order by id;
