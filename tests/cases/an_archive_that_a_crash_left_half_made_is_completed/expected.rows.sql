select count(*) from orders;
select id, note, length(steward_batch) from orders_archive order by id;
