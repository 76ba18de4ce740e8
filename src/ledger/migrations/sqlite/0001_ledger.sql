-- The ledger on SQLite. Times are RFC 3339 in UTC with six decimals, so that they sort as text.
-- A change to this file after a release is a new migration instead: the checksum of an applied one is compared.

PRAGMA application_id = 1398036292; -- "STWD": tells a ledger from any other database

-- The evidence. Only ever appended to; what the hash covers is written down in `chain.rs`.
CREATE TABLE event (
    seq  INTEGER PRIMARY KEY,
    at   TEXT NOT NULL,
    run  TEXT,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    prev TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX event_of_run ON event (run, seq) WHERE run IS NOT NULL;

-- Against accidents. Whoever means harm can drop these; the chain is there for them.
CREATE TRIGGER event_is_never_edited BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never edited'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;

-- Projections of the chain, written with their event.
CREATE TABLE run (
    id      TEXT PRIMARY KEY,
    seq     INTEGER NOT NULL UNIQUE REFERENCES event (seq),
    job     TEXT NOT NULL,
    action  TEXT NOT NULL,
    mode    TEXT NOT NULL,
    dry_run INTEGER NOT NULL,
    as_of   TEXT NOT NULL,
    started TEXT NOT NULL,
    ended   TEXT,
    outcome TEXT,
    exit    INTEGER,
    report  TEXT
) STRICT;
CREATE INDEX run_of_job ON run (job, seq);

CREATE TABLE open_intent (
    batch TEXT PRIMARY KEY,
    seq   INTEGER NOT NULL UNIQUE REFERENCES event (seq),
    run   TEXT NOT NULL REFERENCES run (id)
) STRICT;

CREATE TABLE hold (
    id           TEXT PRIMARY KEY,
    seq          INTEGER NOT NULL REFERENCES event (seq),
    name         TEXT NOT NULL,
    dataset      TEXT NOT NULL,
    condition    TEXT,
    because      TEXT NOT NULL,
    owner        TEXT,
    origin       TEXT NOT NULL,
    noted        TEXT,
    since        TEXT NOT NULL,
    released     TEXT,
    released_by  TEXT,
    released_why TEXT
) STRICT;
CREATE INDEX hold_by_name ON hold (name);

CREATE TABLE finding (
    seq        INTEGER NOT NULL REFERENCES event (seq),
    position   INTEGER NOT NULL,
    run        TEXT NOT NULL REFERENCES run (id),
    check_name TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (seq, position)
) STRICT;
CREATE INDEX finding_of_check ON finding (check_name, seq);

-- How far a job got, and who has it. Working state, not evidence.
CREATE TABLE pass (
    job         TEXT NOT NULL,
    dataset     TEXT NOT NULL,
    policy      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    as_of       TEXT NOT NULL,
    cursor      TEXT,
    PRIMARY KEY (job, dataset, policy)
) STRICT;

CREATE TABLE lease (
    job      TEXT PRIMARY KEY,
    token    INTEGER NOT NULL,
    run      TEXT NOT NULL,
    since    TEXT NOT NULL,
    host     TEXT NOT NULL,
    pid      INTEGER NOT NULL,
    released INTEGER NOT NULL
) STRICT;
