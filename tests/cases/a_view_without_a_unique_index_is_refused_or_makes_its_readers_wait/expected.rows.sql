select count(*) from none;
select count(*) from waiting;
