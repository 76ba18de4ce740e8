//! Keys for one test, on Redis, on its cluster or on Valkey; gone when the test ends, however it ends.

use super::address::{Address, configured};
use super::words::{word, words};
use redis::{
    Cmd, Connection, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a server may take to connect, and to answer.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);
/// Seconds after which the database of a test that was killed is free again.
const LEASE: u32 = 3600;

/// An entry of the slow log: number, time, microseconds, words, address, client's name.
pub type SlowCall = (i64, i64, u64, Vec<Vec<u8>>, String, String);

/// A server of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyServer {
    Redis,
    Valkey,
    Cluster,
}

impl KeyServer {
    pub const fn all() -> [Self; 3] {
        [Self::Redis, Self::Valkey, Self::Cluster]
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Redis => "STEWARD_TEST_REDIS_URL",
            Self::Valkey => "STEWARD_TEST_VALKEY_URL",
            Self::Cluster => "STEWARD_TEST_REDIS_CLUSTER_URL",
        }
    }
}

/// Keys for one test: a database of its own, so that patterns may be what they are in earnest (`cache:user:*`); on the
/// cluster, which has one database only, a prefix of its own.
#[derive(Debug)]
pub struct Keyspace {
    pub server: KeyServer,
    pub address: Address,
    /// What the key names of this test begin with: nothing, except on the cluster. `{{prefix}}` in scripts.
    pub prefix: String,
    /// The number of its database; none on the cluster.
    pub database: Option<i64>,
    info: ConnectionInfo,
    token: String,
}

impl Keyspace {
    /// An empty one.
    pub fn new(server: KeyServer) -> Self {
        let url = configured(server.variable());
        let info = url.as_str().into_connection_info().unwrap_or_else(|error| panic!("{}: {error}", server.variable()));
        let token = format!("steward-t-{}", uuid::Uuid::new_v4().simple());
        let prefix = if server == KeyServer::Cluster { format!("{token}:") } else { String::new() };
        let mut keyspace = Self { server, address: Address::of(&url), prefix, database: None, info, token };
        if server != KeyServer::Cluster {
            keyspace.lease().unwrap_or_else(|error| panic!("{server:?} lends no database: {error}"));
        }
        keyspace
    }

    /// Its URL for a configuration, without the password: `redis://worker@127.0.0.1:6379/3`.
    pub fn url(&self) -> String {
        let Address { scheme, user, host, .. } = &self.address;
        let database = self.database.map(|number| format!("/{number}")).unwrap_or_default();
        format!("{scheme}://{user}{}{host}{database}", if user.is_empty() { "" } else { "@" })
    }

    /// Its URL with the password, for a driver.
    pub fn url_with_password(&self) -> String {
        let escaped: String = self.address.password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.url().replacen(&format!("{}@", self.address.user), &format!("{}:{escaped}@", self.address.user), 1)
    }

