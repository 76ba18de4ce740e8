create table company_ai_profiles (id bigint generated always as identity primary key, company_id bigint not null, generated_at timestamptz default now(), expires_at timestamptz, is_valid boolean default true, ended_at timestamptz, state varchar(10));
create index profiles_expires_at on company_ai_profiles (expires_at);
