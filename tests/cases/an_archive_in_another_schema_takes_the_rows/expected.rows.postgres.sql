select id, status from orders order by id;
select id, status from archive.orders order by id;
