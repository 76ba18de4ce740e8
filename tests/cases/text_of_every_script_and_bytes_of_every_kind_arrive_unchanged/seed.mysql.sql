create table notes (id bigint not null primary key, body longtext, raw longblob, created_at datetime) charset utf8mb4;
create index notes_created_at on notes (created_at);
insert into notes values (1, 'emoji 😀👩‍👩‍👧 kana かな', x'00FF00', '2020-01-01 00:00:00'), (2, '', '', '2020-01-01 00:00:00'), (3, '  spaces at both ends  ', null, '2020-01-01 00:00:00'),
  (4, 'line\nend', x'00000000', '2020-01-01 00:00:00'), (5, 'NUL\0inside', x'27', '2020-01-01 00:00:00'), (6, null, null, '2020-01-01 00:00:00'), (7, 'quote '' and \\ backslash', x'5C27', '2020-01-01 00:00:00');
