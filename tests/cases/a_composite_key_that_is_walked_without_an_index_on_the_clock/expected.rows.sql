select count(*) from visits;
select count(*) from visits_archive;
