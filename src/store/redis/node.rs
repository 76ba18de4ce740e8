//! One server that holds keys, and one connection to it.

use super::reply::{failure, is_moved};
use super::url::Location;
use crate::store::error::StoreFailure;
use crate::store::protocol_probe::Expected;
use crate::store::protocol_probe::Speaks;
use crate::store::protocol_probe::told_apart;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, Pipeline, RedisConnectionInfo, TlsCertificates, Value,
};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Getting in ends after this: a dead server is reported within seconds.
pub const CONNECT: Duration = Duration::from_secs(8);

/// One server and one connection to it. Every call is bounded in time.
#[derive(Debug, Clone)]
pub struct Node {
    /// The store's name.
    pub store: String,
    /// Host and port.
    pub at: (String, u16),
    /// The server's process: another one after a restart, whose cursors are others too.
    pub process: String,
    link: MultiplexedConnection,
    limit: Duration,
    /// Set when it went away or its keys moved: whoever comes next asks anew who is there.
    stale: Arc<AtomicBool>,
}

impl Node {
    /// Gets in. `login: false` says nothing of who we are: a Sentinel often has no accounts.
    ///
    /// # Errors
    /// It cannot be reached within seconds, or refuses the login.
    pub async fn open(
        store: &str,
        location: &Location,
        at: &(String, u16),
        login: bool,
        limit: Duration,
    ) -> Result<Self, StoreFailure> {
        let client = client(location, at, login).map_err(|text| StoreFailure::Failed { store: store.to_owned(), text })?;
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(limit));
        let opening = client.get_multiplexed_async_connection_with_config(&config);
        let failure = match tokio::time::timeout(CONNECT + Duration::from_secs(2), opening).await {
            Ok(Ok(link)) => {
                return Ok(Self {
                    store: store.to_owned(),
                    at: at.clone(),
                    process: String::new(),
                    link,
                    limit,
                    stale: Arc::default(),
                });
            }
            Ok(Err(error)) if !error.is_timeout() => failure(store, &error),
            Ok(Err(_)) | Err(_) => StoreFailure::timed_out(store, CONNECT),
        };
        let expected = Expected { speaks: Speaks::Redis, sealed: location.tls, schemes: ["redis://", "rediss://"] };
        Err(told_apart(store, (&at.0, at.1), &expected, failure).await)
    }

    /// One fate for all servers of a store.
    pub fn sharing(mut self, stale: &Arc<AtomicBool>) -> Self {
        self.stale = Arc::clone(stale);
        self
    }

    /// One round trip: each command's answer, in their order. A command that is refused has its error among the answers.
    ///
    /// # Errors
    /// The server is away or did not answer in time.
    pub async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreFailure> {
        let mut link = self.link.clone();
        let asked = link.req_packed_commands(commands, 0, commands.len());
        let answer = match tokio::time::timeout(self.limit + Duration::from_secs(1), asked).await {
            Ok(Ok(values)) => Ok(values),
            Ok(Err(error)) if error.is_timeout() => Err(StoreFailure::timed_out(&self.store, self.limit)),
            Ok(Err(error)) => Err(failure(&self.store, &error)),
            Err(_) => Err(StoreFailure::timed_out(&self.store, self.limit)),
        };
        let moved =
            |values: &Vec<Value>| values.iter().any(|value| matches!(value, Value::ServerError(error) if is_moved(error)));
        if answer.as_ref().map_or(true, moved) {
            self.stale.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// The same where no command may be refused.
    ///
    /// # Errors
    /// Also what a command was refused with.
    pub async fn must(&self, commands: &Pipeline) -> Result<Vec<Value>, StoreFailure> {
        let answers = self.ask(commands).await?;
        match answers.iter().find_map(|answer| if let Value::ServerError(error) = answer { Some(error) } else { None }) {
            Some(error) => Err(super::reply::refusal(&self.store, error)),
            None => Ok(answers),
        }
    }

    /// What one command is answered.
    ///
    /// # Errors
    /// As [`Node::must`].
    pub async fn one(&self, words: &[&str]) -> Result<Value, StoreFailure> {
        let mut pipe = Pipeline::new();
        words.iter().for_each(|word| {
            if pipe.is_empty() {
                pipe.cmd(word)
            } else {
                pipe.arg(word)
            };
        });
        Ok(self.must(&pipe).await?.pop().unwrap_or(Value::Nil))
    }

    /// How long question and answer take when there is nothing to do: the shortest of three.
    ///
    /// # Errors
    /// As [`Node::must`].
    pub async fn round_trip(&self) -> Result<Duration, StoreFailure> {
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let began = Instant::now();
            self.one(&["PING"]).await?;
            best = best.min(began.elapsed());
        }
        Ok(best)
    }
}

fn client(location: &Location, at: &(String, u16), login: bool) -> Result<Client, String> {
    let (host, port) = at.clone();
    let address = match location.tls {
        false => ConnectionAddr::Tcp(host, port),
        true => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
    };
    let mut settings = RedisConnectionInfo::default();
    if login {
        settings = settings.set_db(location.database);
        if let Some(user) = &location.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &location.password {
            settings = settings.set_password(password.expose_secret());
        }
    }
    let told = |error: redis::RedisError| crate::store::error::without_values(&error.to_string());
    let info = address.into_connection_info().map_err(told)?;
    let info = info.set_redis_settings(settings).set_tcp_settings(TcpSettings::default().set_nodelay(true));
    match &location.ca {
        Some(path) if location.tls => {
            let pem = std::fs::read(path).map_err(|error| format!("`ca` ({}) cannot be read: {error}", path.display()))?;
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem) }).map_err(told)
        }
        _ => Client::open(info).map_err(told),
    }
}
