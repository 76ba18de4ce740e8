//! The orders fixture that the promises are tried on: orders, an archive, a job that moves what is older than a year.

use crate::support::engine::Engine;
use crate::support::sandbox::{Sandbox, URL};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use steward::action::{Action, Context};
use steward::actions;
use steward::actions::archive::ArchiveRows;
use steward::declarations::reading::Declarations;
use steward::ledger::Ledger;
use steward::ledger::event::{Event, OpenIntent};
use steward::policy::hold::Hold;
use steward::store::address::{StoreAddress, StoreLocation};
use steward::store::registry::Stores;

/// The policy `orders`, with room for more lines of its own.
pub fn policy(more: &str) -> String {
    format!(
        "lifecycle:\n  - name: orders\n    dataset: core.orders\n    clock: created_at\n    \
         archive: {{ after: 1 year, to: core.orders_archive, create: true }}\n    \
         guard: {{ max_rows: 10000000, max_percent: 100 }}\n{more}"
    )
}

/// The policy `orders` that deletes instead.
pub const DELETE: &str = "lifecycle:\n  - name: orders\n    dataset: core.orders\n    clock: created_at\n    \
                          delete: { after: 1 year }\n    guard: { max_rows: 10000000, max_percent: 100 }\n";

/// The policy `orders` under `sessions` or `cache`, with room for more lines of its own: orders end a year after they were made.
pub fn expiring(section: &str, more: &str) -> String {
    format!(
        "{section}:\n  - name: orders\n    dataset: core.orders\n    expires: created_at\n    after: 1 year\n    \
         guard: {{ max_rows: 10000000, max_percent: 100 }}\n{more}"
    )
}

/// A job of that action on the policy `orders`.
pub fn job(action: &str) -> String {
    format!("action: {action}\npolicies: [orders]\nmode: enforce\n")
}

/// A sandbox with the tables, the policy and the job `archive-orders`; no rows yet.
pub fn open(engine: Engine) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    sandbox.sql(&tables(engine, "orders"));
    sandbox.policy("orders", &policy(""));
    sandbox.job("archive-orders", &job("archive"));
    sandbox
}

/// The same with this many orders that are due, and a few that are not.
pub fn open_with(engine: Engine, due: u64) -> Sandbox {
    let sandbox = open(engine);
    fill(&sandbox, due);
    sandbox
}

/// The table of that name, as every engine reads it.
pub fn tables(engine: Engine, name: &str) -> String {
    let (time, text, tail) =
        (engine.word("datetime6").expect("a word"), engine.word("text").expect("a word"), engine.word("table").expect("a word"));
    format!(
        "CREATE TABLE {name} (id integer NOT NULL PRIMARY KEY, customer varchar(60) NOT NULL, \
         amount decimal(20,4) NOT NULL, note {text}, created_at {time}) {tail}; \
         CREATE INDEX {name}_created ON {name} (created_at);"
    )
}

/// Puts in that many due orders, numbered from 1, and five young ones, one without a date among the last.
pub fn fill(sandbox: &Sandbox, due: u64) {
    let rows: Vec<u64> = (1..=due).collect();
    for chunk in rows.chunks(2_000) {
        sandbox.sql(&insert("orders", chunk));
    }
    sandbox.sql(
        "INSERT INTO orders (id, customer, amount, note, created_at) VALUES \
         (900001, 'young', 1, NULL, '2099-01-01 00:00:00'), (900002, 'young', 1, '', '2099-01-01 00:00:00'), \
         (900003, 'young', 1, 'x', '2099-01-01 00:00:01'), (900004, 'young', 1, 'y', '2099-01-02 00:00:00'), \
         (900005, 'undated', 1, 'z', NULL)",
    );
}

/// The statement that puts in due orders of those numbers.
pub fn insert(table: &str, ids: &[u64]) -> String {
    let mut sql = format!("INSERT INTO {table} (id, customer, amount, note, created_at) VALUES ");
    for (at, id) in ids.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let note = if id % 7 == 0 { "NULL".to_owned() } else { format!("'note {id} \u{1f600} it''s'") };
        let date = format!("20{:02}-{:02}-{:02}", 1 + id % 20, 1 + id % 12, 1 + id % 28);
        let _ = write!(
            sql,
            "{comma}({id}, 'customer {}', {id}.0625, {note}, '{date} {:02}:{:02}:00')",
            id * 31 % 977,
            id % 24,
            id % 60
        );
    }
    sql
}

/// Orders and their archive together, one row a line, sorted: the same before and after, whatever moved.
pub fn everything(sandbox: &Sandbox) -> Vec<String> {
    let mut rows = lines(&sandbox.database.dump("orders"));
    if archive_is_there(sandbox) {
        rows.extend(lines(&sandbox.database.dump_without("orders_archive", &["steward_batch"])));
    }
    rows.sort();
    rows
}

/// Whether the archive was made.
pub fn archive_is_there(sandbox: &Sandbox) -> bool {
    sandbox.database.try_rows("SELECT 1 FROM orders_archive WHERE 1 = 0").is_ok()
}

fn lines(dump: &str) -> Vec<String> {
    dump.lines().skip(1).map(str::to_owned).collect()
}

/// How many orders are there.
pub fn orders(sandbox: &Sandbox) -> u64 {
    sandbox.database.count("SELECT COUNT(*) FROM orders")
}

