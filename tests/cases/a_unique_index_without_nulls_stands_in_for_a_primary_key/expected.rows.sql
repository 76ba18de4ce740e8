select tenant, ref, serial from events order by tenant, serial;
select tenant, ref, serial from events_archive order by tenant, serial;
