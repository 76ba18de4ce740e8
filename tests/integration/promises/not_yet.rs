//! A time that has not come removes nothing, whatever carries it: the last line of defence, in the store's own layer.

use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use chrono::{DateTime, TimeDelta, Utc};
use steward::action::{Action, Batch};
use steward::actions::archive::ArchiveRows;
use steward::actions::delete::DeleteRows;
use steward::actions::expire::{Caches, Expire, Sessions};
use steward::store::error::StoreFailure;

on_every_engine!(
    /// Archived, removed, ended, marked: counted all the same. Three months ahead are refused although the cutoff itself, a
    /// year before, is past.
    a_time_that_has_not_come_changes_nothing,
    |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 20);
        orders_fixture::make_archive(&sandbox);
        let before = sandbox.database.dump("orders");
        refused::<ArchiveRows>(&sandbox, "archive", &orders_fixture::policy(""));
        refused::<DeleteRows>(&sandbox, "delete", orders_fixture::DELETE);
        refused::<Expire<Sessions>>(&sandbox, "expire-sessions", &orders_fixture::expiring("sessions", ""));
        refused::<Expire<Caches>>(&sandbox, "sweep-cache", &orders_fixture::expiring("cache", ""));
        refused::<Expire<Sessions>>(&sandbox, "expire-sessions", &orders_fixture::expiring("sessions", "    set: { note: over }\n"));
        assert_eq!(sandbox.database.dump("orders"), before);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive"), 0);
    }
);

on_every_engine!(
    /// A worker whose clock is a minute fast takes nothing that is not due by the store's clock.
    a_minute_ahead_is_a_clock_and_is_moved_back,
    |engine: Engine| {
        let sandbox = orders_fixture::open(engine);
        let soon = (Utc::now() + TimeDelta::seconds(60)).format("%Y-%m-%d %H:%M:%S");
        sandbox.sql(&orders_fixture::insert("orders", &[1, 2]));
        sandbox.sql(&format!("INSERT INTO orders (id, customer, amount, created_at) VALUES (3, 'soon', 1, '{soon}.000000')"));
        if engine == Engine::Sqlite {
            sandbox.sql("UPDATE orders SET created_at = substr(created_at, 1, 19)");
        }
        let policy = "sessions:\n  - { name: orders, dataset: core.orders, expires: created_at, guard: { max_rows: 9, max_percent: 100 } }\n";
        sandbox.policy("orders", policy);
        sandbox.job("archive-orders", &orders_fixture::job("expire-sessions"));
        apply::<Expire<Sessions>>(&sandbox, Utc::now() + TimeDelta::seconds(120)).expect("applied");
        assert_eq!(sandbox.database.rows("SELECT customer FROM orders"), [[Some("soon".to_owned())]]);
    }
);

fn refused<A: Action>(sandbox: &Sandbox, action: &str, policy: &str) {
    sandbox.policy("orders", policy);
    sandbox.job("archive-orders", &orders_fixture::job(action));
    for ahead in [TimeDelta::days(90), TimeDelta::days(30_000)] {
        let failure = apply::<A>(sandbox, Utc::now() + ahead).expect_err("it is refused");
        let code = matches!(&failure, StoreFailure::Refused { code, .. } if code.as_str() == "SW5010");
        assert!(code && failure.to_string().contains("this machine says"), "{action}: {failure}");
        // The file has no clock of its own.
        assert_eq!(failure.to_string().contains("store `core` says"), sandbox.database.engine != Engine::Sqlite, "{failure}");
    }
}

/// Counts, then carries out the first batch as a run would; both the beginning and the batch must refuse.
fn apply<A: Action>(sandbox: &Sandbox, as_of: DateTime<Utc>) -> Result<(), StoreFailure> {
    orders_fixture::wait(async {
        let cx = orders_fixture::context(sandbox, "archive-orders", vec![]);
        let target = A::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
        let action = A::prepare(&cx, &target, as_of).await.expect("prepared");
        assert!(action.survey(&cx).await.expect("counted").due >= 2);
        let page = action.next(&cx, None, 100).await.expect("a page").expect("rows");
        let begun = action.begin(&cx).await;
        let done = action.apply(&cx, &Batch { id: "batch-1".into(), page }).await;
        assert_eq!(begun.is_ok(), done.is_ok(), "{begun:?}, {done:?}");
        done.map(drop)
    })
}
