create table "USER" ("order" bigint not null, "interval" varchar(20), "Created At" {{datetime}}, "select" varchar(20), "a.b" varchar(20), primary key ("order")) {{table}};
create index "USER_created" on "USER" ("Created At");
create table "User Archive" ("a.b" varchar(20), "select" varchar(20), "Created At" {{datetime}}, "interval" varchar(20), "order" bigint not null, primary key ("order")) {{table}};
insert into "USER" values (1, 'one day', '2020-01-01 00:00:00', 'x', 'dot'), (2, 'two', '2020-01-01 00:00:00', 'y', 'dot'), (3, null, '2024-06-01 00:00:00', null, null);
