select id, status from orders order by id;
select id, status from orders_archive order by id;
select id, order_id from items order by id;
select id, order_id from marks order by id;
