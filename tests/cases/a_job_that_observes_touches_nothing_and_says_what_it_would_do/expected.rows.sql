select count(*) from orders;
select count(*) from orders_archive;
