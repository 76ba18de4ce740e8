//! What stands in a run's way: locks that somebody else holds, servers that fall silent.

use crate::support::database::Database;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Another session of the database, in the middle of a transaction; dropped, it rolls back.
pub struct Session {
    runtime: Runtime,
    link: Option<Link>,
}

enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

impl Session {
    /// Begins a transaction and runs a statement in it.
    pub fn begin(database: &Database, statement: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let url = database.url();
        let link = runtime.block_on(async {
            if url.starts_with("sqlite:") {
                let options = SqliteConnectOptions::from_str(&url).expect("a url").busy_timeout(Duration::from_secs(30));
                SqliteConnection::connect_with(&options).await.map(Link::Sqlite)
            } else if url.starts_with("postgres") {
                PgConnection::connect(&url).await.map(Link::Postgres)
            } else {
                MySqlConnection::connect(&url).await.map(Link::Mysql)
            }
        });
        let mut session = Self { runtime, link: Some(link.expect("a connection")) };
        session.run(if url.starts_with("sqlite:") { "BEGIN IMMEDIATE" } else { "BEGIN" }).expect("a transaction");
        session.run(statement).expect("the statement");
        session
    }

    /// Runs another statement in it.
    pub fn run(&mut self, statement: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(statement.to_owned());
        self.runtime.block_on(async {
            match self.link.as_mut().expect("open") {
                Link::Sqlite(link) => sqlx::raw_sql(sql).execute(link).await.map(drop),
                Link::Postgres(link) => sqlx::raw_sql(sql).execute(link).await.map(drop),
                Link::Mysql(link) => sqlx::raw_sql(sql).execute(link).await.map(drop),
            }
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let link = self.link.take();
        self.runtime.block_on(async {
            let _ = match link {
                Some(Link::Sqlite(link)) => link.close().await,
                Some(Link::Postgres(link)) => link.close().await,
                Some(Link::Mysql(link)) => link.close().await,
                None => Ok(()),
            };
        });
    }
}

/// How a [`Line`] behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// Everything passes, both ways.
    Open = 0,
    /// A COMMIT passes; its answer, and everything after it, does not.
    SwallowsCommits = 1,
    /// Nothing passes any more; nobody is told.
    Silent = 2,
    /// Both sides are told that it is over.
    Cut = 3,
    /// Everything passes, a little later.
    Slow = 4,
}

/// A line to a server that can fall silent; unencrypted, so that it can see a COMMIT.
pub struct Line {
    port: u16,
    mood: Arc<AtomicU8>,
    passed: Arc<AtomicU64>,
}

/// What a line does to what passes one way.
struct Way {
    mood: Arc<AtomicU8>,
    /// Bytes that reached the server; none counts the way back.
    passed: Option<Arc<AtomicU64>>,
}

impl Line {
    /// To the server of a URL.
    pub fn to(url: &str) -> Self {
        let server = address(url);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mood = Arc::new(AtomicU8::new(Mood::Open as u8));
        let (moods, passed) = (mood.clone(), Arc::new(AtomicU64::new(0)));
        let count = passed.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let (Ok(client_2), Ok(server_2)) = (client.try_clone(), server.try_clone()) else { continue };
                let there = Way { mood: moods.clone(), passed: Some(count.clone()) };
                let back = Way { mood: moods.clone(), passed: None };
                std::thread::spawn(move || pass(client, server, &there));
                std::thread::spawn(move || pass(server_2, client_2, &back));
            }
        });
        Self { port, mood, passed }
    }

    /// The URL by way of this line.
    pub fn url(&self, url: &str) -> String {
        let plain = if url.starts_with("postgres") { "sslmode=disable" } else { "ssl-mode=DISABLED" };
        let (address, _) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = address.split_once("://").expect("a url");
        let (user, rest) = rest.rsplit_once('@').expect("a user");
        let (_, database) = rest.split_once('/').expect("a database");
        format!("{scheme}://{user}@127.0.0.1:{}/{database}?{plain}", self.port)
    }

    /// Where it is, for a URL that names the server itself.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Bytes that went to the server so far.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    /// Changes how it behaves from now on.
    pub fn become_(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    /// How it behaves now.
    pub fn is(&self, mood: Mood) -> bool {
        self.mood.load(Ordering::SeqCst) == mood as u8
    }
}

impl Drop for Line {
    /// What it kept from the server ends there: a transaction that nobody ends would keep the database from being dropped.
    fn drop(&mut self) {
        self.become_(Mood::Cut);
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn address(url: &str) -> String {
    let rest = url.split_once("://").expect("a url").1;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['/', '?']).next().expect("a host").to_owned()
}

fn pass(mut from: TcpStream, mut to: TcpStream, way: &Way) {
    let is = |mood: Mood| way.mood.load(Ordering::SeqCst) == mood as u8;
    let mut buffer = vec![0; 65_536];
    // A look ends with a COMMIT, too, on PostgreSQL: the one that is meant is a batch's.
    let mut has_removed = false;
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 {
            break;
        }
        let bytes = &buffer[..read];
        if is(Mood::Slow) {
            std::thread::sleep(Duration::from_millis(5));
        }
        while is(Mood::Silent) {
            std::thread::sleep(Duration::from_millis(10));
        }
        has_removed |= holds(bytes, b"DELETE FROM") && !holds(bytes, b"EXPLAIN");
        if way.passed.is_some() && is_commit(bytes) {
            if has_removed && is(Mood::SwallowsCommits) {
                way.mood.store(Mood::Silent as u8, Ordering::SeqCst);
            }
            has_removed = false;
        }
        if is(Mood::Cut) || to.write_all(bytes).is_err() {
            break;
        }
        if let Some(passed) = &way.passed {
            passed.fetch_add(read as u64, Ordering::SeqCst);
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

/// Not `READ-COMMITTED` or `READ COMMITTED`, not `ON COMMIT DELETE ROWS`.
fn is_commit(bytes: &[u8]) -> bool {
    let at = bytes.windows(6).position(|window| window == b"COMMIT");
    at.is_some_and(|at| [&b"ON "[..], b"-", b"READ "].iter().all(|before| !bytes[..at].ends_with(before)))
}

/// A port where somebody listens and never answers. Kept for the life of the test.
pub fn black_hole() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// A port where nobody listens, nor anybody else will as long as the tests run: it is taken, and only not listened at.
pub fn dead_port() -> u16 {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let port = socket.local_addr().expect("an address").port();
    std::mem::forget(socket);
    port
}
