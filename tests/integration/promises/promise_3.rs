//! A second run does nothing. A dry run touches nothing, and shows what the real run would do.

use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::collections::BTreeMap;

on_every_engine!(a_second_run_does_nothing, |engine: Engine| {
    for (action, policy, count) in every_action() {
        let sandbox = orders_fixture::open_with(engine, 1_200);
        sandbox.policy("orders", &policy);
        std::fs::remove_file(sandbox.path("jobs/archive-orders.yaml")).expect("the fixture's own job");
        sandbox.job("nightly", &orders_fixture::job(action));
        let first = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert_eq!(first["datasets"][0][count], 1_200, "{first:#}");
        let (tables, events) = (everything(&sandbox), orders_fixture::events(&sandbox).len());
        let second = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert_eq!(second["datasets"][0][count], 0, "{second:#}");
        assert_eq!(second["datasets"][0]["due"], 0, "{second:#}");
        assert_eq!(everything(&sandbox), tables, "{action}");
        assert_eq!(
            orders_fixture::events(&sandbox).len(),
            events + 3,
            "a run that does nothing says that it began, its lock, and how it ended"
        );
    }
});

on_every_engine!(a_dry_run_touches_nothing, |engine: Engine| {
    let holds = "holds:\n  - { name: case-1, dataset: core.orders, where: \"id in (3, 17)\", because: litigation }\n";
    for (action, policy, count) in every_action() {
        let sandbox = orders_fixture::open_with(engine, 600);
        sandbox.policy("orders", &(policy + holds));
        std::fs::remove_file(sandbox.path("jobs/archive-orders.yaml")).expect("the fixture's own job");
        sandbox.job("nightly", &orders_fixture::job(action));
        let (tables, files) = (everything(&sandbox), files(&sandbox));

        let dry = sandbox.steward(["run-job", "nightly", "--dry-run", "--json", "--as-of", "2026-01-01"]).must_end(0).json();
        assert_eq!(everything(&sandbox), tables, "{action}: the store is not as it was");
        assert_eq!(self::files(&sandbox), files, "{action}: files were left behind");
        assert!(!orders_fixture::archive_is_there(&sandbox), "an archive was made");
        assert_eq!(orders_fixture::open_batches(&sandbox, "nightly"), []);

        let real = sandbox.steward(["run-job", "nightly", "--json", "--as-of", "2026-01-01"]).must_end(0).json();
        let (dry, real) = (&dry["datasets"][0], &real["datasets"][0]);
        for number in ["due", "left", "cutoff", "holds", "total", "oldest", "period", "query", "index"] {
            assert_eq!(dry[number], real[number], "{action}: `{number}` is another in the dry run");
        }
        assert_eq!(dry["due"], 600);
        assert_eq!(real[count], 598, "{real:#}");
        assert_eq!(real["left"]["held"], 2, "{real:#}");
        assert_eq!(real["left"]["undated"], 1, "{real:#}");
        assert!(dry[count].is_null() || dry[count] == 0, "{dry:#}");
    }
});

on_every_engine!(a_plan_touches_nothing_and_makes_no_ledger, |engine: Engine| {
    let sandbox = orders_fixture::open_with(engine, 50);
    let tables = everything(&sandbox);
    let planned = sandbox.steward(["plan", "--json"]).must_end(0).json();
    assert_eq!(planned["jobs"][0]["datasets"][0]["due"], 50, "{planned:#}");
    sandbox.steward(["plan", "--exit-code", "--sql"]).must_end(6);
    assert_eq!(everything(&sandbox), tables);
    assert!(!sandbox.path("state").exists(), "a plan made a state folder");
});

on_every_engine!(
    /// `observe` is a dry run that is recorded and reported.
    a_job_that_observes_touches_no_store_and_is_recorded,
    |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 50);
        sandbox.job("archive-orders", "action: archive\npolicies: [orders]\n");
        let tables = everything(&sandbox);
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
        assert_eq!(everything(&sandbox), tables);
        assert!(!orders_fixture::archive_is_there(&sandbox), "an archive was made");
        assert!(sandbox.path("state/reports").is_dir(), "an observing run is reported");
        let kinds: Vec<String> = orders_fixture::events(&sandbox).iter().map(|event| event.text().expect("a text").0).collect();
        assert_eq!(kinds, ["lease_taken", "run_started", "run_ended"]);
    }
);

/// Actions on the policy `orders`, each with its declaration and the count that says how many rows went or changed.
pub fn every_action() -> [(&'static str, String, &'static str); 5] {
    [
        ("archive", orders_fixture::policy(""), "removed"),
        ("delete", orders_fixture::DELETE.to_owned(), "removed"),
        ("expire-sessions", orders_fixture::expiring("sessions", ""), "expired"),
        ("expire-sessions", orders_fixture::expiring("sessions", "    set: { customer: over, note: null }\n"), "expired"),
        ("sweep-cache", orders_fixture::expiring("cache", ""), "swept"),
    ]
}

/// Every table there is, byte for byte, whoever made it.
pub fn everything(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let tables = match sandbox.database.engine {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Engine::Postgres => "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        Engine::Mysql | Engine::Mariadb => "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
    };
    let names = sandbox.database.rows(tables).into_iter().flatten().flatten();
    names.map(|name| (name.clone(), sandbox.database.dump(&name))).collect()
}

/// Every file of the sandbox that is not the store's own or the ledger's.
pub fn files(sandbox: &Sandbox) -> Vec<String> {
    let mut found = vec![];
    let mut folders = vec![sandbox.path("")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.ends_with(".locks") {
                folders.push(path);
            } else if path.is_file() && !name.starts_with("store.db") && !name.starts_with("steward.db") {
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    found
}
