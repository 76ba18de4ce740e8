//! The servers that hold a store's keys: the one, the primary that Sentinel names, or every primary of a cluster.

use super::node::Node;
use super::reply::{self, field, int, odd, text};
use super::slot::{self, SLOTS};
use super::url::Location;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use futures_util::future::try_join_all;
use redis::{Pipeline, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The servers that hold a store's keys, each with a connection.
#[derive(Debug)]
pub struct Nodes {
    each: Vec<Node>,
    /// Slots from, to, and whose; empty where one server has all keys.
    slots: Vec<(u16, u16, usize)>,
    about: About,
    stale: Arc<AtomicBool>,
    /// The Sentinel that named the server, where one did.
    watch: Option<Watch>,
}

/// A Sentinel, and the service that it watches.
#[derive(Debug)]
struct Watch {
    sentinel: Node,
    service: String,
}

impl Watch {
    /// Where the service's primary is now.
    async fn primary(&self) -> Result<(String, u16), StoreFailure> {
        let store = &self.sentinel.store;
        match self.sentinel.one(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.service]).await? {
            Value::Array(parts) => {
                let mut parts = parts.into_iter().filter_map(text);
                let (host, port) = (parts.next(), parts.next().and_then(|port| port.parse().ok()));
                host.zip(port).ok_or_else(|| odd(store, "SENTINEL"))
            }
            _ => {
                let text = format!("Sentinel watches no service `{}`", self.service);
                Err(StoreFailure::Away { store: store.clone(), text })
            }
        }
    }
}

/// What the servers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// `Redis 7.0.15`, `Valkey 8.1.1`.
    pub version: String,
    /// How memory is freed when it is full: `noeviction`, `allkeys-lru`; of a cluster the first that counts uses, if any does.
    pub eviction: String,
    /// True when reading a value makes the key look used: before Redis 7.2 nothing prevents it.
    pub reading_touches: bool,
}

impl About {
    /// True when the servers count uses instead of the time since the last one: nobody knows then how long a key was idle.
    pub fn counts_uses(&self) -> bool {
        self.eviction.ends_with("-lfu")
    }

    /// True where there is `CLIENT NO-TOUCH`: a server that does not know it refuses a whole `ACL SETUSER` that names it.
    pub fn knows_no_touch(&self) -> bool {
        self.is_redis_from(7, 2)
    }

    /// True where a user may have other rights on other keys: `(~session:* +exists)`.
    pub fn knows_selectors(&self) -> bool {
        self.is_redis_from(7, 0)
    }

    /// Valkey began at 7.2.
    fn is_redis_from(&self, major: u32, minor: u32) -> bool {
        let Some(version) = self.version.strip_prefix("Redis ") else { return true };
        let mut parts = version.split('.').map_while(|part| part.parse::<u32>().ok());
        (parts.next(), parts.next()) >= (Some(major), Some(minor))
    }
}

impl Nodes {
    /// Finds the servers and gets in.
    ///
    /// # Errors
    /// One of them cannot be reached: keys that are not seen must not look as if there were none.
    pub async fn open(store: &str, location: &Location, who: &str, limit: Duration) -> Result<Self, StoreFailure> {
        let stale = Arc::new(AtomicBool::new(false));
        let opener = Opener { store, location, who, limit, stale: &stale };
        let (first, info, watch) = opener.first().await?;
        if field(&info, "cluster_enabled") == Some("1") {
            if location.database != 0 {
                return Err(refused(store, "is a cluster, which has one database only", "leave the number out of its url"));
            }
            return opener.cluster(&first).await;
        }
        if field(&info, "role") == Some("slave") {
            return Err(match location.service {
                Some(_) => StoreFailure::Away { store: store.to_owned(), text: "Sentinel names a replica: it fails over".into() },
                None => refused(store, "is a replica, which takes no writes", "name its primary in the url, or Sentinel"),
            });
        }
        if field(&info, "role") != Some("master") {
            let help = "let its account run `INFO`; a proxy in between must pass it on";
            return Err(refused(store, "does not say whether it is a primary, and a replica may lack keys", help));
        }
        let (node, about) = opener.met(first).await?;
        Ok(Self { each: vec![node], slots: vec![], about, stale, watch })
    }

    /// Each server once, in the order of their addresses.
    pub fn each(&self) -> &[Node] {
        &self.each
    }

    /// What they are.
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// True for a cluster: a call may touch keys of one slot only.
    pub const fn is_cluster(&self) -> bool {
        !self.slots.is_empty()
    }

