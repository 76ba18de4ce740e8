//! A server that takes small packets only.

use super::setup::{governs, words};
use crate::support::engine::Engine;
use crate::support::pair::Own;
use crate::support::sandbox::Sandbox;

#[test]
fn long_keys_and_wide_rows_move_in_one_run_where_a_packet_is_a_megabyte_at_most() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let server = Own::alone(engine);
        server.sql("SET GLOBAL max_allowed_packet = 1048576");
        let sandbox = Sandbox::on(engine, &server.url());
        let columns = "id varchar(700) NOT NULL PRIMARY KEY, created_at {{datetime}}, note longtext";
        sandbox.sql(&words(
            engine,
            &format!("CREATE TABLE pa ({columns}) {{{{table}}}}; CREATE TABLE arch ({columns}) {{{{table}}}}"),
        ));
        sandbox.sql("CREATE TABLE d (n int); INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)");
        sandbox.sql(
            "INSERT INTO pa SELECT CONCAT(REPEAT('k', 690), a.n, b.n, c.n, e.n), '2020-01-01 00:00:00', REPEAT('x', IF(a.n + b.n + c.n = 0, 600000, 10)) \
             FROM d a, d b, d c, d e WHERE e.n < 6",
        );
        for archive in [Some("core.arch"), None] {
            if archive.is_none() {
                sandbox.sql("INSERT INTO pa SELECT * FROM arch WHERE id LIKE '%5'");
            }
            governs(&sandbox, archive, "");
            sandbox.steward(["run-job", "j"]).must_end(0);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 0, "{}", engine.name());
        }
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 6_000, "{}", engine.name());
        assert_eq!(sandbox.database.count("SELECT SUM(LENGTH(note)) FROM arch"), 6 * 600_000 + 5_994 * 10, "{}", engine.name());
    }
}
