select * from mv_workspace_analytics order by 1;
select * from all_calls;
select * from never_filled;
