select * from daily order by 1;
select * from wrong;
