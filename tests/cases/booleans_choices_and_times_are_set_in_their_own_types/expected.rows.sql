select id, company_id, expires_at, is_valid, ended_at, state from company_ai_profiles order by id;
