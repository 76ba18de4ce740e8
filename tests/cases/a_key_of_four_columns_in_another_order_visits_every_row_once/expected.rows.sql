select count(*) from visits;
select count(*) from visits_archive;
select count(*) from visits_archive where region = 'Zürich' and n = 8;
select count(*) from visits where seen_at < '2024-01-01';
