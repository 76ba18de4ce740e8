create type mood as enum ('sad', 'ok', 'happy');
create domain percent as numeric(5,2) check (value <= 100);
create table things (id bigint generated always as identity primary key, big bigint, amount numeric(65,30), any_amount numeric, ratio double precision, small real, flag boolean, doc json, docb jsonb, bits bit(8), vbits bit varying(20),
  mood mood, share percent, who uuid, addr inet, tags text[], matrix int[][], spell interval, at_zone timestamptz, at_time time, at_timez timetz, day date, span tsrange, fixed character(5), cash money, doubled bigint generated always as (big * 2) stored, words tsvector, spot point, seen timestamp);
create index things_seen on things (seen);
insert into things (id, big, amount, any_amount, ratio, small, flag, doc, docb, bits, vbits, mood, share, who, addr, tags, matrix, spell, at_zone, at_time, at_timez, day, span, fixed, cash, words, spot, seen) overriding system value values
  (7, 4611686018427387903, 12345678901234567890123456789012345.123456789012345678901234567890, 1e400, 0.1, 0.1, true, '{"b":1,  "a":[1, 2.50], "b":2}', '{"b":1,"a":[1,2.50]}', B'10100000', B'101',
   'happy', 99.99, '0b1c5f0a-9a4a-4a8b-8f6e-2d2f8a9b7c6d', '192.168.0.1/24', '{a,"b c",NULL}', array[[1,2],[3,4]], '1 year 2 days 03:04:05.000006', '2020-02-29 23:59:59.999999+08', '23:59:59.999999', '23:59:59+08', 'infinity', '[2020-01-01,2020-02-01)', 'ab', 12.34, 'a:1 cat:2', '(1.5,-2)', '2020-01-01 00:00:00.123456'),
  (9, -4611686018427387904, -0.000000000000000000000000000001, 'NaN', 'NaN', '-Infinity', false, 'null', 'null', B'00000000', B'', 'sad', null, null, '::1', '{}', null, '-1 mons', '0044-03-15 00:00:00+00 BC', '00:00', '00:00+00', '0044-03-15 BC', 'empty', '', -0.01, '', null, '0044-03-15 12:00:00 BC'),
  (11, null, null, null, '-0', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, '2020-01-01 00:00:00.000001');
