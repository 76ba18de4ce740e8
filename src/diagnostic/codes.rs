//! Every code there is, with its long explanation: what `steward explain SW2104` prints.
//!
//! `SW0xxx` the form of any file · `SW1xxx` configuration · `SW2xxx` policies · `SW3xxx` jobs · `SW4xxx` stores · `SW5xxx` runs.
//! A code is never used again for something else.

use serde::Serialize;

/// A stable code. Only this catalogue makes one, so each that is used exists and is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(&'static str);

impl Code {
    /// `SW2104`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// What is known about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The code.
    pub code: Code,
    /// One line.
    pub title: &'static str,
    /// Why it is so, and what to do.
    pub explanation: &'static str,
}

/// The entry of a code, in any letter case.
pub fn explained(code: &str) -> Option<&'static Explained> {
    CATALOGUE.iter().find(|entry| entry.code.0.eq_ignore_ascii_case(code.trim()))
}

/// One row per code: `NAME = "SWnnnn", "title", "explanation";`
macro_rules! catalogue {
    ($($name:ident = $code:literal, $title:literal, $explanation:literal;)*) => {
        $(#[doc = concat!("`", $code, "`: ", $title, ".")] pub const $name: Code = Code($code);)*

        /// Every code, in order.
        pub const CATALOGUE: &[Explained] = &[$(Explained { code: $name, title: $title, explanation: $explanation }),*];
    };
}

catalogue! {
    // Any file
    SYNTAX = "SW0001", "the file is not readable as YAML",
        "The text breaks the rules of YAML at the place shown, so nothing in this file could be read; the other files were.\n\
         Common causes: a tab where spaces indent, a quote that is not closed, a value with `: ` or ` #` in it that needs quotes,\n\
         an anchor that refers to itself. Tags (`!!binary`) and merge keys (`<<`) are not used here.";
    UNKNOWN_KEY = "SW0002", "unknown key",
        "Every key must be one that steward knows: a misspelt `where` that were skipped would mean \"all rows\".\n\
         `steward schema policy|job|config` lists the keys; the line `# yaml-language-server: $schema=…` lets an editor complete them.";
    DUPLICATE_KEY = "SW0003", "the same key twice",
        "YAML readers differ in which of two equal keys they believe, so neither is. Keep one.";
    MISSING_KEY = "SW0004", "a key is missing",
        "This entry cannot mean anything without the key named. Nothing is guessed.";
    WRONG_KIND = "SW0005", "a value of the wrong kind",
        "A list stands where one value is expected, or the reverse, or nothing at all stands there.\n\
         An empty list is written `[]`. Truth is written `true` or `false`: `yes`, `no`, `on` and `off` mean different things to different YAML readers.";
    UNREADABLE_VALUE = "SW0006", "a value that cannot be understood",
        "The value is of the right kind, and its text means nothing here: a period without a unit, a name that is not a dataset, an unknown word.\n\
         Periods are a whole number and a unit: `30 days`, `6 months`, `7 years`, `40 minutes`, `5 s`.\n\
         Datasets are `store.table` or `store.schema.table`; a part with dots, quotes or spaces is double-quoted.";
    VARIABLE = "SW0007", "a variable of the environment is missing or misplaced",
        "`${NAME}` stands for a variable of the environment and must be the whole value: `url: ${CORE_URL}`, never `mysql://${HOST}/db`.\n\
         So a variable can never add a key, end a quote, or slip into the middle of a condition. It is read after the file is parsed.";
    SIZE = "SW0008", "the file is too large, too deep or empty",
        "A file people write is small. Beyond 1 MiB, 32 levels or 50,000 values it is refused before it can use up memory,\n\
         and so are aliases that multiply. An empty job or configuration says nothing and is refused too.";
    FILE = "SW0009", "a file or folder cannot be read",
        "The file or folder that is named does not exist or may not be read by this user. Relative paths are relative to the configuration file.";

    // Configuration
    URL = "SW1001", "a URL that cannot be understood",
        "Stores: `mysql://user@host/database`, `mariadb://…`, `postgres://user@host/database`, `sqlite:file.db`.\n\
         Mail: `smtp://host:port`, `smtps://host`, `file:DIR`.";
    NOT_BUILT = "SW1002", "not built yet",
        "steward knows what this is and does not do it yet. It is refused rather than ignored, so that nobody believes it is at work.";
    INLINE_PASSWORD = "SW1003", "a password written in the file",
        "A password in a file ends in backups, in version control and in other people's editors.\n\
         Write `password: { env: NAME }`, `{ file: /run/secrets/name }` or `{ credential: name }` (systemd's credentials directory).\n\
         A URL may also come whole from there: `url: { env: CORE_URL }`. Whoever has read access to the file's history has the password: change it.";
    STORE_NAME = "SW1004", "a store's name that datasets could not use",
        "Datasets are written `store.table`; a store's name is letters, digits, `-` and `_`.";
    NO_STORES = "SW1005", "no stores",
        "A configuration without stores governs nothing.";
    SECRET = "SW1006", "a secret that cannot be had",
        "The variable, file or credential that should hold a secret is missing, unreadable, empty, or not text. The secret itself is never shown.\n\
         Credentials are files in the directory that systemd names in `CREDENTIALS_DIRECTORY` (`LoadCredential=` in the unit).";
    MAIL = "SW1007", "mail that cannot be sent so",
        "`smtp://` asks the server for TLS (STARTTLS) and goes no further without it, except on this very machine, where TLS is used if it is offered.\n\
         `smtps://` is TLS from the first byte. `?tls=none` sends in the clear and is accepted only without a password or on this machine.\n\
         `file:DIR` writes mails as files. `from` and at least one `to` are needed.";
    POLICY_TABLES = "SW1008", "policy tables that cannot be found so",
        "`policy_tables` names at least one of `lifecycle` and `classification`, each a dataset in a store of this configuration.\n\
         With `lifecycle`, a `clock` may be named for the rows, which name none themselves.";
    LIMIT = "SW1009", "a limit that makes no sense",
        "Connections are at least 1; timeouts are longer than zero.";

    // Policies
    NAME_TWICE = "SW2002", "a name used twice",
        "Jobs, reports and the ledger refer to policies and holds by name; within its section a name is used once over all files.\n\
         An entry without a `name` is called like its dataset.";
    UNKNOWN_STORE = "SW2003", "an unknown store",
        "The first part of a dataset is a store of `steward.yaml`.";
    ARCHIVE_ELSEWHERE = "SW2004", "an archive on another server",
        "For now the archive must be in the same store as its source: copying and removing then commit together.";
    WRONG_FAMILY = "SW2005", "a store that holds other things",
        "A policy speaks of rows, keys or nodes, and its store holds something else: `lifecycle` governs tables and labels (a label is not archived: nothing could prove the copy), `keys` a \
         key-value store, `views` tables. Each kind of check says what it looks at.";
    NO_STEP = "SW2101", "a lifecycle policy that does nothing",
        "A lifecycle policy archives, deletes, or both. One that does neither would look like a rule and be none.";
    ZERO_PERIOD = "SW2102", "a period of zero",
        "A period of zero would make every row due at once. Give the age at which rows are due.";
    ARCHIVE_TO_ITSELF = "SW2103", "an archive that is its own source",
        "Rows cannot be archived into the dataset they are archived from, directly or through other policies.";
    NO_CLOCK = "SW2104", "a lifecycle policy without a clock",
        "How old a row is follows from a column that dates it. Nothing is guessed, because a wrong guess removes the wrong rows:\n\
         name it with `clock: created_at`. A policy that is kept in a policy table gets its clock from `policy_tables.clock`\n\
         or from a policy in a file with the same dataset and name.";
    DELETE_BEFORE_ARCHIVE = "SW2105", "deletion before archiving",
        "`delete` in a policy that archives acts on the archive, by the same clock; a row that may be deleted before it is archived would never be archived.\n\
         Periods are compared on the calendar: `30 days` is shorter than `1 month` in a month of 31 days.";
    DELETE_BEFORE_KEEP = "SW2106", "deletion before the promised minimum",
        "`keep_at_least` is a minimum before final removal; the longest over a dataset counts. Archiving is not removal and may come earlier.";
    DELETE_BEFORE_TAG = "SW2107", "deletion before a tag's retention",
        "The retention of a classified field is a minimum for the whole row before final removal; the longest over a dataset counts, and 0 means none.\n\
         A table that is archived carries its tags into the archive.";
    GUARD = "SW2108", "a guard that guards nothing or everything",
        "`max_rows` is at least 1, `max_percent` is more than 0 and at most 100. Above the guard a person approves a plan.";
    SAME_STEP_TWICE = "SW2109", "two policies with the same step on one dataset",
        "Both will be carried out, each by its own condition; the one with the shorter period decides where they overlap.";
    CLOCK_FORM = "SW2110", "a clock that contradicts itself",
        "A clock is a column's name, `{ column, zone }` for a time without a zone, or `{ column, unit }` for an integer. An integer is counted in UTC, so it takes no zone.";
    EMPTY_CONDITION = "SW2111", "an empty condition",
        "An empty `where` may have been meant to narrow the rule, and would mean all rows. Leave the key out if all rows are meant.";
    NEVER_ARCHIVED = "SW2112", "rows removed that another policy archives",
        "One policy archives rows of a dataset, another one removes them from it: whichever runs first decides, and what was removed is in no archive.\n\
         In one policy `delete` acts on the archive alone. Two policies go together where each has a `where` and no row is due by both.";
    ENDED_AND_PERMANENT = "SW2113", "keys that one policy ends and another calls permanent",
        "Two policies on the same pattern of keys: one says when they end, the other that they never do. Where the pattern of the permanent keys is\n\
         the narrower one, they are the exception, and that is no error.";
    TAG_TWICE = "SW2201", "a field classified twice",
        "A field has one classification over all files and policy tables.";
    SEALED_IN_ITSELF = "SW2202", "a field sealed into itself",
        "`sealed_in` names the column that holds the sealed value; it is another column than the plaintext's.";
    TABLE_CONTRADICTION = "SW2401", "a file contradicts a policy table",
        "A policy in a file with the dataset and name of a row may add what the row lacks (clock, guard, condition, cascade, create), and change nothing that the row says.";
    TABLE_VALUE = "SW2402", "a policy table's value that cannot be used",
        "Periods in policy tables are whole days greater than zero, or NULL for \"no such step\".\n\
         Sensitivity is low, medium, high or critical. Table names are names, never SQL.";
    ARCHIVE_LOCATION = "SW2403", "an archive location that cannot be used",
        "`archive_location` is a table: `table`, `schema.table`, or `store.schema.table`, in the row's own store. Object stores (`s3://…`) are not built yet.";
    PROTECTION_UNKNOWN = "SW2404", "an unknown protection method",
        "Policy tables may say `aes256_encryption`, `bcrypt_encryption` (read as: already hashed), `jwt_encryption` (a signed token), `access_control`, `none`.\n\
         Another method is refused: a field must not count as protected by something that steward cannot do.";

    CHECK_KIND = "SW2501", "a check of no kind, or of two",
        "One key says what a check looks for: `duplicate`, `missing`, `orphan_nodes`, `reference` and so on; exactly one of them stands in an entry.\n\
         `steward schema policy` lists them all with the keys that may stand beside them.";
    BOUND = "SW2502", "a bound that cannot be used",
        "`warn` and `fail` compare what a check counts with a number: `> 0`, `>= 5 %`, `< 100`.\n\
         A share needs `%` and is at most 100, a time its unit (`> 1000 ms`), a size its unit (`> 10 GB`), as the kind of check says.";
    BOUNDS_CROSS = "SW2503", "a warning that nobody can see",
        "A check that is beyond `fail` fails, whatever `warn` says. Where everything beyond `warn` is beyond `fail` too, the warning never comes,\n\
         and whoever waits for it meets the failure first: `warn: \"> 10\"` with `fail: \"> 5\"`. Let it warn before it fails, or leave `warn` out.";
    CHECK_CONTRADICTS = "SW2504", "a check that contradicts itself",
        "Each key is right by itself and together they mean nothing: a `range` whose `min` is above its `max` finds every number wrong.";
    CONDITION_TEXT = "SW2510", "a condition, query or statement of which not all would count",
        "All of a condition counts, or it is refused. A comment (`--`, `/* */`, on MySQL `#`) would take the rest of it away; a placeholder (`?`, `:x`, `@x`, `$1`)\n\
         has no value, and some stores take it for NULL; a variable of the session, a second statement and a call that acts (`SLEEP`, `GET_LOCK`,\n\
         `nextval`) have no place where somebody only asks. Each store's own words decide: `?` is an operator of PostgreSQL, and `#` a comment of MySQL.";
    WHERE_UNUSED = "SW2511", "a `where` that would change nothing",
        "This kind of check looks at no rows of one dataset, so a condition would be read by nobody and look like a rule.\n\
         A `reference` takes a `where` at each end, a query of your own says itself what it counts, `overdue` goes by its policies.";
    // Jobs
    JOB_NAME = "SW3001", "a file name that is no job name",
        "A job is called like its file: lowercase letters, digits and `-`, at most 52 characters, beginning and ending with a letter or digit.\n\
         The name is also the `run-job` word, the lock, the log field and the CronJob's name.";
    JOB_TWICE = "SW3002", "two files for one job",
        "`name.yaml` and `name.yml` are the same job. Keep one.";
    UNKNOWN_ACTION = "SW3003", "an unknown action",
        "The action decides what a job does. `steward jobs` lists them.";
    NO_POLICY = "SW3004", "a job without policies",
        "`policies` lists names or globs (`*`, `?`); each must match a policy with the job's step. A match on nothing is more often a slip than a wish.";
    POLICY_LACKS_STEP = "SW3005", "a job names a policy without its step",
        "An `archive` job needs policies with `archive:`, a `delete` job such with `delete:`. Globs skip policies without the step; a literal name is a mistake.";
    SCHEDULE = "SW3006", "a schedule that cannot be read",
        "Five fields: minute, hour, day of month, month, day of week. When both days are given either one matches, as everywhere else.";
    TIMEZONE = "SW3007", "an unknown time zone",
        "Names of the IANA database: `Europe/Amsterdam`, `Asia/Shanghai`, `UTC`. Abbreviations such as `CST` mean several zones and are not used.";
    POLICY_UNKNOWN_YET = "SW3008", "a policy that may be in a policy table",
        "The job names a policy that no file declares. The policy tables were not read, so it may be there; `steward validate --connect` knows.";
    ADDRESS = "SW3009", "an address that mail cannot go to",
        "An address is `name@domain`, or `Name <name@domain>`.";
    BUDGET = "SW3010", "a budget or lag of zero",
        "A job without time does nothing. Leave the key out if there is no limit.";
    AFTER = "SW3011", "a job that comes after what cannot end before it",
        "`after` names jobs that must have ended, where they are due in the same night, before this one starts under `steward serve`.\n\
         Each is a job of this configuration, and none may come after this one in its turn: both would wait for good.";

    // Stores
    NOT_THERE = "SW4001", "a store or table that is not there",
        "Names match the catalogue exactly, letter case included: a near miss is suggested and never used. A dataset is `store.table` or\n\
         `store.schema.table`; without a schema the connection's own is meant. SQLite has no schemas.";
    NO_COLUMN = "SW4002", "a column that is not there",
        "A clock, a key or an archive needs a column that the table does not have. Names match exactly, letter case included.";
    NO_KEY = "SW4003", "a table without a usable key",
        "Rows are told apart by the primary key, or by a unique index over NOT NULL columns; floating-point columns are not compared.\n\
         Without one a row could be removed in another's place, so nothing is moved or removed.";
    CLOCK_UNFIT = "SW4004", "a clock that does not date a row",
        "A clock is a date, datetime or timestamp, or an integer with its `unit` (s, ms, us). A SQLite column promises no type, so its\n\
         values decide: all integers, or all ISO text of one form. Mixed forms do not compare and are refused.";
    TABLE_UNFIT = "SW4005", "a table that cannot be governed",
        "Views, foreign, unlogged, temporary and virtual tables, and engines without transactions: a stop in the middle would lose or double rows.";
    DENIED = "SW4006", "a right that is missing",
        "The store's user lacks a right. `steward plan JOB --sql` prints the statements and the grants that they need.";
    CONDITION = "SW4007", "a condition that does not work",
        "`where` is one boolean expression in the store's own language. It may hold no second statement, comment or open bracket; the store\n\
         must accept it both bare and in parentheses, so that it can neither widen nor escape the predicate it becomes part of.";
    NO_ARCHIVE = "SW4008", "an archive table that is not there",
        "The archive is a table of its own. Make it with the statement shown, or write `create: true` and the first run makes it.";
    ARCHIVE_UNFIT = "SW4009", "an archive that cannot take every row unchanged",
        "Each column of the source must be there, of the same type or a wider one of its data_model; no other column may demand a value; and a\n\
         unique index must cover the source's key, or a row archived twice would not be seen.";
    MARK_UNFIT = "SW4015", "a column that cannot be set so",
        "`set` writes into an expired row, which stays. The column must be there, take the value as it is written, and be neither computed,\n\
         nor part of the key, nor the column that says when a row expires, nor what a foreign key points at.";
    VIEW_UNFIT = "SW4016", "a view that cannot be refreshed so",
        "A materialized view is refreshed while others read it, which needs a unique index over plain columns of all its rows; \
         `concurrently: false` lets readers wait instead.\n\
         A summary table is filled by statements that insert into it or delete from it, and touch no other table; what cannot be rolled back is refused.";
    IDLE_UNKNOWN = "SW4020", "nobody knows how long keys were idle",
        "Where `maxmemory-policy` counts uses (`…-lfu`) the server does not keep the time of the last one, and nothing is guessed.\n\
         Beyond 194 days the server's own clock for this has gone round once. And before Redis 7.2 reading a value, which `id: value` needs,\n\
         is itself a use of the key. Leave `idle` out, or let `ttl` do it.";
    NO_OWNERS = "SW4021", "no owner is there at all",
        "`belongs_to` finds keys whose owner is gone. When not one owner of many keys is there, or the owners' table is empty, it is\n\
         far more likely that the column is the wrong one, or that the table was just restored, than that everybody is gone.\n\
         Nothing is removed then. Once the owners are there again the next run does its work; keys of a table that is empty for good are removed\n\
         by a policy with `without_ttl: remove` or a `ttl`. Owners that are keys themselves have no table to be empty: there it is twenty\n\
         owners of whom none is there. That can be true for an hour, on a small site at night; the keys end by their own time to live then.";
    NO_LIMIT = "SW4022", "no limit, and so no share of it",
        "A share of memory needs a limit. Redis and Valkey have none unless `maxmemory` is set; the machine's memory is the limit then, and\n\
         at its end the process is killed.";
    CHECK_UNFIT = "SW4025", "a check that does not fit what it looks at",
        "The check is written well and cannot be measured there: a range of a column that holds no numbers, the connections of a file,\n\
         a number that the store was not told to keep. What is not known is no pass, so the check ends as `error`, with the reason.";
    LOGIN = "SW4030", "a login that is refused",
        "The store does not let the user in with this password, so what `stores` says of it is wrong, or the account is locked or was taken away.\n\
         Trying again would not help, and may lock the account. `steward doctor` tries every login.";
    STRANGER = "SW4031", "an address where something else answers",
        "The store's address leads to a server that speaks another protocol: another database, a web page, or one that insists on TLS where the\n\
         url does not ask for it, or knows none where it does. Look at scheme, host and port of its `url`.";
    HIERARCHY = "SW4040", "a table that holds rows of other tables",
        "A table of PostgreSQL from which others inherit reads their rows as its own, without the columns that they alone have; so does a\n\
         partitioned table with partitions on other servers or without a log. Name as datasets the tables that hold the rows themselves.";
    HIDDEN = "SW4041", "something that the account may not see",
        "MySQL and MariaDB show foreign keys, triggers and columns only to accounts with certain rights. What would go along with a row, or fire\n\
         when it goes, is then not known, and what cannot be seen is never taken for absent. The message names the rights and the GRANTs.";
    RULE = "SW4042", "a rule that rewrites a statement",
        "A rule of PostgreSQL puts another statement in the place of a DELETE, UPDATE or INSERT of ours, or beside it. What was removed could\n\
         then not be told. Write it as a trigger: triggers are named in the plan, and what they leave is looked at before the commit.";
    RETURNS = "SW4043", "a foreign key that leads back to its own table",
        "A foreign key with CASCADE, SET NULL or SET DEFAULT leads from the table back to itself, by one step or several. Removing a row that is due\n\
         would remove or change rows that are not due, or held. Declare it with RESTRICT or NO ACTION: leaves then go before their parents.";
    SETTING = "SW4044", "a setting that changes what a removal does",
        "Settings that change the meaning of a statement are set for each session. This one is not the session's to change, so it has to be\n\
         changed for the account or the server.";
    ROWS_HIDDEN = "SW4045", "rows that may be hidden by row level security",
        "The account sees a table of PostgreSQL through policies. Rows that they leave out would be taken for absent: nothing due, no owner, no\n\
         finding. Let it see every row: BYPASSRLS, or ownership of the table without FORCE ROW LEVEL SECURITY.";
    UNDONE = "SW4046", "something undid or changed what a batch did",
        "Right before its commit a batch is looked at again where triggers may fire: its rows must be gone, and their copies in the archive must be\n\
         what was read back. Something changed that, so the batch was rolled back. Look at the triggers that the message names.";
    LOOK_WRITES = "SW4050", "a look that would write",
        "Plans, dry runs, checks and the tests of conditions and holds happen in sessions that can only read. A condition or query that calls a\n\
         function which writes, directly or by way of a view or another function, is refused there, and the real run is refused with it:\n\
         asked twice, it would write twice.";
    VOLATILE = "SW4051", "a condition that calls what has effects or gives another answer each time",
        "A condition is asked several times for each row: when rows are counted, found, locked and removed. A function that writes, moves a sequence,\n\
         takes a lock, waits, or answers at random would act each time, or say yes when rows are shown and no when they go.\n\
         On PostgreSQL that is every function declared VOLATILE (its default): declare your own STABLE or IMMUTABLE where that is true,\n\
         and write `now()` for `clock_timestamp()`.";
    OWNERS_UNSEEN = "SW4060", "owners that are not all seen",
        "Keys are removed when their owner is gone, so a table of owners must show every owner there is. A replica may not have all rows yet,\n\
         a partition or an inherited child has a part of them, a view or a row level security policy may hide some, and of a column of floats,\n\
         dates or JSON nobody knows how a key writes its values. `belongs_to` names the table itself, on the primary, by a column of whole\n\
         numbers, UUIDs, text or bytes. A store of keys that is asked for owners must say that it is a primary (`INFO replication`).\n\
         One id that cannot be read as a value of the column (`abc` for a number, a UUID without hyphens for a UUID) is refused to nobody: its\n\
         key is counted as one without a readable owner, and left alone.";
    PARTIAL_SIGHT = "SW4061", "an account that does not see all of a graph",
        "Outside the Community edition Neo4j hides nodes, relations and properties that an account may not read, without an error: a node may\n\
         seem to have no relations, a hold may find nothing to hold, and an id may seem to be missing. So the account must be allowed to read all\n\
         of the graph, `GRANT MATCH {*} ON GRAPH name ELEMENTS * TO role`, and nothing of it may be denied (`SHOW USER PRIVILEGES`).";
    AUDIT_UNFIT = "SW4063", "a SYSTEM_LOG of another shape",
        "Where a store has a table `audit_log.SYSTEM_LOG` (SQLite: `SYSTEM_LOG`), each run that changed something leaves a row of `level`, `message` and\n\
         `metadata` there. A table of that name that lacks one of these columns, or that wants values in others, is the application's own:\n\
         nothing is written into it, and the report says so. The ledger has all of it.";

    NOT_COVERED = "SW4070", "a hold, tag or minimum on what is not there",
        "A hold, a tag or `keep_at_least` names a table, column or label that the store does not have, or a view, which keeps no rows. What it was\n\
         meant for is not known and may be what a job is about to remove, so no job removes anything from that database until it is corrected.\n\
         Names match exactly, letter case and schema included. What an account may not see looks as if it were not there: the help names the grant.";
    POOLER = "SW4085", "a pooler that allows no transactions",
        "steward works through a pooler in transaction or session mode: each of its statements runs in a transaction, with settings that end with\n\
         it, and nothing is prepared under a name. In statement mode a pooler refuses every transaction, so nothing can be proved before it is\n\
         removed. Give steward's user or database another `pool_mode`, or let `url` name PostgreSQL itself.";
    READ_ONLY = "SW4086", "a store that takes no writes",
        "What removes or changes rows needs a store that it may write to. This one is a replica, or a setting of the account, the database or the\n\
         server makes it read-only, or the file or its folder may not be written. steward sets no such setting aside, not even where its account\n\
         could. Checks and plans of checks go on: they only read.";
    NOT_TAKEN = "SW4087", "a statement that the store does not take",
        "Before a run the store is asked to plan the statements of a batch, with the conditions of the policy and of holds as they stand there. What\n\
         it takes in a query it may refuse in a removal: MySQL and MariaDB let no subquery read the table that is changed. A derived table\n\
         may: `id IN (SELECT id FROM (SELECT DISTINCT id FROM orders WHERE …) d)`.";
    NO_IDENTITY = "SW4088", "a published table without a replica identity",
        "A table in a publication of PostgreSQL's logical replication must say of each row that is removed or changed which one it was: by its primary\n\
         key, or by the index or all columns that its replica identity names. Without one the server refuses the change, in the table itself and\n\
         in those whose rows go or change along by foreign keys. ALTER TABLE … REPLICA IDENTITY USING INDEX …; or FULL.";
    // Runs
    GUARDED = "SW5001", "more rows than one run may take",
        "A guard counts before anything is touched, and refuses rather than trims: default 100,000 rows and 20 % of the dataset.\n\
         Look at `steward plan JOB --out FILE`; if it is right, `steward run-job JOB --plan FILE` does exactly that. `--yes` never approves a guard.";
    CASCADE = "SW5002", "rows of other tables would go along",
        "A foreign key would remove or blank rows of another table. `cascade: allow` in the policy permits it; the plan counts them.";
    PLAN_STALE = "SW5003", "a plan file that approves nothing now",
        "A plan is good for 24 hours, and only while policies, holds, columns, cutoff and counts are what they were. Plan again.";
    CONFLICT = "SW5004", "rows whose archived namesake is different",
        "The archive holds other content under the same key. Nothing is overwritten and the row stays. Compare both.\n\
         Two things that got the same key one after the other, as where a key is given again, both stay: give the live row another key. One thing that\n\
         was changed after it was archived: settle by hand which content is right. Removing the archived row would lose it.";
    LEASE_HELD = "SW5005", "the job is running already",
        "One run of a job at a time. The message names the run, its process, and since when. A lock whose process is gone frees itself.";
    NO_EVIDENCE = "SW5006", "the ledger does not take what must be recorded",
        "Before each batch an intent is written, after it an outcome. A ledger that cannot be written refuses everything: what is not evidenced is not done.";
    NOTHING_SEEN = "SW5007", "a check that found nothing to look at",
        "Where rows, keys or nodes are expected and none are there, a check would pass for want of anything to complain about. It is an error\n\
         instead: the dataset may be the wrong one, its `where` may leave nothing, or the data may be gone. `row_count` checks for emptiness.";
    NOT_YET = "SW5010", "a time that has not come",
        "Rows are due by an instant: now, `--as-of`, or the one that a plan or an interrupted pass carries. Where it lies more than five minutes ahead\n\
         of this machine's clock or of the store's, nothing is removed or changed by it, whatever carries it. A plan may still count.\n\
         `steward doctor` shows how far a store's clock is from this machine's.";
    BATCH_MARK = "SW5011", "a mark of batches that is not this run's",
        "Each batch changes its job's row in `steward_batches`, in the dataset's own schema, with its own transaction; so what became of a batch whose\n\
         run died is read and not guessed. A table of that name with other columns is not touched. A row that another run changed\n\
         meanwhile ends the batch: two workers with ledgers of their own run the same job.";
    TIME_AHEAD = "SW5020", "a time that has not come",
        "What measures from a time ahead of this machine's clock removes rows that are young today: a plan made with `--as-of` in the future, or a clock that\n\
         was wrong for a while. `plan` and `--dry-run` look at any time; nothing is changed by one that has not come. Correct the clock, or plan again.";
    PLAN_USED = "SW5021", "a plan file that was used already",
        "A plan is approved for one run. Once a run under it has begun a batch it is used up, however that run ended: what is due now is for a person to look at\n\
         anew. `steward runs RUN` tells what the run did that used it.";
    BLOCKED = "SW5030", "rows that rows of another table keep",
        "A foreign key of another table refers to the rows, and refuses their removal (RESTRICT, NO ACTION). They are known before anything is tried\n\
         and stay; the others go. Give the other table a policy in the same job, whose datasets go children first, or leave the rows out by the\n\
         condition that the message shows. What refers to them then, and for how long, is a matter of your own.";
    LOCKED = "SW5031", "rows that another transaction holds",
        "A row that another transaction has changed, or locked, and not let go of is not waited for: the others go, and it is tried again at the\n\
         end of the run, for some seconds. What is held still then stays, and the next run takes it. It is temporary: 75 where nothing else was done.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_in_order_and_explained() {
        for pair in CATALOGUE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
        }
        for entry in CATALOGUE {
            let digits = entry.code.0.strip_prefix("SW").unwrap();
            assert!(digits.len() == 4 && digits.bytes().all(|c| c.is_ascii_digit()), "{}", entry.code);
            assert!(entry.explanation.len() > 40 && entry.title.len() > 5, "{}", entry.code);
            assert_eq!(explained(&entry.code.0.to_lowercase()), Some(entry));
        }
    }

    #[test]
    fn what_is_no_code_is_not_explained() {
        assert_eq!(explained("SW9999"), None);
    }
}
