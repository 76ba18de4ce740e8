//! Copies in a cache and the users they belong to.

use super::stores::{BOTH, address, cache_address, compared, end, fill, sorted};
use crate::support::database::Database;
use crate::support::engine::Engine;
use crate::support::keyspace::{KeyServer, Keyspace};
use chrono::Utc;
use std::time::Duration;
use steward::reference::compare::{Asked, Compared};
use steward::store::error::StoreFailure;

struct Sandbox {
    core: Database,
    cache: Keyspace,
    _folder: tempfile::TempDir,
}

impl Sandbox {
    fn new(engine: Engine, server: KeyServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { core: Database::new(engine, folder.path()), cache: Keyspace::new(server), _folder: folder }
    }

    /// Compares the ids of a pattern with `core.users.id`.
    fn compare(&self, pattern: &str, asked: Asked) -> Result<Compared, StoreFailure> {
        let addresses = vec![address("core", &self.core.url()), cache_address(&self.cache)];
        let from = end(&format!("cache.\"{}{pattern}\"", self.cache.prefix));
        compared(addresses, (&from, &end("core.users.id")), asked, asked.settle.map(|_| Utc::now()))
    }
}

#[test]
fn a_copy_whose_user_is_gone_is_found_on_every_server() {
    for (server, engine) in
        [(KeyServer::Redis, Engine::Mysql), (KeyServer::Valkey, Engine::Postgres), (KeyServer::Cluster, Engine::Mariadb)]
    {
        let sandbox = Sandbox::new(engine, server);
        sandbox.core.sql("CREATE TABLE users (id bigint NOT NULL PRIMARY KEY)");
        fill(&sandbox.core, "users", "id", (1..=3_000).filter(|id| id % 1_000 != 7).map(|id: u32| id.to_string()));
        let keys: String = (1..=2_500).map(|id| format!("SET {{{{prefix}}}}cache:user:{id} x\n")).collect();
        sandbox.cache.seed(&keys);
        sandbox.cache.seed("SET {{prefix}}cache:user:007 x\nSET {{prefix}}cache:user:Li x\nSET {{prefix}}cache:user: x\nSET {{prefix}}cache:job:9999 x");
        sandbox.cache.seed("SET \"{{prefix}}cache:user:\\xff\\x00\" x");
        let found = sandbox.compare("cache:user:{id}", Asked { both_ways: false, ..BOTH }).unwrap();
        assert_eq!(sorted(&found.from), ["007", "1007", "2007", "7", "Li"], "{server:?}");
        assert_eq!((found.from.seen, found.from.unreadable, found.to.missing), (2_502, 1, 0), "{server:?}");
        let both = sandbox.compare("cache:user:{id}", BOTH).unwrap();
        assert_eq!(both.to.missing, 500, "{server:?}: users without a copy");
        let open = sandbox.compare("cache:*:{id}", Asked { both_ways: false, ..BOTH }).unwrap();
        assert!(open.from.missing > 0, "{server:?}");
    }
}

#[test]
fn a_copy_that_goes_while_it_is_looked_at_is_no_finding() {
    let sandbox = Sandbox::new(Engine::Sqlite, KeyServer::Redis);
    sandbox.core.sql("CREATE TABLE users (id integer PRIMARY KEY); INSERT INTO users VALUES (1)");
    sandbox.cache.seed("SET s:1 x\nSET s:2 x\nSET s:3 x\nSET s:4 x");
    let found = std::thread::scope(|scope| {
        let comparing = scope.spawn(|| {
            sandbox.compare("s:{id}", Asked { both_ways: false, settle: Some(Duration::from_secs(4)), ..BOTH }).unwrap()
        });
        std::thread::sleep(Duration::from_secs(2));
        sandbox.cache.seed("DEL s:2");
        sandbox.core.sql("INSERT INTO users VALUES (3)");
        comparing.join().unwrap()
    });
    assert_eq!((sorted(&found.from), found.waited_for), (vec!["4".to_owned()], 3));
}

#[test]
fn a_cache_that_is_away_is_named() {
    let sandbox = Sandbox::new(Engine::Sqlite, KeyServer::Redis);
    sandbox.core.sql("CREATE TABLE users (id integer PRIMARY KEY); INSERT INTO users VALUES (1)");
    let from = end("cache.s:{id}");
    let dead = format!("redis://127.0.0.1:{}/0", crate::promises::dead_port());
    let failure =
        compared(vec![address("core", &sandbox.core.url()), address("cache", &dead)], (&from, &end("core.users.id")), BOTH, None);
    let failure = failure.unwrap_err();
    assert!(failure.is_temporary() && failure.to_string().contains("`cache`"), "{failure}");
}
