select id from users order by id;
select id from users_archive order by id;
select id from user_sessions order by id;
select id from resumes;
