select count(*) from notes;