    /// True once one of them went away, or keys moved between them.
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// True while Sentinel, where it named the server, still names it: a primary that was replaced takes writes for seconds more,
    /// and forgets them.
    pub async fn is_named(&self) -> bool {
        match (&self.watch, self.each.first()) {
            (Some(watch), Some(node)) => watch.primary().await.is_ok_and(|primary| primary == node.at),
            _ => true,
        }
    }

    /// Which server has the key; none where nobody has its slot.
    pub fn of(&self, key: &[u8]) -> Option<usize> {
        if self.slots.is_empty() {
            return Some(0);
        }
        let slot = slot::of(key);
        self.slots.iter().find(|(from, to, _)| (*from..=*to).contains(&slot)).map(|(_, _, node)| *node)
    }

    /// What tells these servers from those of another time: cursors of one are nothing to the other.
    pub fn fingerprint(&self) -> String {
        self.each.iter().map(|node| format!("{}:{}={};", node.at.0, node.at.1, node.process)).collect()
    }
}

/// What it takes to get in.
struct Opener<'a> {
    store: &'a str,
    location: &'a Location,
    who: &'a str,
    limit: Duration,
    stale: &'a Arc<AtomicBool>,
}

impl Opener<'_> {
    /// The first server that answers, what it says of itself, and the Sentinel that named it.
    async fn first(&self) -> Result<(Node, String, Option<Watch>), StoreFailure> {
        let mut last = None;
        for host in &self.location.hosts {
            let opened = match &self.location.service {
                None => self.node(host).await.map(|node| (node, None)),
                Some(service) => self.watched(host, service).await.map(|(node, watch)| (node, Some(watch))),
            };
            match opened {
                Ok((node, watch)) => {
                    let info = self.info(&node).await?;
                    return Ok((node, info, watch));
                }
                // What does not pass by itself says more than a server that is away.
                Err(failure) => last = last.filter(|last: &StoreFailure| !last.is_temporary()).or(Some(failure)),
            }
        }
        Err(last.unwrap_or_else(|| StoreFailure::Away { store: self.store.to_owned(), text: "its url names no server".into() }))
    }

    async fn node(&self, at: &(String, u16)) -> Result<Node, StoreFailure> {
        Ok(Node::open(self.store, self.location, at, true, self.limit).await?.sharing(self.stale))
    }

    /// The primary that a Sentinel names. A Sentinel may have no accounts, or those of the servers; of others we know nothing.
    async fn watched(&self, at: &(String, u16), service: &str) -> Result<(Node, Watch), StoreFailure> {
        let anonymous = self.ask_sentinel(self.location, at, service, false).await;
        let asked = if matches!(
            anonymous,
            Err(StoreFailure::Failed { .. } | StoreFailure::Refused { .. } | StoreFailure::Misdeclared { .. })
        ) {
            let bare = Location { database: 0, ..self.location.clone() };
            match self.ask_sentinel(&bare, at, service, true).await {
                Err(StoreFailure::Failed { .. } | StoreFailure::Refused { .. } | StoreFailure::Misdeclared { .. }) => {
                    return Err(no_account(self.store));
                }
                other => other,
            }
        } else {
            anonymous
        };
        let (watch, primary) = asked?;
        Ok((self.node(&primary).await?, watch))
    }

    async fn ask_sentinel(
        &self,
        location: &Location,
        at: &(String, u16),
        service: &str,
        login: bool,
    ) -> Result<(Watch, (String, u16)), StoreFailure> {
        let sentinel = Node::open(self.store, location, at, login, self.limit).await?;
        let watch = Watch { sentinel, service: service.to_owned() };
        let primary = watch.primary().await?;
        Ok((watch, primary))
    }

    async fn info(&self, node: &Node) -> Result<String, StoreFailure> {
        let mut pipe = Pipeline::new();
        for section in ["server", "cluster", "replication", "memory"] {
            pipe.cmd("INFO").arg(section);
        }
        Ok(node.must(&pipe).await?.into_iter().filter_map(text).collect::<Vec<_>>().join("\n"))
    }

    /// Every primary of a cluster.
    async fn cluster(&self, first: &Node) -> Result<Nodes, StoreFailure> {
        let ranges = ranges(first, first.one(&["CLUSTER", "SLOTS"]).await?).ok_or_else(|| odd(self.store, "CLUSTER SLOTS"))?;
        let covered: u32 = ranges.iter().map(|(from, to, _)| u32::from(*to) - u32::from(*from) + 1).sum();
        if covered < u32::from(SLOTS) {
            let text = format!("nobody has {} of the cluster's {SLOTS} slots", u32::from(SLOTS) - covered);
            return Err(StoreFailure::Away { store: self.store.to_owned(), text });
        }
        let mut addresses: Vec<&(String, u16)> = ranges.iter().map(|(_, _, at)| at).collect();
        addresses.sort();
        addresses.dedup();
        let met = try_join_all(addresses.iter().map(async |at| self.met(self.node(at).await?).await)).await?;
        let place = |at: &(String, u16)| addresses.iter().position(|known| *known == at).unwrap_or(0);
        let slots = ranges.iter().map(|(from, to, at)| (*from, *to, place(at))).collect();
        let mut about = met.first().map(|(_, about)| about.clone()).ok_or_else(|| odd(self.store, "CLUSTER SLOTS"))?;
        if let Some((_, other)) = met.iter().find(|(_, other)| other.counts_uses()) {
            about.eviction.clone_from(&other.eviction);
        }
        about.reading_touches = met.iter().any(|(_, about)| about.reading_touches);
        Ok(Nodes {
            each: met.into_iter().map(|(node, _)| node).collect(),
            slots,
            about,
            stale: Arc::clone(self.stale),
            watch: None,
        })
    }

    /// Says who we are and that our questions are no use of a key, and learns what the server is.
    async fn met(&self, mut node: Node) -> Result<(Node, About), StoreFailure> {
        let name: String = self.who.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
        let mut pipe = Pipeline::new();
        pipe.cmd("CLIENT").arg("SETNAME").arg(format!("steward-{name}"));
        pipe.cmd("CLIENT").arg("NO-TOUCH").arg("ON");
        // Both are courtesies: an account that may not do the one, a server that does not know the other, is served all the same.
        let courtesies = node.ask(&pipe).await?;
        let reading_touches = !matches!(courtesies.get(1), Some(Value::Okay));
        let info = self.info(&node).await?;
        let known = |name| field(&info, name).filter(|text| !text.is_empty());
        let version = match known("valkey_version") {
            Some(version) => format!("Valkey {version}"),
            None => format!("Redis {}", known("redis_version").unwrap_or("of unknown version")),
        };
        node.process = known("run_id").unwrap_or_default().to_owned();
        let eviction = known("maxmemory_policy").unwrap_or("unknown").to_owned();
        Ok((node, About { version, eviction, reading_touches }))
    }
}

