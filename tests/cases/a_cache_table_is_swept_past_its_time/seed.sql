create table ai_cache (id bigint not null primary key, cache_key varchar(255) not null unique, cache_data {{text}} not null, expires_at {{instant}} null, hit_count integer default 0) {{table}};
create index ai_cache_expires_at on ai_cache (expires_at);
insert into ai_cache values (1, 'a', '{}', '2024-12-30 23:59:59', 1), (2, 'b', '{}', '2024-12-31 12:00:00', 0), (3, 'c', '{}', '2025-01-01 12:00:00', 2), (4, 'd', '{}', '2020-01-01 00:00:00', 9);
