select count(*) from users;
