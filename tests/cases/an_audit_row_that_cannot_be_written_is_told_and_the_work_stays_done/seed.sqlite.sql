create table system_log (id integer primary key, level text check (level <> 'INFO'), message text, metadata text);
