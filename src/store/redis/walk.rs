//! Walks the keys of a store that match a pattern, on every server that holds some, and says of each what was asked.

use super::answer::{bytes, odd, refusal};
use super::node::Node;
use super::nodes::Nodes;
use super::once::Once;
use crate::policy::key_pattern::KeyPattern;
use crate::store::cell::Cell;
use crate::store::failure::StoreFailure;
use redis::{Pipeline, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Keys that one SCAN looks at: at first, at least, at most.
const FIRST: usize = 500;
const LEAST: usize = 50;
const MOST: usize = 1_000;
/// What one SCAN may take of the server's time; half of what no call may exceed.
const TARGET: Duration = Duration::from_millis(1);
/// Bytes of a value that is an id; a longer value is none.
pub const ID: usize = 200;

/// What is asked of each key besides its time to live. None of it counts as a use of the key, except `value` before Redis 7.2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// How long nobody used it. Asked before anything else is.
    pub idle: bool,
    /// How much memory it takes, by a sample of its members.
    pub bytes: bool,
    /// Its value, as far as it can be an id.
    pub value: bool,
}

/// One key, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name: any bytes.
    pub name: Vec<u8>,
    /// Milliseconds it has to live; none when it never expires.
    pub left: Option<u64>,
    /// Seconds since it was last used, if that was asked.
    pub idle: Option<u64>,
    /// Bytes, if that was asked.
    pub bytes: Option<u64>,
    /// Its value, if that was asked, and it is a text that can be an id.
    pub value: Option<Vec<u8>>,
}

/// Where a walk is: the server, and its own cursor. Holds no part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    node: usize,
    cursor: Vec<u8>,
}

impl Place {
    /// Where a walk begins.
    pub fn start() -> Self {
        Self { node: 0, cursor: b"0".to_vec() }
    }

    /// As cells of a cursor.
    pub fn cells(&self) -> [Cell; 2] {
        let node = i64::try_from(self.node).unwrap_or(i64::MAX);
        [Cell::Int(node), Cell::Text(String::from_utf8_lossy(&self.cursor).into_owned())]
    }

    /// From the first cells of a cursor; the beginning where they are none.
    pub fn of(cells: &[Cell]) -> Self {
        match cells {
            [Cell::Int(node), Cell::Text(cursor), ..] => {
                Self { node: usize::try_from(*node).unwrap_or(0), cursor: cursor.clone().into_bytes() }
            }
            _ => Self::start(),
        }
    }
}

/// A walk. Each page is one round trip: what is asked of its keys travels with the SCAN that finds the next ones.
///
/// A key that is there from the first page to the last is seen; one that comes or goes meanwhile may be.
#[derive(Debug)]
pub struct Walk {
    nodes: Arc<Nodes>,
    pattern: KeyPattern,
    asked: Asked,
    count: usize,
    once: Once,
    /// How long nothing takes.
    idle_trip: Option<Duration>,
    /// Names that the last SCAN found, and where it began.
    found: Option<(Place, Vec<Vec<u8>>)>,
    /// Where the next SCAN begins; none when there is no more.
    next: Option<Place>,
    /// Where the page that was given last began.
    at: Place,
}

impl Walk {
    /// A walk from a place.
    pub fn from(nodes: Arc<Nodes>, pattern: KeyPattern, asked: Asked, place: Place) -> Self {
        let next = (place.node < nodes.each().len()).then(|| place.clone());
        Self { nodes, pattern, asked, count: FIRST, once: Once::default(), idle_trip: None, found: None, next, at: place }
    }

    /// The keys of the next page, each key once in a walk; `None` at the end. A page may be empty and not be the last.
    ///
    /// # Errors
    /// A server went away, or refuses.
    pub async fn page(&mut self) -> Result<Option<Vec<Key>>, StoreFailure> {
        if self.found.is_none() {
            self.scan().await?;
        }
        let Some((at, names)) = self.found.take() else { return Ok(None) };
        let keys = if names.is_empty() { vec![] } else { self.ask(&at, names).await? };
        self.at = at;
        Ok(Some(keys))
    }

    /// Where the page that was given last began: a walk from here gives its keys again.
    pub const fn at(&self) -> &Place {
        &self.at
    }

    /// Where the page begins that comes next; behind everything at the end.
    pub fn behind(&self) -> Place {
        let next = self.found.as_ref().map(|(at, _)| at).or(self.next.as_ref());
        next.cloned().unwrap_or(Place { node: self.nodes.each().len(), cursor: b"0".to_vec() })
    }

    /// True when there were more keys than can be told apart: what was counted is about right.
    pub const fn is_about(&self) -> bool {
        self.once.is_full()
    }

