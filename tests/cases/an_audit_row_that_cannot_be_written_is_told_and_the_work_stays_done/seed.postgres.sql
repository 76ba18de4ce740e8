create schema audit_log; create table audit_log.system_log (id bigint generated always as identity primary key, level varchar(10) check (level <> 'INFO'), message text, metadata jsonb);
