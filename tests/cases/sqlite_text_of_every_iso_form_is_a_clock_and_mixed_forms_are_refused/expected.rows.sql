select id from zulu order by id;
select id from offset order by id;
select id from millis order by id;
select id from mixed order by id;
select id from kinds order by id;
select id from words order by id;
select id from unitless order by id;
