select count(*) from orders;
select id, note, case when amount = 1.5 then 1 end, extra, reason, length(steward_batch) from orders_archive order by id;
