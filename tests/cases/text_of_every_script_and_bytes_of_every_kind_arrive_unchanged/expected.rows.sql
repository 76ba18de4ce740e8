select count(*) from notes;
select id, body from notes_archive where id <> 5 order by id;
