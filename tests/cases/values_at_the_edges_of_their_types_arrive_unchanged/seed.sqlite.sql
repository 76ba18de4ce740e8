create table things (id integer primary key, big integer, amount decimal(65,30), ratio real, anything, flag boolean, doc json, upper_name text generated always as (upper(name)) stored, name text, seen text);
create index things_seen on things (seen);
insert into things (id, big, amount, ratio, anything, flag, doc, name, seen) values
  (-9223372036854775808, 9223372036854775807, 12345678901234567890.5, 0.1, 'text in it', 1, '{"a": [1, 2.50]}', 'straße', '2020-01-01T00:00:00.123456Z'),
  (2, -1, 1e300, -0.0, x'00', 0, null, null, '2020-01-01T00:00:00.000001Z'), (3, 0, 'not a number', 9e999, 1.0, null, 'null', '', '2020-01-01T00:00:00.999999Z');
