//! A database of a random name for one test; gone when the test ends, however it ends.

use super::engine::Engine;
use super::wait::wait;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row, TypeInfo, ValueRef};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A row as text: NULL is none; what is not UTF-8 is `x'…'`.
pub type TextRow = Vec<Option<String>>;

/// A database for one test.
#[derive(Debug)]
pub struct Database {
    pub engine: Engine,
    /// Its name: `steward_t_…`; other databases whose names begin with it are dropped with it.
    pub name: String,
    file: Option<PathBuf>,
    server: Option<String>,
}

impl Database {
    /// A new one. SQLite's is a file in `folder`.
    pub fn new(engine: Engine, folder: &Path) -> Self {
        Self::on(engine, folder, engine.server())
    }

    /// The same on another server than the one that all tests share.
    pub fn on(engine: Engine, folder: &Path, server: Option<String>) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("steward_t_{}", &id[..16]);
        let file = (engine == Engine::Sqlite).then(|| folder.join("store.db"));
        let database = Self { engine, name, file, server };
        match engine {
            Engine::Sqlite => database.sql("PRAGMA journal_mode = WAL"),
            Engine::Postgres => database.admin(&format!("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", database.name)),
            Engine::Mysql | Engine::Mariadb => {
                database.admin(&format!("CREATE DATABASE {} CHARACTER SET utf8mb4", database.name))
            }
        }
        database
    }

    /// Its URL, password included: `sqlite:/…/store.db`, `postgres://…/steward_t_…`, `mysql://…`.
    pub fn url(&self) -> String {
        match (&self.file, &self.server) {
            (Some(file), _) => format!("sqlite:{}", file.display()),
            (None, Some(server)) => with_database(server, &self.name),
            (None, None) => unreachable!("only SQLite has no server"),
        }
    }

    /// SQLite's file.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Runs a script. Panics with the engine's own words when it fails.
    pub fn sql(&self, script: &str) {
        self.try_sql(script).unwrap_or_else(|error| panic!("{} refuses the script: {error}\n{script}", self.engine.name()));
    }

    /// Runs a script.
    pub fn try_sql(&self, script: &str) -> Result<(), sqlx::Error> {
        run(self.engine, &self.url(), script)
    }

    /// The rows of a query, as the engine itself writes them.
    pub fn rows(&self, query: &str) -> Vec<TextRow> {
        self.try_rows(query).unwrap_or_else(|error| panic!("{} refuses the query: {error}\n{query}", self.engine.name()))
    }

    /// The rows of a query.
    pub fn try_rows(&self, query: &str) -> Result<Vec<TextRow>, sqlx::Error> {
        fetch(self.engine, &self.url(), query)
    }

    /// A single value of a query.
    pub fn value(&self, query: &str) -> Option<String> {
        self.rows(query).into_iter().next().and_then(|row| row.into_iter().next().flatten())
    }

    /// A count.
    pub fn count(&self, query: &str) -> u64 {
        self.value(query).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("not a count: {query}"))
    }

    /// Its URL for another account.
    pub fn url_as(&self, user: &str, password: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").expect("a server's URL");
        let (_, address) = rest.split_once('@').expect("an account in the URL");
        format!("{scheme}://{user}:{password}@{address}")
    }

    /// Runs a script as the server's administrator, in no database of ours.
    pub fn admin(&self, script: &str) {
        let server = self.server.as_ref().expect("a server");
        run(self.engine, server, script).unwrap_or_else(|error| panic!("{}: {error}: {script}", self.engine.name()));
    }

    fn drop_all(&self) -> Result<(), sqlx::Error> {
        let Some(server) = &self.server else { return Ok(()) };
        let like = format!("{}%", self.name.replace('_', "\\_"));
        let all = match self.engine {
            Engine::Postgres => format!("SELECT datname::text FROM pg_database WHERE datname LIKE '{like}'"),
            _ => format!(
                "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '{}'",
                like.replace('\\', "\\\\")
            ),
        };
        let force = if self.engine == Engine::Postgres { " WITH (FORCE)" } else { "" };
        for name in fetch(self.engine, server, &all)?.into_iter().flatten().flatten() {
            // A transaction that is still open there must not keep the tests waiting.
            let soon = if self.engine.is_mysql() { "SET SESSION lock_wait_timeout = 20; " } else { "" };
            run(self.engine, server, &format!("{soon}DROP DATABASE IF EXISTS {}{force}", self.engine.quote(&name)))?;
        }
        // An account with the printed grants, if there was one.
        run(
            self.engine,
            server,
            &match self.engine {
                Engine::Postgres => format!("DROP ROLE IF EXISTS {}_u", self.name),
                _ => format!("DROP USER IF EXISTS '{}_u'@'%'", self.name),
            },
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A panic here, while a test's own panic is on its way, would end the process and say nothing.
        if let Err(error) = self.drop_all() {
            eprintln!("database {} was not dropped: {error}", self.name);
        }
    }
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, String::new()), |(address, query)| (address, format!("?{query}")));
    let server = address.rfind('/').filter(|at| address[..*at].contains("://") && !address[..*at].ends_with(":/"));
    format!("{}/{name}{query}", server.map_or(address, |at| &address[..at]))
}