    /// Carries out a script: a command a line, words as a shell reads them (see [`words`]), `#` begins a comment line,
    /// `{{prefix}}` is this test's. Panics with the server's own words when it refuses one.
    pub fn seed(&self, script: &str) {
        let mut link = self.link();
        for (number, line) in script.lines().enumerate() {
            if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                let done: RedisResult<Value> = self.read(line).and_then(|command| link.ask(&command));
                done.unwrap_or_else(|error| panic!("{:?} refuses line {}: {error}\n{line}", self.server, number + 1));
            }
        }
    }

    /// What a command is answered: `keys.ask::<i64>("TTL cache:user:1")`.
    pub fn ask<T: FromRedisValue>(&self, line: &str) -> T {
        let answer = self.read(line).and_then(|command| self.link().ask(&command));
        answer.unwrap_or_else(|error| panic!("{:?} refuses: {error}\n{line}", self.server))
    }

    /// Every key, one a line, in the order of the names: name, type, `ttl` or `-`, and the whole value: words that
    /// [`words`] reads. Members of sets and fields of hashes stand in their order as bytes. How much of a TTL is left is
    /// not in it, nor are a stream's consumer groups and the TTLs of single fields.
    pub fn dump(&self) -> String {
        self.try_dump().unwrap_or_else(|error| panic!("{:?} does not give its keys: {error}", self.server))
    }

    fn try_dump(&self) -> RedisResult<String> {
        let mut lines = BTreeMap::new();
        for mut node in self.nodes()? {
            for key in self.keys(&mut node)? {
                if let Some(value) = contents(&mut node, &key)? {
                    lines.insert(key[self.prefix.len()..].to_vec(), value);
                }
            }
        }
        Ok(lines.iter().map(|(key, value)| format!("{} {value}\n", word(key))).collect())
    }

    /// The names of all keys of this test on a node, each once.
    fn keys(&self, node: &mut Connection) -> RedisResult<BTreeSet<Vec<u8>>> {
        let mut found = BTreeSet::new();
        let mut cursor = b"0".to_vec();
        loop {
            let pattern = format!("{}*", self.prefix);
            let page: (Vec<u8>, Vec<Vec<u8>>) =
                redis::cmd("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(1000).query(node)?;
            found.extend(page.1);
            cursor = page.0;
            if cursor == b"0" {
                return Ok(found);
            }
        }
    }

    /// Calls of steward since an instant that took a server longer than this, by its own clock, as far as it remembers.
    pub fn slow_calls(&self, since: chrono::DateTime<chrono::Utc>, over: Duration) -> Vec<String> {
        let mut slow = vec![];
        for mut node in self.nodes().expect("the servers") {
            let entries: Vec<SlowCall> = redis::cmd("SLOWLOG").arg("GET").arg(-1).query(&mut node).expect("SLOWLOG");
            let ours = entries.into_iter().filter(|entry| entry.5.starts_with("steward-") && entry.1 >= since.timestamp());
            let ours = ours.filter(|entry| Duration::from_micros(entry.2) > over);
            slow.extend(ours.map(|entry| {
                let words: Vec<_> = entry.3.iter().take(4).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
                format!("{} us: {}", entry.2, words.join(" "))
            }));
        }
        slow
    }

    fn read(&self, line: &str) -> RedisResult<Cmd> {
        let words = words(&line.replace("{{prefix}}", &self.prefix));
        let words = words.map_err(|fault| RedisError::from((redis::ErrorKind::Client, "the line cannot be read", fault)))?;
        let mut command = Cmd::new();
        for word in words {
            command.arg(word);
        }
        Ok(command)
    }

    fn link(&self) -> Link {
        let link = match self.server {
            KeyServer::Cluster => redis::cluster::ClusterClient::builder(vec![self.info.clone()])
                .connection_timeout(CONNECT)
                .response_timeout(ANSWER)
                .build()
                .and_then(|client| client.get_connection())
                .map(|link| Link::Cluster(Box::new(link))),
            _ => self.connect(self.info.clone(), self.database).map(|link| Link::One(Box::new(link))),
        };
        link.unwrap_or_else(|error| panic!("{:?} at {}: {error}", self.server, self.address.host))
    }

    fn connect(&self, info: ConnectionInfo, database: Option<i64>) -> RedisResult<Connection> {
        let settings = info.redis_settings().clone().set_db(database.unwrap_or(0));
        let link = redis::Client::open(info.set_redis_settings(settings))?.get_connection_with_timeout(CONNECT)?;
        link.set_read_timeout(Some(ANSWER))?;
        link.set_write_timeout(Some(ANSWER))?;
        Ok(link)
    }

    /// A connection to every server that holds keys: the one, or every primary of the cluster.
    fn nodes(&self) -> RedisResult<Vec<Connection>> {
        let mut any = self.connect(self.info.clone(), self.database)?;
        if self.server != KeyServer::Cluster {
            return Ok(vec![any]);
        }
        // `id host:port@bus flags …`
        let nodes: String = redis::cmd("CLUSTER").arg("NODES").query(&mut any)?;
        let fields = nodes.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let primaries = fields.filter(|fields| fields[2].split(',').any(|flag| flag == "master"));
        primaries
            .map(|fields| {
                let address = fields[1].split('@').next().unwrap_or_default();
                let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
                let port = port.parse().unwrap_or_else(|_| panic!("a node without a port: {address}"));
                self.connect(self.info.clone().set_addr(ConnectionAddr::Tcp(host.to_owned(), port)), None)
            })
            .collect()
    }

    /// Takes a database that no other test has; which ones are taken stands in database 0.
    fn lease(&mut self) -> RedisResult<()> {
        let mut link = self.connect(self.info.clone(), None)?;
        let databases: (String, i64) = redis::cmd("CONFIG").arg("GET").arg("databases").query(&mut link)?;
        let start = i64::from(uuid::Uuid::new_v4().as_bytes()[0]) * 7;
        for number in (0..databases.1 - 1).map(|at| 1 + (start + at) % (databases.1 - 1)) {
            let taken: Option<String> =
                redis::cmd("SET").arg(leased(number)).arg(&self.token).arg("NX").arg("EX").arg(LEASE).query(&mut link)?;
            if taken.is_some() {
                self.database = Some(number);
                return redis::cmd("FLUSHDB").query(&mut self.connect(self.info.clone(), self.database)?);
            }
        }
        Err(RedisError::from((redis::ErrorKind::Client, "other tests have all of them")))
    }

    fn remove(&self) -> RedisResult<()> {
        for mut node in self.nodes()? {
            if self.database.is_some() {
                redis::cmd("FLUSHDB").query::<()>(&mut node)?;
            } else {
                for key in self.keys(&mut node)? {
                    redis::cmd("UNLINK").arg(key).query::<()>(&mut node)?;
                }
            }
        }
        if let Some(number) = self.database {
            let if_ours = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end";
            let mut link = self.connect(self.info.clone(), None)?;
            redis::cmd("EVAL").arg(if_ours).arg(1).arg(leased(number)).arg(&self.token).query::<()>(&mut link)?;
        }
        Ok(())
    }
}

