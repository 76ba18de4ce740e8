//! The names of keys that match a pattern, and whether these names are there. Nothing else is asked of a key, and nothing is kept:
//! SCAN may give a name twice, and so does this.

use super::node::Node;
use super::reply::{bytes, int, is_moved, odd, refusal};
use super::scan_count::Pace;
use super::store::KeyStore;
use super::topology::Nodes;
use crate::policy::key_pattern::KeyPattern;
use crate::store::error::StoreFailure;
use redis::{Pipeline, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::task::AbortOnDropHandle;

/// Names asked for in one round trip.
const AT_ONCE: usize = 1_000;

/// All names that match, page by page, from every server that holds some. While a page is worked on, the server is already at the
/// next one.
///
/// A key that is there from the first page to the last is seen; one that comes or goes meanwhile may be.
#[derive(Debug)]
pub struct Names {
    nodes: Arc<Nodes>,
    pattern: KeyPattern,
    node: usize,
    cursor: Vec<u8>,
    pace: Pace,
    idle_trip: Option<Duration>,
    coming: Option<Coming>,
}

/// An answer on its way, and how long it took. Nobody waits for it any more once this is dropped.
type Coming = AbortOnDropHandle<(Result<Vec<Value>, StoreFailure>, Duration)>;

impl Names {
    /// From the beginning.
    ///
    /// # Errors
    /// The store cannot be reached, or refuses the login.
    pub async fn of(store: &KeyStore, who: &str, pattern: KeyPattern) -> Result<Self, StoreFailure> {
        let nodes = store.nodes(who).await?;
        let pace = Pace::default();
        Ok(Self { nodes, pattern, node: 0, cursor: b"0".to_vec(), pace, idle_trip: None, coming: None })
    }

    /// The names of one SCAN; `None` at the end. A page may be empty and not be the last.
    ///
    /// # Errors
    /// A server went away, or refuses.
    pub async fn page(&mut self) -> Result<Option<Vec<Vec<u8>>>, StoreFailure> {
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(self.node) else { return Ok(None) };
        let nothing = match self.idle_trip {
            Some(known) => known,
            None => *self.idle_trip.insert(node.round_trip().await?),
        };
        let coming = self.coming.take().unwrap_or_else(|| self.ask(node));
        let broken_off = |_| StoreFailure::Away { store: node.store.clone(), text: "the SCAN broke off".into() };
        let (answer, took) = coming.await.map_err(broken_off)?;
        let answer = answer?.pop();
        self.pace.took(took.saturating_sub(nothing));
        let odd = || odd(&node.store, "SCAN");
        let Some(Value::Array(parts)) = answer else { return Err(odd()) };
        let mut parts = parts.into_iter();
        self.cursor = parts.next().and_then(bytes).ok_or_else(odd)?;
        let Some(Value::Array(names)) = parts.next() else { return Err(odd()) };
        if self.cursor == b"0" {
            (self.node, self.idle_trip) = (self.node + 1, None);
        } else {
            self.coming = Some(self.ask(node));
        }
        Ok(Some(names.into_iter().filter_map(bytes).collect()))
    }

    /// Sends the next SCAN. A task of its own waits for the answer, so that what it took is not what we did meanwhile.
    fn ask(&self, node: &Node) -> Coming {
        let mut pipe = Pipeline::new();
        pipe.cmd("SCAN").arg(&self.cursor).arg("MATCH").arg(self.pattern.glob()).arg("COUNT").arg(self.pace.count());
        let node = node.clone();
        AbortOnDropHandle::new(tokio::spawn(async move {
            let began = Instant::now();
            let answer = node.must(&pipe).await;
            (answer, began.elapsed())
        }))
    }
}

/// Which of these names are there, in their order.
///
/// # Errors
/// A server went away, or refuses; keys are on the move between servers.
pub async fn are_there(store: &KeyStore, who: &str, names: &[Vec<u8>]) -> Result<Vec<bool>, StoreFailure> {
    let there: Option<Vec<bool>> = known(store, who, names).await?.into_iter().collect();
    let text = "keys of the cluster are on the move".to_owned();
    there.ok_or_else(|| StoreFailure::Busy { store: store.name().to_owned(), text })
}

/// The same, and none of a name that is on the move between servers: nobody can say whether it is there.
///
/// # Errors
/// A server went away, or refuses.
pub async fn known(store: &KeyStore, who: &str, names: &[Vec<u8>]) -> Result<Vec<Option<bool>>, StoreFailure> {
    let mut known = vec![None; names.len()];
    // Those that moved are asked for once more, where they are now.
    for _ in 0..2 {
        let nodes = store.nodes(who).await?;
        exist(&nodes, names, &mut known).await?;
        if known.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(known)
}

/// Asks each name of which nothing is known of the server that has its slot.
async fn exist(nodes: &Nodes, names: &[Vec<u8>], known: &mut [Option<bool>]) -> Result<(), StoreFailure> {
    for (number, node) in nodes.each().iter().enumerate() {
        let open = (0..names.len()).filter(|at| known[*at].is_none() && nodes.of(&names[*at]) == Some(number));
        for ours in open.collect::<Vec<_>>().chunks(AT_ONCE) {
            let mut pipe = Pipeline::with_capacity(ours.len());
            for at in ours {
                pipe.cmd("EXISTS").arg(&names[*at]);
            }
            for (at, answer) in ours.iter().zip(node.ask(&pipe).await?) {
                known[*at] = match answer {
                    Value::ServerError(error) if is_moved(&error) => None,
                    Value::ServerError(error) => return Err(refusal(&node.store, &error)),
                    answer => Some(int(&answer).ok_or_else(|| odd(&node.store, "EXISTS"))? > 0),
                };
            }
        }
    }
    Ok(())
}
