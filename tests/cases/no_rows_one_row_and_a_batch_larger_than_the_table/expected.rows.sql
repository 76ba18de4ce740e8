select count(*) from none_archive;
select count(*) from one;
select count(*) from one_archive;
select count(*) from few;
select count(*) from few_archive;