/// Slots from, to, and where their primary is.
type Range = (u16, u16, (String, u16));

/// `CLUSTER SLOTS`: from, to, and the primary's address. A node that does not know its own name is where we found it.
fn ranges(asked: &Node, answer: Value) -> Option<Vec<Range>> {
    let Value::Array(ranges) = answer else { return None };
    let number = |value: &Value| int(value).and_then(|int| u16::try_from(int).ok());
    let read = |range: Value| {
        let Value::Array(parts) = range else { return None };
        let mut parts = parts.into_iter();
        let (from, to) = (number(&parts.next()?)?, number(&parts.next()?)?);
        let Value::Array(primary) = parts.next()? else { return None };
        let mut primary = primary.into_iter();
        let host = primary.next().and_then(reply::text).filter(|host| !host.is_empty() && host != "?");
        let port = number(&primary.next()?)?;
        Some((from, to, (host.unwrap_or_else(|| asked.at.0.clone()), port)))
    };
    ranges.into_iter().map(read).collect()
}

fn no_account(store: &str) -> StoreFailure {
    StoreFailure::Misdeclared {
        code: codes::LOGIN,
        text: format!("the Sentinel of store `{store}` wants an account, and not the store's own; nothing was touched"),
        help: "`user` and `password` are for Sentinel and servers alike: give Sentinel the same account, or let it answer without one"
            .into(),
    }
}

fn refused(store: &str, why: &str, help: &str) -> StoreFailure {
    StoreFailure::refused(codes::NOT_THERE, format!("store `{store}` {why}; nothing was touched"), help)
}

#[cfg(test)]
mod tests {
    use super::About;

    #[test]
    fn a_server_before_7_2_knows_no_no_touch() {
        let knows =
            |version: &str| About { version: version.into(), eviction: String::new(), reading_touches: false }.knows_no_touch();
        assert!(knows("Redis 7.2.0") && knows("Redis 8.0.1") && knows("Redis 7.10") && knows("Valkey 7.2.5"));
        let of =
            |version: &str| About { version: version.into(), eviction: String::new(), reading_touches: false }.knows_selectors();
        assert!(of("Redis 7.0.15") && of("Valkey 8.1.1") && !of("Redis 6.2.14"));
        assert!(!knows("Redis 7.0.15") && !knows("Redis 6.2.14") && !knows("Redis 7"));
    }
}
