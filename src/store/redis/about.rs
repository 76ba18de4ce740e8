//! What a store of keys is and how full: for `doctor`, and for the check of its memory.

use super::answer::{field, odd, text};
use super::connect::KeyStore;
use super::node::Node;
use crate::store::failure::StoreFailure;
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

    /// Those of the commands that our account may not use; none where the server does not tell.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn lacks(&self, commands: &[&[&'static str]]) -> Result<Option<Vec<&'static str>>, StoreFailure> {
        let nodes = self.nodes("doctor").await?;
        let Some(node) = nodes.each().first() else { return Ok(None) };
        let Ok(Some(user)) = node.one(&["ACL", "WHOAMI"]).await.map(text) else { return Ok(None) };
        let mut pipe = Pipeline::new();
        for command in commands {
            pipe.cmd("ACL").arg("DRYRUN").arg(&user).arg(*command);
        }
        let mut lacks = vec![];
        for (command, answer) in commands.iter().zip(node.ask(&pipe).await?) {
            match answer {
                Value::Okay => {}
                Value::ServerError(_) => return Ok(None),
                _ => lacks.extend(command.first()),
            }
        }
        Ok(Some(lacks))
    }
}

async fn memory(node: &Node) -> Result<Memory, StoreFailure> {
    let info = text(node.one(&["INFO", "memory"]).await?).unwrap_or_default();
    let number = |name| field(&info, name).and_then(|text| text.parse().ok()).ok_or_else(|| odd(&node.store, "INFO"));
    Ok(Memory { server: format!("{}:{}", node.at.0, node.at.1), used: number("used_memory")?, most: number("maxmemory")? })
}
