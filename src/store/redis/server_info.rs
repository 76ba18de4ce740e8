//! What a store of keys is and how full: for `doctor`, and for the check of its memory.

use super::node::Node;
use super::reply::{field, odd, text};
use super::store::KeyStore;
use crate::policy::key_pattern::KeyPattern;
use crate::store::error::StoreFailure;
use redis::{Pipeline, Value};
use std::time::Duration;

/// What a store of keys answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysPing {
    /// `Redis 7.0.15`, `Valkey 8.1.1`.
    pub version: String,
    /// Servers that hold keys.
    pub servers: usize,
    /// The shortest of three questions and answers to the slowest of them.
    pub latency: Duration,
    /// How memory is freed when it is full.
    pub eviction: String,
}

/// How full one server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Host and port.
    pub server: String,
    /// Bytes in use.
    pub used: u64,
    /// Bytes it may use; zero where no limit is set.
    pub most: u64,
}

impl Memory {
    /// The share in use in percent, rounded up; none where no limit is set.
    pub fn percent(&self) -> Option<u64> {
        (self.most > 0).then(|| (self.used.saturating_mul(100)).div_ceil(self.most))
    }
}

impl KeyStore {
    /// Asks the store who it is. Touches nothing.
    ///
    /// # Errors
    /// It cannot be reached, or refuses the login.
    pub async fn ping(&self) -> Result<KeysPing, StoreFailure> {
        let nodes = self.nodes("doctor").await?;
        let mut latency = Duration::ZERO;
        for node in nodes.each() {
            latency = latency.max(node.round_trip().await?);
        }
        let about = nodes.about().clone();
        Ok(KeysPing { version: about.version, servers: nodes.each().len(), latency, eviction: about.eviction })
    }

    /// How full each of its servers is. Touches nothing.
    ///
    /// # Errors
    /// It cannot be reached, or does not tell.
    pub async fn memory(&self, who: &str) -> Result<Vec<Memory>, StoreFailure> {
        let nodes = self.nodes(who).await?;
        let mut all = vec![];
        for node in nodes.each() {
            all.push(memory(node).await?);
        }
        Ok(all)
    }

    /// What our account may not do with keys of these patterns, `UNLINK` of `cache:*`, and with owners that are only asked for. None
    /// where the server does not tell.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn lacks(&self, patterns: &[KeyPattern], owners: &[KeyPattern]) -> Result<Option<Vec<String>>, StoreFailure> {
        let nodes = self.nodes("doctor").await?;
        let Some(node) = nodes.each().first() else { return Ok(None) };
        let Ok(Some(user)) = node.one(&["ACL", "WHOAMI"]).await.map(text) else { return Ok(None) };
        let mut lacks = vec![];
        let of_policies = patterns.iter().map(|pattern| (pattern, NEEDED));
        for (pattern, needed) in of_policies.chain(owners.iter().map(|owner| (owner, OF_OWNERS))) {
            // A name that matches; nothing is done with it.
            let key = pattern.to_string().replace("{id}", "1").replace(['*', '?'], "1");
            let mut pipe = Pipeline::new();
            for (command, before, after) in needed {
                pipe.cmd("ACL").arg("DRYRUN").arg(&user).arg(*command).arg(*before);
                if !after.is_empty() || !matches!(*command, "SCAN" | "INFO") {
                    pipe.arg(&key).arg(*after);
                }
            }
            for ((command, ..), answer) in needed.iter().zip(node.ask(&pipe).await?) {
                match answer {
                    Value::Okay => {}
                    Value::ServerError(_) => return Ok(None),
                    _ => lacks.push(format!("{command} (`{pattern}`)")),
                }
            }
        }
        Ok(Some(lacks))
    }
}

/// The commands that policies on keys send: each with its words before and behind the key.
const NEEDED: &[(&str, &[&str], &[&str])] = &[
    ("SCAN", &["0"], &[]),
    ("INFO", &[], &[]),
    ("PTTL", &[], &[]),
    ("OBJECT", &["IDLETIME"], &[]),
    ("MEMORY", &["USAGE"], &[]),
    ("GETRANGE", &[], &["0", "1"]),
    ("DUMP", &[], &[]),
    ("EVAL", &["return 0", "1"], &[]),
    ("PEXPIRE", &[], &["1"]),
    ("UNLINK", &[], &[]),
];

/// What is asked about the owners of keys.
const OF_OWNERS: &[(&str, &[&str], &[&str])] = &[("EXISTS", &[], &[])];

async fn memory(node: &Node) -> Result<Memory, StoreFailure> {
    let info = text(node.one(&["INFO", "memory"]).await?).unwrap_or_default();
    let number = |name| field(&info, name).and_then(|text| text.parse().ok()).ok_or_else(|| odd(&node.store, "INFO"));
    Ok(Memory { server: format!("{}:{}", node.at.0, node.at.1), used: number("used_memory")?, most: number("maxmemory")? })
}
