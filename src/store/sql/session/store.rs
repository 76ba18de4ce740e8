//! Opens sessions of SQL stores that behave: bounded, named, in UTC, strict.

use super::connection::{Access, Link, Session};
use crate::diagnostic::codes;
use crate::store::address::{StoreAddress, StoreLocation};
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::value::Cell;
use secrecy::ExposeSecret;
use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

/// A store.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: StoreAddress,
    pool: Pool,
    /// Those that its driver speaks.
    dialects: &'static [Dialect],
    dialect: OnceCell<Dialect>,
}

#[derive(Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    Mysql(MySqlPool),
}

/// Getting a connection ends after this: a dead server is reported within seconds, not after the driver's half minute.
const CONNECT: Duration = Duration::from_secs(8);

/// Who has no connection after this asks whether anybody listens at all.
const LISTENS: Duration = Duration::from_millis(250);

impl Store {
    /// Prepares a store whose driver speaks these dialects, at least one; nothing is contacted yet.
    pub(crate) fn new(address: StoreAddress, dialects: &'static [Dialect]) -> Result<Self, StoreFailure> {
        let wrong = |error: sqlx::Error| {
            let text = crate::store::error::without_values(&error.to_string());
            StoreFailure::refused(
                codes::NOT_THERE,
                format!("the url of store `{}` cannot be used: {text}", address.name),
                "see `stores` in steward.yaml",
            )
        };
        let pool = match &address.at {
            StoreLocation::File(path) => Pool::Sqlite(sqlite(path.clone(), &address)),
            StoreLocation::Server { url, user, password, ca } => {
                let url = url.expose_secret();
                let password = password.as_ref().map(ExposeSecret::expose_secret);
                if url.starts_with("postgres") {
                    Pool::Postgres(postgres(url, user.as_deref(), password, ca.as_ref(), &address).map_err(wrong)?)
                } else {
                    Pool::Mysql(mysql(url, user.as_deref(), password, ca.as_ref(), &address).map_err(wrong)?)
                }
            }
        };
        Ok(Self { inner: Arc::new(Inner { address, pool, dialects, dialect: OnceCell::new() }) })
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        &self.inner.address.name
    }

    /// Sessions that can be had at once.
    pub fn connections(&self) -> u32 {
        match &self.inner.pool {
            Pool::Sqlite(pool) => pool.options().get_max_connections(),
            Pool::Postgres(pool) => pool.options().get_max_connections(),
            Pool::Mysql(pool) => pool.options().get_max_connections(),
        }
    }

    /// The dialect of its driver: MySQL for MariaDB too, which only the server itself tells apart.
    pub fn driver(&self) -> Dialect {
        self.inner.dialects[0]
    }

    /// Where it is.
    pub fn location(&self) -> &StoreLocation {
        &self.inner.address.at
    }

    /// Its file; none on a server.
    pub fn path(&self) -> Option<&Path> {
        match self.location() {
            StoreLocation::File(path) => Some(path),
            StoreLocation::Server { .. } => None,
        }
    }

    /// The port of its address; none for a file and a socket.
    pub fn port(&self) -> Option<u16> {
        self.network_address().map(|(_, port)| port)
    }

    fn network_address(&self) -> Option<(String, u16)> {
        match &self.inner.pool {
            Pool::Sqlite(_) => None,
            Pool::Postgres(pool) => {
                let options = pool.connect_options();
                let is_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
                (!is_socket).then(|| (options.get_host().to_owned(), options.get_port()))
            }
            Pool::Mysql(pool) => {
                let options = pool.connect_options();
                options.get_socket().is_none().then(|| (options.get_host().to_owned(), options.get_port()))
            }
        }
    }

    /// Who we log in as; none for a file.
    pub fn user(&self) -> Option<String> {
        match &self.inner.pool {
            Pool::Sqlite(_) => None,
            Pool::Postgres(pool) => Some(pool.connect_options().get_username().to_owned()),
            Pool::Mysql(pool) => Some(pool.connect_options().get_username().to_owned()),
        }
    }

    /// True when it is on this machine, so that nothing travels.
    pub fn is_here(&self) -> bool {
        let here = |host: &str| {
            host.is_empty()
                || host.starts_with('/')
                || host == "localhost"
                || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        };
        match &self.inner.pool {
            Pool::Sqlite(_) => true,
            Pool::Postgres(pool) => here(pool.connect_options().get_host()),
            Pool::Mysql(pool) => here(pool.connect_options().get_host()),
        }
    }

    /// A session for a batch: short limits. `who` is shown to whoever watches the server (`archive-orders 0199…`).
    pub async fn session(&self, who: &str) -> Result<Session, StoreFailure> {
        self.open(who, self.inner.address.lock_timeout, self.inner.address.statement_timeout, Access::Write).await
    }

    /// A session for counting and looking: ten times the statement limit, and the server refuses it any write, whatever a
    /// condition, a view or a function in it would do. Held by `a_look_cannot_write`.
    pub async fn reading(&self, who: &str) -> Result<Session, StoreFailure> {
        self.open(who, self.inner.address.lock_timeout, self.inner.address.statement_timeout * 10, Access::Read).await
    }

    /// The limits of [`Self::reading`] for a look that must lock rows, or make a table of its own, to know.
    pub async fn locking(&self, who: &str) -> Result<Session, StoreFailure> {
        self.open(who, self.inner.address.lock_timeout, self.inner.address.statement_timeout * 10, Access::Write).await
    }

