create table system_log (id integer primary key, level text, message text, who text not null);
