create table company_ai_profiles (id integer primary key, company_id bigint not null, generated_at text, expires_at text, is_valid boolean default 1, ended_at text, state text);
