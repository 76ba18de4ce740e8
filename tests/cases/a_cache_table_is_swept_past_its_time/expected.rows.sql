select id, cache_key from ai_cache order by id;
