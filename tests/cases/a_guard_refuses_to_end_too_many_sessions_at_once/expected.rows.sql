select count(*) from user_sessions;
