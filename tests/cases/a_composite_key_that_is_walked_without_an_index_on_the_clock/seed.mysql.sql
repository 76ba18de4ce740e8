create table visits (code varchar(20) not null, seen_at {{datetime}}, region varchar(10) not null, day date not null, n int not null, note varchar(40),
  primary key (day, region, code, n)) {{table}};
create table visits_archive (day date not null, n int not null, note varchar(40), region varchar(10) not null, code varchar(20) not null, seen_at {{datetime}},
  primary key (day, region, code, n)) {{table}};
create table digits (d int not null primary key) {{table}};
insert into digits values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);

insert into visits (day, region, code, n, seen_at, note)
  select case when a.d < 5 then '2021-03-04' else '2021-03-05' end, case b.d when 0 then 'Zürich' when 1 then 'a b' else concat('r', b.d) end, concat('code ', c.d), e.d,
    case when e.d = 9 then '2024-06-01 00:00:00' else '2021-03-05 10:00:00' end, concat('n', a.d)
  from digits a, digits b, digits c, digits e where a.d in (4, 5);