    /// Finds names and asks nothing of them; what it takes says how long a SCAN may be.
    async fn scan(&mut self) -> Result<(), StoreFailure> {
        let Some(place) = self.next.clone() else { return Ok(()) };
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(place.node) else { return Ok(()) };
        let nothing = match self.idle_trip {
            Some(known) => known,
            None => *self.idle_trip.insert(node.round_trip().await?),
        };
        let mut pipe = Pipeline::new();
        self.add_scan(&mut pipe, &place);
        let began = Instant::now();
        let answer = node.must(&pipe).await?.pop();
        self.pace(began.elapsed().saturating_sub(nothing));
        self.take(node, place, answer)
    }

    /// Asks about names, and for the next ones if the same server has more.
    async fn ask(&mut self, at: &Place, names: Vec<Vec<u8>>) -> Result<Vec<Key>, StoreFailure> {
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(at.node) else { return Ok(vec![]) };
        let each = 1 + usize::from(self.asked.idle) + usize::from(self.asked.bytes) + usize::from(self.asked.value);
        let mut pipe = Pipeline::with_capacity(names.len() * each + 1);
        for name in &names {
            self.add_questions(&mut pipe, name);
        }
        let along = self.next.clone().filter(|next| next.node == at.node);
        if let Some(next) = &along {
            self.add_scan(&mut pipe, next);
        }
        let mut answers = node.ask(&pipe).await?;
        if let Some(next) = along {
            let answer = answers.pop().map(|answer| match answer {
                Value::ServerError(error) => Err(refusal(&node.store, &error)),
                answer => Ok(answer),
            });
            self.take(node, next, answer.transpose()?)?;
        }
        let mut answers = answers.into_iter();
        let mut keys = Vec::with_capacity(names.len());
        for name in names {
            keys.extend(self.key(node, name, &mut answers)?);
        }
        Ok(keys)
    }

    fn add_scan(&self, pipe: &mut Pipeline, place: &Place) {
        pipe.cmd("SCAN").arg(&place.cursor).arg("MATCH").arg(self.pattern.glob()).arg("COUNT").arg(self.count);
    }

    fn add_questions(&self, pipe: &mut Pipeline, name: &[u8]) {
        if self.asked.idle {
            pipe.cmd("OBJECT").arg("IDLETIME").arg(name);
        }
        pipe.cmd("PTTL").arg(name);
        if self.asked.bytes {
            // Five members are looked at, as by default: all of them would keep the server for as long as the key is large.
            pipe.cmd("MEMORY").arg("USAGE").arg(name);
        }
        if self.asked.value {
            pipe.cmd("GETRANGE").arg(name).arg(0).arg(ID);
        }
    }

    /// What the answers say of a key; none when it is gone already.
    fn key(&self, node: &Node, name: Vec<u8>, answers: &mut impl Iterator<Item = Value>) -> Result<Option<Key>, StoreFailure> {
        let mut number = |command: &str| match answers.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Nil) => Ok(None),
            // On some versions a key that is gone is an error of `OBJECT`.
            Some(Value::ServerError(error)) if error.details().is_some_and(|said| said.contains("no such key")) => Ok(None),
            Some(Value::ServerError(error)) => Err(refusal(&node.store, &error)),
            _ => Err(odd(&node.store, command)),
        };
        let natural = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let idle = if self.asked.idle { natural(number("OBJECT IDLETIME")?) } else { None };
        let left = number("PTTL")?.unwrap_or(-2);
        let bytes = if self.asked.bytes { natural(number("MEMORY USAGE")?) } else { None };
        let value = match self.asked.value.then(|| answers.next()) {
            Some(Some(Value::BulkString(value))) => Some(value).filter(|value| !value.is_empty() && value.len() <= ID),
            // A list or a hash is no id.
            _ => None,
        };
        Ok((left != -2).then(|| Key { name, left: natural(Some(left)), idle, bytes, value }))
    }

    fn take(&mut self, node: &Node, place: Place, answer: Option<Value>) -> Result<(), StoreFailure> {
        let odd = || odd(&node.store, "SCAN");
        let Some(Value::Array(parts)) = answer else { return Err(odd()) };
        let mut parts = parts.into_iter();
        let cursor = parts.next().and_then(bytes).ok_or_else(odd)?;
        let Some(Value::Array(names)) = parts.next() else { return Err(odd()) };
        let names = names.into_iter().filter_map(bytes).filter(|name| self.pattern.matches(name));
        let names: Vec<Vec<u8>> = names.filter(|name| self.once.is_first(name)).collect();
        self.next = match cursor.as_slice() {
            b"0" => Some(Place { node: place.node + 1, ..Place::start() }).filter(|next| next.node < self.nodes.each().len()),
            _ => Some(Place { node: place.node, cursor }),
        };
        if self.next.as_ref().is_none_or(|next| next.node != place.node) {
            self.idle_trip = None;
        }
        self.found = Some((place, names));
        Ok(())
    }

    /// Fits the next SCAN into its time, going by the last one.
    fn pace(&mut self, took: Duration) {
        if took > TARGET {
            self.count = (self.count / 2).max(LEAST);
        } else if took < TARGET / 4 {
            self.count = (self.count * 2).min(MOST);
        }
    }
}