fn run(engine: Engine, url: &str, script: &str) -> Result<(), sqlx::Error> {
    let sql = AssertSqlSafe(script.to_owned());
    let url = url.to_owned();
    wait(async move {
        match engine {
            Engine::Sqlite => sqlx::raw_sql(sql).execute(&mut sqlite(&url).await?).await.map(drop),
            Engine::Postgres => {
                let mut link = PgConnection::connect(&url).await?;
                sqlx::raw_sql(sql).execute(&mut link).await?;
                link.close().await
            }
            Engine::Mysql | Engine::Mariadb => {
                let mut link = MySqlConnection::connect(&url).await?;
                sqlx::raw_sql(sql).execute(&mut link).await?;
                link.close().await
            }
        }
    })
}

fn fetch(engine: Engine, url: &str, query: &str) -> Result<Vec<TextRow>, sqlx::Error> {
    let sql = AssertSqlSafe(query.to_owned());
    let url = url.to_owned();
    wait(async move {
        match engine {
            Engine::Sqlite => {
                let rows = sqlx::raw_sql(sql).fetch_all(&mut sqlite(&url).await?).await?;
                rows.iter().map(sqlite_row).collect()
            }
            Engine::Postgres => {
                let mut link = PgConnection::connect(&url).await?;
                let rows = sqlx::raw_sql(sql).fetch_all(&mut link).await?;
                let texts = rows.iter().map(|row| (0..row.columns().len()).map(|at| row.try_get_unchecked(at)).collect());
                let texts = texts.collect();
                link.close().await?;
                texts
            }
            Engine::Mysql | Engine::Mariadb => {
                let mut link = MySqlConnection::connect(&url).await?;
                let rows = sqlx::raw_sql(sql).fetch_all(&mut link).await?;
                let text = |row: &sqlx::mysql::MySqlRow, at| {
                    Ok::<Option<Vec<u8>>, sqlx::Error>(row.try_get_unchecked(at)?).map(|bytes| bytes.map(readable))
                };
                let texts = rows.iter().map(|row| (0..row.columns().len()).map(|at| text(row, at)).collect()).collect();
                link.close().await?;
                texts
            }
        }
    })
}

async fn sqlite(url: &str) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true).foreign_keys(false);
    SqliteConnection::connect_with(&options).await
}

fn sqlite_row(row: &sqlx::sqlite::SqliteRow) -> Result<TextRow, sqlx::Error> {
    let text = |at: usize| {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            return Ok(None);
        }
        let class = raw.type_info().name().to_owned();
        Ok(Some(match class.as_str() {
            "INTEGER" | "BOOLEAN" => row.try_get_unchecked::<i64, _>(at)?.to_string(),
            "REAL" => row.try_get_unchecked::<f64, _>(at)?.to_string(),
            "BLOB" => hex(&row.try_get_unchecked::<Vec<u8>, _>(at)?),
            _ => row.try_get_unchecked(at)?,
        }))
    };
    (0..row.columns().len()).map(text).collect()
}

fn readable(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| hex(error.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    format!("x'{}'", hex::encode_upper(bytes))
}
