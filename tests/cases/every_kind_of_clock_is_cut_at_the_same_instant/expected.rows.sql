select id from days order by id;
select id from walls order by id;
select id from fractions order by id;
select id from instants order by id;
select id from seconds order by id;
select id from millis order by id;
select id from micros order by id;
