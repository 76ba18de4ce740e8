select count(*) from orders;
select id from orders_archive order by id;
