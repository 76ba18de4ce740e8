select count(*) from orders;
select count(*) from notes;
