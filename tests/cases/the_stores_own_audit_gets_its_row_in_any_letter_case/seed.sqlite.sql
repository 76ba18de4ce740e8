create table System_Log (id integer primary key, level text not null, message text not null, metadata text);