/// The same for a table that was dropped and made anew.
pub fn slow_down_again(sandbox: &Sandbox, table: &str, event: &str) {
    if sandbox.database.engine == Engine::Postgres {
        sandbox.sql(&format!("DROP FUNCTION IF EXISTS slow_{table}_{}()", event.to_lowercase()));
    }
    slow_down(sandbox, table, event);
}

/// Makes every row that enters or leaves a table take its time, so that a batch lasts long enough to be caught.
pub fn slow_down(sandbox: &Sandbox, table: &str, event: &str) {
    let engine = sandbox.database.engine;
    let name = format!("slow_{table}_{}", event.to_lowercase());
    sandbox.sql(&match engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN \
             SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) SELECT i FROM n); END"
        ),
        Engine::Postgres => format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.0001); \
             IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        ),
        Engine::Mysql | Engine::Mariadb => {
            format!("CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW DO SLEEP(0.0001)")
        }
    });
}

/// Makes the archive beforehand, as `create: true` would.
pub fn make_archive(sandbox: &Sandbox) {
    let text = sandbox.database.engine.word("text").expect("a word");
    sandbox.sql(&tables(sandbox.database.engine, "orders_archive"));
    sandbox.sql(&format!(
        "ALTER TABLE orders_archive ADD COLUMN steward_batch {}",
        if sandbox.database.engine.is_mysql() { "varchar(64)" } else { text }
    ));
}

// The ledger, asked from outside

/// Waits for a future from anywhere.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// Asks the sandbox's ledger something, read only.
pub fn ask<T>(sandbox: &Sandbox, question: impl AsyncFnOnce(&Ledger) -> T) -> T {
    wait(async {
        let ledger = Ledger::open_existing(&sandbox.path("state/steward.db")).await.expect("a ledger").expect("a ledger");
        let answer = question(&ledger).await;
        ledger.close().await;
        answer
    })
}

/// Batches that were begun and not closed.
pub fn open_batches(sandbox: &Sandbox, job: &str) -> Vec<OpenIntent> {
    if !sandbox.path("state/steward.db").exists() {
        return vec![];
    }
    wait(async {
        // A process that died while making the ledger leaves a file that is none yet.
        let Ok(Some(ledger)) = Ledger::open_existing(&sandbox.path("state/steward.db")).await else { return vec![] };
        let open = ledger.open_intents(job).await.expect("open intents");
        ledger.close().await;
        open
    })
}

/// Every event, oldest first.
pub fn events(sandbox: &Sandbox) -> Vec<Event> {
    let links = ask(sandbox, async |ledger| ledger.events(None).await.expect("events"));
    links.iter().map(|link| link.event().expect("an event of ours")).collect()
}

/// The evidence is whole.
#[track_caller]
pub fn must_be_whole(sandbox: &Sandbox) {
    let verification = ask(sandbox, async |ledger| ledger.verify(None).await.expect("a verification"));
    assert!(verification.is_whole(), "{:?}", verification.faults);
}

/// Rows that the ledger says were moved: outcomes, and batches settled as applied.
pub fn told_archived(sandbox: &Sandbox) -> u64 {
    let told = events(sandbox).into_iter().map(|event| match event {
        Event::Outcome { counts, .. } => counts.by_key("archived").unwrap_or(0),
        Event::Settled { verdict, rows, .. } if verdict == "applied" => rows,
        _ => 0,
    });
    told.sum()
}

/// Keeps a SQLite file's write lock until it is dropped.
pub struct Busy {
    runtime: tokio::runtime::Runtime,
    link: Option<SqliteConnection>,
}

impl Busy {
    /// Takes it; waits for others.
    pub fn new(file: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let link = runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(30));
            let mut link = SqliteConnection::connect_with(&options).await.expect("a connection");
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut link).await.expect("the write lock");
            link
        });
        Self { runtime, link: Some(link) }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            self.runtime.block_on(async {
                let _ = link.close().await;
            });
        }
    }
}

// The library, from inside

/// What an action sees: the sandbox's own declarations, no runner around it.
pub fn context(sandbox: &Sandbox, job: &str, holds: Vec<Hold>) -> Context {
    let url = sandbox.url();
    let variable = |name: &str| (name == URL).then(|| url.clone());
    let read = Declarations::read(&sandbox.path("steward.yaml"), &variable, &actions::registry());
    let (declarations, _) = read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let job = Arc::new(declarations.job(job).expect("the job").clone());
    Context::new("run".into(), job, Arc::new(stores(&url)), Arc::new(declarations.policies), holds)
}

fn stores(url: &str) -> Stores {
    let at = match url.strip_prefix("sqlite:") {
        Some(path) => StoreLocation::File(Path::new(path).to_owned()),
        None => StoreLocation::Server { url: url.to_owned().into(), user: None, password: None, ca: None },
    };
    let address = StoreAddress {
        name: "core".into(),
        at,
        lock_timeout: Duration::from_secs(1),
        statement_timeout: Duration::from_secs(20),
        connections: 4,
    };
    Stores::new([address]).expect("stores")
}

/// The action `archive` on the first policy of a job, prepared, as of now.
pub async fn archive(cx: &Context) -> ArchiveRows {
    let target = ArchiveRows::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
    let action = ArchiveRows::prepare(cx, &target, chrono::Utc::now()).await.expect("prepared");
    action.begin(cx).await.expect("begun");
    action
}
