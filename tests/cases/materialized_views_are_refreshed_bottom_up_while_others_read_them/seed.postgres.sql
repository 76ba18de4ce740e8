create table usage_stats (workspace_id bigint not null, api_calls bigint not null);
insert into usage_stats values (1, 10), (1, 5), (2, 7);
create materialized view mv_workspace_analytics as select workspace_id, sum(api_calls)::bigint as total_api_calls from usage_stats group by workspace_id;
create unique index on mv_workspace_analytics (workspace_id);
create view busy_workspaces as select * from mv_workspace_analytics where total_api_calls > 8;
create materialized view all_calls as select count(*) as workspaces, sum(total_api_calls)::bigint as calls from busy_workspaces;
create unique index on all_calls (workspaces);
create materialized view never_filled as select 1 as id with no data;
insert into usage_stats values (2, 100), (3, 1);
