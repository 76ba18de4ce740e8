//! What was not done is reported: held, guarded, out of budget, NULL clock, changed meanwhile, in conflict, failed; and the
//! debt left.

use super::fault_proxy::Session;
use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::process::Stdio;
use std::time::{Duration, Instant};

mod what_was_not_done_is_reported {
    use super::*;

    on_every_engine!(
        /// One run with a row of nearly every kind: the sums come out, in the object, the text and the page.
        each_reason_with_its_number_and_the_debt,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 100);
            orders_fixture::make_archive(&sandbox);
            sandbox.policy(
                "orders",
                &(orders_fixture::policy("") + "holds:\n  - { name: case-114, dataset: core.orders, where: \"id in (10, 11, 12)\", because: litigation }\n"),
            );
            sandbox.sql("INSERT INTO orders_archive (id, customer, amount, note, created_at) SELECT id, 'another', amount, note, created_at FROM orders WHERE id IN (20, 21)");
            let report = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(3).json();
            let dataset = &report["datasets"][0];
            assert_eq!(dataset["due"], 100, "{report:#}");
            assert_eq!((&dataset["archived"], &dataset["removed"]), (&95.into(), &95.into()), "{report:#}");
            let left = &dataset["left"];
            assert_eq!((&left["held"], &left["undated"], &left["conflict"]), (&3.into(), &1.into(), &2.into()), "{report:#}");
            assert_eq!(dataset["debt"]["rows"], 2, "{report:#}");
            let oldest = sandbox.database.value("SELECT CAST(MIN(created_at) AS CHAR(10)) FROM orders WHERE id IN (20, 21)").expect("a date");
            assert!(dataset["debt"]["oldest"].as_str().is_some_and(|text| text.starts_with(&oldest[..10])), "{oldest}: {report:#}");

            let text = sandbox.steward(["run-job", "archive-orders"]).must_end(3).stdout;
            for words in ["case-114", "3 kept", "2 "] {
                assert!(text.contains(words), "`{words}` is not in the report:\n{text}");
            }
            let page = newest_page(&sandbox);
            for words in ["case-114", "id=20", "id=21"] {
                assert!(page.contains(words), "`{words}` is not on the page");
            }
        }
    );

    on_every_engine!(
        /// The budget ends the run between batches, the rest is told, the next run goes on with the same cutoff.
        out_of_budget,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 9_000);
            orders_fixture::make_archive(&sandbox);
            let before = orders_fixture::everything(&sandbox);
            orders_fixture::slow_down(&sandbox, "orders", "DELETE");
            orders_fixture::slow_down(&sandbox, "orders_archive", "INSERT");
            sandbox.job("archive-orders", &(orders_fixture::job("archive") + "budget: 1 s\n"));
            let first = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
            let dataset = &first["datasets"][0];
            let (removed, over) = (dataset["removed"].as_u64().expect("a number"), dataset["left"]["over_budget"].as_u64().expect("a number"));
            assert!(removed > 0 && over > 0, "{first:#}");
            assert_eq!(removed + over, 9_000, "{first:#}");
            assert_eq!(dataset["debt"]["rows"], over, "{first:#}");
            assert_eq!(orders_fixture::orders(&sandbox), over + 5);
            sandbox.job("archive-orders", &orders_fixture::job("archive"));
            let second = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
            assert_eq!(second["datasets"][0]["cutoff"], dataset["cutoff"], "a pass that goes on keeps its cutoff");
            assert_eq!(second["datasets"][0]["removed"], over);
            assert_eq!(orders_fixture::everything(&sandbox), before);
        }
    );

    on_every_engine!(
        /// There was no budget, so time is not the reason; the reason is named.
        rows_behind_failures_are_not_said_to_be_out_of_time,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 40);
            sandbox.sql("CREATE TABLE notes (id integer NOT NULL PRIMARY KEY, order_id integer NOT NULL, FOREIGN KEY (order_id) REFERENCES orders (id))");
            for id in 1..=30 {
                sandbox.sql(&format!("INSERT INTO notes VALUES ({id}, {id})"));
            }
            sandbox.policy("orders", orders_fixture::DELETE);
            sandbox.job("archive-orders", &orders_fixture::job("delete"));
            let ended = sandbox.steward(["run-job", "archive-orders"]).must_end(3);
            assert!(!ended.stdout.contains("time was used up") && !ended.stdout.contains("out of time"), "{ended}");
            let report = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(3).json();
            let left = &report["datasets"][0]["left"];
            assert_eq!(left["over_budget"], 0, "{report:#}");
            let stayed = ["failed", "not_reached", "blocked"].map(|why| left[why].as_u64().expect("a number"));
            assert_eq!(stayed.iter().sum::<u64>() + 5, orders_fixture::orders(&sandbox), "{report:#}");
            assert_eq!(stayed[1] > 0, report["datasets"][0]["not_reached"].is_string(), "{report:#}");
        }
    );

    on_every_engine!(
        /// A row that somebody holds locked and then changes: counted as changed, and it stays.
        changed_meanwhile,
        |engine: Engine| {
            if engine == Engine::Sqlite {
                return; // one writer at a time: `a_row_changed_meanwhile_stays_and_is_counted` shows it there
            }
            let sandbox = orders_fixture::open_with(engine, 50);
            orders_fixture::make_archive(&sandbox);
            let other = Session::begin(&sandbox.database, "UPDATE orders SET created_at = '2099-01-01 00:00:00' WHERE id = 5");
            let run = sandbox.command(["run-job", "archive-orders", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            let run = run.expect("the binary starts");
            let began = Instant::now();
            while orders_fixture::open_batches(&sandbox, "archive-orders").is_empty() {
                assert!(began.elapsed() < Duration::from_secs(20), "no batch was begun");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(200));
            let mut other = other;
            other.run("COMMIT").expect("the other's commit");
            let told: crate::support::sandbox::Ended = run.wait_with_output().expect("its end").into();
            let report = told.clone().must_end(0).json();
            assert_eq!(report["datasets"][0]["left"]["changed"], 1, "{told}");
            assert_eq!(report["datasets"][0]["removed"], 49, "{told}");
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id = 5"), 1);
        }
    );
}

fn newest_page(sandbox: &Sandbox) -> String {
    let mut pages: Vec<_> = std::fs::read_dir(sandbox.path("state/reports"))
        .expect("reports")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .collect();
    pages.sort();
    std::fs::read_to_string(pages.last().expect("a page")).expect("a page")
}
