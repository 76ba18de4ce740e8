select id, status from orders order by id;
select id, status from orders_archive order by id;