    /// A session for one long statement, with limits of its own; a lock is waited for as long as elsewhere when none is given.
    pub async fn patient(&self, who: &str, lock: Option<Duration>, statement: Duration) -> Result<Session, StoreFailure> {
        self.open(who, lock.unwrap_or(self.inner.address.lock_timeout), statement, Access::Write).await
    }

    async fn open(&self, who: &str, lock: Duration, statement: Duration, access: Access) -> Result<Session, StoreFailure> {
        let name = self.name();
        let link = tokio::select! {
            biased;
            link = tokio::time::timeout(CONNECT + Duration::from_secs(2), self.link()) => link
                .map_err(|_| StoreFailure::timed_out(name, CONNECT))?
                .map_err(|error| self.no_file().unwrap_or_else(|| StoreFailure::read(name, &error)))?,
            refused = self.refused() => return Err(refused),
        };
        let who: String =
            who.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ' | '.' | '_')).take(55).collect();
        let comment = self.driver().comment(&who);
        let fallback = self.driver();
        let known = self.inner.dialect.get().copied();
        let mut session =
            Session::new(name, known.unwrap_or(fallback), link, comment.clone(), statement + Duration::from_secs(5));
        if known.is_none() && self.inner.dialects.len() > 1 {
            let rows = session.rows("SELECT VERSION()", &[]).await?;
            let version = rows.first().and_then(|row| row.first()).map(Cell::shown).unwrap_or_default();
            let spoken = self.inner.dialects.iter().find(|dialect| dialect.answers_as(&version));
            session = session.speaking(spoken.copied().unwrap_or(fallback));
        }
        // Another session may have been first; they found the same.
        let dialect = *self.inner.dialect.get_or_init(|| async { session.dialect() }).await;
        let only_read = if access == Access::Read { dialect.only_read() } else { "" };
        let settings = format!("{}{only_read}", dialect.settings(&who, lock, statement));
        if dialect.sets_each_transaction() {
            session.set_each_transaction(settings);
        } else {
            session.raw(&settings).await?;
        }
        session.set_access(access);
        Ok(session)
    }

    /// Says so when nobody listens there; never returns otherwise.
    ///
    /// The driver's pool takes a refused connection for a server that starts up, and tries until its time is over. Ours may be
    /// dead for the night: the run is told, and it is the run that tries again.
    async fn refused(&self) -> StoreFailure {
        tokio::time::sleep(LISTENS).await;
        let Some(at) = self.network_address() else { return std::future::pending().await };
        match TcpStream::connect(at).await {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => StoreFailure::Away {
                store: self.name().to_owned(),
                text: "the connection was refused: nobody listens there".into(),
            },
            _ => std::future::pending().await,
        }
    }

    /// SQLite only says that it cannot open a file; that there is none is the usual reason.
    fn no_file(&self) -> Option<StoreFailure> {
        let StoreLocation::File(path) = self.location() else { return None };
        let text = format!("there is no file `{}`", path.display());
        (!path.exists()).then(|| StoreFailure::Away { store: self.name().to_owned(), text })
    }

    async fn link(&self) -> Result<Link, sqlx::Error> {
        Ok(match &self.inner.pool {
            Pool::Sqlite(pool) => Link::Sqlite(pool.acquire().await?),
            Pool::Postgres(pool) => Link::Postgres(pool.acquire().await?),
            Pool::Mysql(pool) => Link::Mysql(pool.acquire().await?),
        })
    }
}

fn sqlite(path: PathBuf, address: &StoreAddress) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(address.lock_timeout)
        .disable_statement_logging();
    // SQLite has one writer at a time whatever we do; a second connection is for looking.
    SqlitePoolOptions::new().max_connections(address.connections.min(2)).acquire_timeout(CONNECT).connect_lazy_with(options)
}

fn postgres(
    url: &str,
    user: Option<&str>,
    password: Option<&str>,
    ca: Option<&PathBuf>,
    address: &StoreAddress,
) -> Result<PgPool, sqlx::Error> {
    // PgBouncer refuses a connection that begins with settings it does not keep; ours are set with each transaction.
    let mut options = PgConnectOptions::from_str(url)?.extra_float_digits(None).disable_statement_logging();
    if options.get_application_name().is_none() {
        options = options.application_name("steward");
    }
    if let Some(user) = user {
        options = options.username(user);
    }
    if let Some(password) = password {
        options = options.password(password);
    }
    if let Some(ca) = ca {
        options = options.ssl_mode(sqlx::postgres::PgSslMode::VerifyFull).ssl_root_cert(ca);
    }
    Ok(PgPoolOptions::new().max_connections(address.connections).acquire_timeout(CONNECT).connect_lazy_with(options))
}

fn mysql(
    url: &str,
    user: Option<&str>,
    password: Option<&str>,
    ca: Option<&PathBuf>,
    address: &StoreAddress,
) -> Result<MySqlPool, sqlx::Error> {
    let url = url.replacen("mariadb://", "mysql://", 1);
    // `||` means what the server says it means: conditions were written for it.
    let mut options = MySqlConnectOptions::from_str(&url)?
        .pipes_as_concat(false)
        .timezone(Some("+00:00".to_owned()))
        .disable_statement_logging();
    if let Some(user) = user {
        options = options.username(user);
    }
    if let Some(password) = password {
        options = options.password(password);
    }
    if let Some(ca) = ca {
        options = options.ssl_mode(sqlx::mysql::MySqlSslMode::VerifyIdentity).ssl_ca(ca);
    }
    Ok(MySqlPoolOptions::new().max_connections(address.connections).acquire_timeout(CONNECT).connect_lazy_with(options))
}
