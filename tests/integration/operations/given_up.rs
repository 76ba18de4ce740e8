//! What is left on a server when a run is given up.

use super::serving::signal;
use crate::service::until;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn a_check_that_is_stopped_leaves_no_query_running_on_postgres() {
    let sandbox = Sandbox::new(Engine::Postgres);
    let long = "select count(*), 1 from generate_series(1, 200000) a, generate_series(1, 200000) given_up_by_a_test";
    sandbox.policy("checks", &format!("checks:\n  - {{ name: slow, dataset: core, sql: \"{long}\", fail: \"> 5\" }}\n"));
    sandbox.job("look", "action: check-quality\npolicies: [slow]\n");
    let database = &sandbox.database.name;
    let running = format!(
        "select count(*) from pg_stat_activity where state = 'active' and datname = '{database}' and query like '%given_up_by_a_test%' and pid <> pg_backend_pid()"
    );
    let mut run =
        sandbox.command(["run-job", "look"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    until("the query", Duration::from_secs(20), || sandbox.database.count(&running) == 1);
    for _ in 0..2 {
        signal(run.id(), "TERM");
        std::thread::sleep(Duration::from_millis(300));
    }
    run.wait().expect("its end");
    until("the query is gone", Duration::from_secs(30), || sandbox.database.count(&running) == 0);
}
