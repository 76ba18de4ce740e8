select id from orders order by id;
select id from days order by id;
select id from ticks order by id;
select id from web_sessions order by id;
select id, is_active from roles order by id;