impl Drop for Keyspace {
    fn drop(&mut self) {
        // A panic here, while a test's own panic is on its way, would end the process and say nothing.
        if let Err(error) = self.remove() {
            eprintln!("the keys of {} on {:?} were not removed: {error}", self.token, self.server);
        }
    }
}

fn leased(number: i64) -> String {
    format!("steward-tests:database:{number}")
}

/// A connection that finds the node a key is on.
enum Link {
    One(Box<Connection>),
    Cluster(Box<redis::cluster::ClusterConnection>),
}

impl Link {
    fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::One(link) => command.query(link.as_mut()),
            Self::Cluster(link) => command.query(link.as_mut()),
        }
    }
}

/// Type, whether it expires, and value of a key; none when it has gone meanwhile.
fn contents(node: &mut Connection, key: &[u8]) -> RedisResult<Option<String>> {
    let kind: String = redis::cmd("TYPE").arg(key).query(node)?;
    let left: i64 = redis::cmd("PTTL").arg(key).query(node)?;
    let mut get = |words: &[&str]| -> RedisResult<Value> {
        let mut command = redis::cmd(words[0]);
        command.arg(key).arg(&words[1..]).query(node)
    };
    let (value, group) = match kind.as_str() {
        "none" => return Ok(None),
        "string" => (get(&["GET"])?, 0),
        "list" => (get(&["LRANGE", "0", "-1"])?, 0),
        "set" => (get(&["SMEMBERS"])?, 1),
        "hash" => (get(&["HGETALL"])?, 2),
        "zset" => (get(&["ZRANGE", "0", "-1", "WITHSCORES"])?, 0),
        "stream" => (get(&["XRANGE", "-", "+"])?, 0),
        _ => (get(&["DUMP"])?, 0),
    };
    let expires = if left == -1 { "-" } else { "ttl" };
    Ok(Some(format!("{kind} {expires} {}", texts(&value, group).join(" "))))
}

/// A value's parts as words, sorted in groups of so many where their order means nothing.
fn texts(value: &Value, group: usize) -> Vec<String> {
    let mut parts = vec![];
    collect(value, &mut parts);
    if group > 0 {
        let mut groups: Vec<&[String]> = parts.chunks(group).collect();
        groups.sort();
        parts = groups.concat();
    }
    parts
}

