select count(*) from things;
select count(*) from things_archive;
