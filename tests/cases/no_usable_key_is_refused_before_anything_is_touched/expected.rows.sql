select count(*) from keyless;
select count(*) from nullable;
select count(*) from sound;
