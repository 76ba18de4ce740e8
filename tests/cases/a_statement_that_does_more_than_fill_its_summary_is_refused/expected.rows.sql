select count(*) from orders;
select * from daily;
select * from kept;
