select id from orders;
select count(*) from narrow;
select count(*) from lacking;
select count(*) from demanding;
select count(*) from keyless;