fn collect(value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::BulkString(bytes) => parts.push(word(bytes)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, parts)),
        other => parts.push(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = r#"
# one of every type, names and values of every kind
SET "{{prefix}}a key\nof\x00\xff" "\x00\xffvalue" EX 100
SET {{prefix}}plain ''
HSET {{prefix}}hash b 2 a 1
RPUSH {{prefix}}list z y z
SADD {{prefix}}set q p
ZADD {{prefix}}zset 2 two 1.5 'one and a half'
XADD {{prefix}}stream 1-1 field value
PEXPIRE {{prefix}}hash 3600000
"#;

    const DUMP: &str = r#""a key\x0aof\x00\xff" string ttl "\x00\xffvalue"
"hash" hash ttl "a" "1" "b" "2"
"list" list - "z" "y" "z"
"plain" string - ""
"set" set - "p" "q"
"stream" stream - "1-1" "field" "value"
"zset" zset - "one and a half" "1.5" "two" "2"
"#;

    #[test]
    fn what_is_seeded_is_what_is_dumped_and_every_change_shows() {
        for server in KeyServer::all() {
            let keys = Keyspace::new(server);
            assert_eq!(keys.dump(), "", "{server:?} begins empty");
            keys.seed(SEED);
            assert_eq!(keys.dump(), DUMP, "{server:?}");
            for change in ["PERSIST {{prefix}}hash", "HSET {{prefix}}hash a 3", "DEL {{prefix}}plain", "LPUSH {{prefix}}list y"] {
                let before = keys.dump();
                keys.seed(change);
                assert_ne!(keys.dump(), before, "{server:?}: {change}");
            }
        }
    }

    #[test]
    fn tests_do_not_see_each_others_keys_and_leave_none() {
        for server in KeyServer::all() {
            let (one, other) = (Keyspace::new(server), Keyspace::new(server));
            one.seed("SET {{prefix}}cache:user:1 a");
            assert_eq!((one.dump().lines().count(), other.dump().as_str()), (1, ""), "{server:?}");
            assert_eq!(one.ask::<i64>("TTL {{prefix}}cache:user:1"), -1);
            let (number, prefix, token) = (one.database, one.prefix.clone(), one.token.clone());
            drop(one);
            let mut watcher = other;
            if let Some(number) = number {
                // Another test may have it by now.
                let mut zero = watcher.connect(watcher.info.clone(), None).unwrap();
                let holder: Option<String> = redis::cmd("GET").arg(leased(number)).query(&mut zero).unwrap();
                assert_ne!(holder, Some(token), "{server:?}");
            } else {
                watcher.prefix = prefix;
                assert_eq!(watcher.dump(), "");
            }
        }
    }

    #[test]
    fn a_hundred_keys_are_spread_over_the_cluster_and_all_found() {
        let keys = Keyspace::new(KeyServer::Cluster);
        keys.seed(&(0..100).map(|number| format!("SET {{{{prefix}}}}{number} {number}\n")).collect::<String>());
        assert_eq!(keys.dump().lines().count(), 100);
        let on_each: Vec<usize> = keys.nodes().unwrap().iter_mut().map(|node| keys.keys(node).unwrap().len()).collect();
        assert_eq!((on_each.len(), on_each.iter().sum::<usize>()), (3, 100));
        assert!(on_each.iter().all(|keys| *keys > 0), "{on_each:?}");
    }

    #[test]
    #[should_panic(expected = "refuses line 2")]
    fn a_seed_that_is_refused_says_so() {
        Keyspace::new(KeyServer::Redis).seed("SET a 1\nSET a");
    }

    #[test]
    fn a_driver_gets_in_by_the_url_with_the_password() {
        for server in KeyServer::all() {
            let keys = Keyspace::new(server);
            assert!(!keys.url().contains(&keys.address.password));
            let mut link = redis::Client::open(keys.url_with_password()).unwrap().get_connection().unwrap();
            assert_eq!(redis::cmd("PING").query::<String>(&mut link).unwrap(), "PONG");
        }
    }
}
