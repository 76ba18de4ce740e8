//! A cluster of a test's own, which it may break: three primaries, one of them with a replica.

use super::reach::url;
use crate::support::sandbox::Sandbox;
use redis::{FromRedisValue, Value};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The slots of the three primaries.
const RANGES: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

/// One of its servers.
pub struct Member {
    child: Child,
    pub port: u16,
    pub id: String,
}

/// The cluster. The last member is the replica of the first.
pub struct OwnCluster {
    pub members: Vec<Member>,
    _folder: tempfile::TempDir,
}

impl OwnCluster {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let members: Vec<Member> = (0..4).map(|_| member(folder.path())).collect();
        let cluster = Self { members, _folder: folder };
        for (number, (from, to)) in RANGES.iter().enumerate() {
            cluster.ask::<()>(number, &["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
        }
        for number in 1..4 {
            let port = cluster.members[number].port.to_string();
            cluster.ask::<()>(0, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus(cluster.members[number].port).to_string()]);
        }
        cluster.until("all know all", |cluster| {
            (0..4).all(|number| cluster.ask::<String>(number, &["CLUSTER", "NODES"]).lines().count() == 4)
        });
        let primary = cluster.members[0].id.clone();
        cluster.until("it has a replica", |cluster| cluster.try_ask::<Value>(3, &["CLUSTER", "REPLICATE", &primary]).is_ok());
        cluster.until("all is well", |cluster| {
            let well = |number| cluster.ask::<String>(number, &["CLUSTER", "INFO"]).contains("cluster_state:ok");
            (0..4).all(well) && cluster.ask::<String>(3, &["INFO", "replication"]).contains("master_link_status:up")
        });
        cluster
    }

    /// Makes it the store `cache` of a sandbox.
    pub fn takes_over(&self, sandbox: &Sandbox) {
        url(sandbox, &format!("redis://127.0.0.1:{}", self.members[1].port));
    }

    /// Where a driver finds it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.members[1].port)
    }

    /// Asks one of its servers something.
    pub fn ask<T: FromRedisValue>(&self, number: usize, words: &[&str]) -> T {
        self.try_ask(number, words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    fn try_ask<T: FromRedisValue>(&self, number: usize, words: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.members[number].port))?;
        let mut link = client.get_connection()?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut link)
    }

    /// Carries out commands wherever their keys are.
    pub fn seed(&self, commands: impl Iterator<Item = Vec<String>>) {
        let client = redis::cluster::ClusterClient::new(vec![self.url()]).unwrap();
        let mut link = client.get_connection().unwrap();
        for words in commands {
            redis::cmd(&words[0]).arg(&words[1..]).query::<()>(&mut link).unwrap();
        }
    }

    /// Keys of the primaries that are there now, counted on each of them.
    pub fn count(&self) -> u64 {
        let primaries: Vec<usize> = (0..4).filter(|number| self.is_primary(*number)).collect();
        primaries.iter().map(|number| self.ask::<u64>(*number, &["DBSIZE"])).sum()
    }

    fn is_primary(&self, number: usize) -> bool {
        self.try_ask::<String>(number, &["INFO", "replication"]).is_ok_and(|info| info.contains("role:master"))
    }

    /// Keys that begin so, on the primaries.
    pub fn names(&self, begin: &str) -> Vec<String> {
        let primaries = (0..4).filter(|number| self.is_primary(*number));
        primaries.flat_map(|number| self.ask::<Vec<String>>(number, &["KEYS", &format!("{begin}*")])).collect()
    }

    /// A slot begins to move: those of its keys that are still with `from` are answered there, the others with ASK.
    pub fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let slot = slot.to_string();
        self.ask::<()>(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.members[from].id]);
        self.ask::<()>(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.members[to].id]);
    }

    /// Moves so many of its keys.
    pub fn migrate(&self, slot: u16, from: usize, to: usize, most: u64) -> u64 {
        let keys: Vec<String> = self.ask(from, &["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), &most.to_string()]);
        if !keys.is_empty() {
            let port = self.members[to].port.to_string();
            let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            words.extend(keys.iter().map(String::as_str));
            self.ask::<Value>(from, &words);
        }
        keys.len() as u64
    }

    /// The slot has moved.
    pub fn end_move(&self, slot: u16, to: usize) {
        // The new owner first: a client that asks is never sent in a circle.
        for number in [to].into_iter().chain((0..3).filter(|number| *number != to)) {
            self.ask::<()>(number, &["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &self.members[to].id]);
        }
    }

    /// A whole slot, at once.
    pub fn move_slot(&self, slot: u16, from: usize, to: usize) {
        self.begin_move(slot, from, to);
        while self.migrate(slot, from, to, 100) > 0 {}
        self.end_move(slot, to);
    }

    /// The first primary dies; the others take its replica in its place.
    pub fn kill_the_first(&mut self) {
        self.members[0].child.kill().unwrap();
        self.members[0].child.wait().unwrap();
    }

    /// Waits until the replica is a primary, and all others know.
    pub fn until_promoted(&self) {
        self.until("the replica is promoted", |cluster| {
            let well = |number| {
                cluster.try_ask::<String>(number, &["CLUSTER", "INFO"]).is_ok_and(|info| info.contains("cluster_state:ok"))
            };
            cluster.is_primary(3) && (1..4).all(well)
        });
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.child.kill();
            let _ = member.child.wait();
        }
    }
}

/// Where the others speak to a server: a port that nobody has, next to its own.
const fn bus(port: u16) -> u16 {
    port + 1
}

fn member(folder: &std::path::Path) -> Member {
    // Both ports must be free: by default the second would be 10,000 above the first.
    let port = loop {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", bus(port))).is_ok() {
            break port;
        }
    };
    let folder = folder.join(port.to_string());
    std::fs::create_dir(&folder).unwrap();
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--cluster-enabled", "yes", "--cluster-node-timeout", "1500"])
        .args(["--repl-diskless-sync-delay", "0", "--port", &port.to_string(), "--cluster-port", &bus(port).to_string(), "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server, which `tests/run` installs");
    let began = Instant::now();
    let id = loop {
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
        let id = client.get_connection().and_then(|mut link| redis::cmd("CLUSTER").arg("MYID").query::<String>(&mut link));
        if let Ok(id) = id {
            break id;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not start");
        std::thread::sleep(Duration::from_millis(20));
    };
    Member { child, port, id }
}
