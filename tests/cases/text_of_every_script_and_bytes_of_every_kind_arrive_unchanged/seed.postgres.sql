create table notes (id bigint not null primary key, body text, raw bytea, created_at timestamp);
create index notes_created_at on notes (created_at);
insert into notes values (1, 'emoji 😀👩‍👩‍👧 kana かな', '\x00FF00', '2020-01-01 00:00:00'), (2, '', '', '2020-01-01 00:00:00'), (3, '  spaces at both ends  ', null, '2020-01-01 00:00:00'),
  (4, E'line\nend', '\x00000000', '2020-01-01 00:00:00'), (5, 'no NUL in text here', '\x27', '2020-01-01 00:00:00'), (6, null, null, '2020-01-01 00:00:00'), (7, E'quote '' and \\ backslash', '\x5C27', '2020-01-01 00:00:00');
