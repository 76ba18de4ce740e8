select id, note from orders order by id;
select id, note from orders_archive order by id;
