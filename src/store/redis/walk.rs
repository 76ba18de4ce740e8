//! Walks the keys of a store that match a pattern, on every server that holds some, and says of each what was asked.

use super::answer::{bytes, is_moved, odd, refusal};
use super::connect::KeyStore;
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
const LEAST: usize = 200;
const MOST: usize = 1_000;
/// What one SCAN should take of the server's time: a quarter of what no call may exceed.
const TARGET: Duration = Duration::from_micros(500);
/// Every so many pages a SCAN travels alone, so that what it takes is known.
const ALONE: usize = 64;
/// Bytes of a value that is an id; a longer value is none.
pub const ID: usize = 200;

/// What is asked of each key besides its time to live. None of it counts as a use of the key, except `value` before Redis 7.2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// How long nobody used it. Asked before anything else is. Without a memory limit by use, Redis keeps one object for all
    /// values that are the same small number: any use of one of them is a use of all, and none looks idle that is not.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    node: usize,
    cursor: u64,
}

impl Place {
    /// Where a walk begins.
    pub const fn start() -> Self {
        Self { node: 0, cursor: 0 }
    }

    /// As cells of a cursor.
    pub fn cells(&self) -> [Cell; 2] {
        let node = i64::try_from(self.node).unwrap_or(i64::MAX);
        // As text: it may be larger than a signed number.
        [Cell::Int(node), Cell::Text(self.cursor.to_string())]
    }

    /// From the first cells of a cursor; the beginning where they are none.
    pub fn of(cells: &[Cell]) -> Self {
        let [Cell::Int(node), Cell::Text(cursor), ..] = cells else { return Self::start() };
        match (usize::try_from(*node), cursor.parse()) {
            (Ok(node), Ok(cursor)) => Self { node, cursor },
            _ => Self::start(),
        }
    }
}

/// A walk. Each page is one round trip: what is asked of its keys travels with the SCAN that finds the next ones.
///
/// A key that is there from the first page to the last is seen; one that comes or goes meanwhile may be.
#[derive(Debug)]
pub struct Walk {
    store: KeyStore,
    who: String,
    nodes: Arc<Nodes>,
    /// It went on with other connections once.
    went_on: bool,
    /// Keys moved between servers while it went by.
    moved: bool,
    pattern: KeyPattern,
    /// Keys whose names match one of these are counted, and nothing is asked of them.
    passed_over: Vec<KeyPattern>,
    /// How many were.
    passed: u64,
    asked: Asked,
    count: usize,
    /// Pages since a SCAN travelled alone.
    along: usize,
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
    ///
    /// # Errors
    /// The store cannot be reached, or refuses the login.
    pub async fn from(
        store: &KeyStore,
        who: &str,
        pattern: KeyPattern,
        asked: Asked,
        place: Place,
    ) -> Result<Self, StoreFailure> {
        let nodes = store.nodes(who).await?;
        let next = (place.node < nodes.each().len()).then_some(place);
        Ok(Self {
            store: store.clone(),
            who: who.to_owned(),
            nodes,
            went_on: false,
            moved: false,
            pattern,
            passed_over: vec![],
            passed: 0,
            asked,
            count: FIRST,
            along: 0,
            once: Once::default(),
            idle_trip: None,
            found: None,
            next,
            at: place,
        })
    }

    /// Passes over keys whose names match one of these: they are counted, and nothing is asked of them.
    #[must_use]
    pub fn passing_over(mut self, patterns: &[KeyPattern]) -> Self {
        self.passed_over = patterns.to_vec();
        self
    }

    /// How many keys it passed over so far.
    pub const fn passed(&self) -> u64 {
        self.passed
    }

    /// The keys of the next page, each key once in a walk; `None` at the end. A page may be empty and not be the last.
    ///
    /// A connection that broke is made anew, once: to the same servers, since the cursors of others are other cursors.
    ///
    /// # Errors
    /// A server went away, or refuses.
    pub async fn page(&mut self) -> Result<Option<Vec<Key>>, StoreFailure> {
        match self.turn().await {
            Err(failure @ StoreFailure::Away { .. }) if !self.went_on => {
                self.went_on = true;
                let nodes = self.store.nodes(&self.who).await?;
                if nodes.fingerprint() != self.nodes.fingerprint() {
                    return Err(failure);
                }
                self.nodes = nodes;
                self.turn().await
            }
            other => other,
        }
    }

    async fn turn(&mut self) -> Result<Option<Vec<Key>>, StoreFailure> {
        if self.found.is_none() {
            self.scan().await?;
        }
        let Some((at, names)) = self.found.take() else { return Ok(None) };
        let keys = match self.ask(at, &names).await {
            Ok(answers) => self.keys(at, names, answers)?,
            Err(failure) => {
                // Not answered for: they come again when the walk goes on.
                self.found = Some((at, names));
                return Err(failure);
            }
        };
        self.at = at;
        Ok(Some(keys))
    }

    /// Where the page that was given last began: a walk from here gives its keys again.
    pub const fn at(&self) -> Place {
        self.at
    }

    /// Where the page begins that comes next; behind everything at the end.
    pub fn behind(&self) -> Place {
        let next = self.found.as_ref().map(|(at, _)| at).or(self.next.as_ref());
        next.copied().unwrap_or(Place { node: self.nodes.each().len(), cursor: 0 })
    }

    /// True when there were more keys than can be told apart, or some moved between servers: what was counted is about right.
    pub const fn is_about(&self) -> bool {
        self.moved || self.once.is_full()
    }

    /// Finds names and asks nothing of them; what it takes says how long a SCAN may be.
    async fn scan(&mut self) -> Result<(), StoreFailure> {
        let Some(place) = self.next else { return Ok(()) };
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(place.node) else { return Ok(()) };
        let nothing = match self.idle_trip {
            Some(known) => known,
            None => *self.idle_trip.insert(node.round_trip().await?),
        };
        let mut pipe = Pipeline::new();
        self.add_scan(&mut pipe, place);
        let began = Instant::now();
        let answer = node.must(&pipe).await?.pop();
        self.pace(began.elapsed().saturating_sub(nothing));
        self.along = 0;
        self.take(node, place, answer)
    }

    /// Asks about names, and for the next ones if the same server has more. Gives what was answered about these.
    async fn ask(&mut self, at: Place, names: &[Vec<u8>]) -> Result<Vec<Value>, StoreFailure> {
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(at.node).filter(|_| !names.is_empty()) else { return Ok(vec![]) };
        let each = 1 + usize::from(self.asked.idle) + usize::from(self.asked.bytes) + usize::from(self.asked.value);
        let mut pipe = Pipeline::with_capacity(names.len() * each + 1);
        for name in names {
            self.add_questions(&mut pipe, name);
        }
        self.along += 1;
        let along = self.next.filter(|next| next.node == at.node && self.along < ALONE);
        if let Some(next) = along {
            self.add_scan(&mut pipe, next);
        }
        let mut answers = node.ask(&pipe).await?;
        if let Some(next) = along {
            match answers.pop() {
                Some(Value::ServerError(error)) => return Err(refusal(&node.store, &error)),
                answer => self.take(node, next, answer)?,
            }
        }
        Ok(answers)
    }

    fn keys(&mut self, at: Place, names: Vec<Vec<u8>>, answers: Vec<Value>) -> Result<Vec<Key>, StoreFailure> {
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(at.node).filter(|_| !names.is_empty()) else { return Ok(vec![]) };
        let mut answers = answers.into_iter();
        let mut keys = Vec::with_capacity(names.len());
        for name in names {
            keys.extend(self.key(node, name, &mut answers)?);
        }
        Ok(keys)
    }

    fn add_scan(&self, pipe: &mut Pipeline, place: Place) {
        pipe.cmd("SCAN").arg(place.cursor).arg("MATCH").arg(self.pattern.glob()).arg("COUNT").arg(self.count);
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
    fn key(
        &mut self,
        node: &Node,
        name: Vec<u8>,
        answers: &mut impl Iterator<Item = Value>,
    ) -> Result<Option<Key>, StoreFailure> {
        let mut moved = false;
        let mut number = |command: &str| match answers.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Nil) => Ok(None),
            // It moved to another server of the cluster: there it is seen, or by the next run.
            Some(Value::ServerError(error)) if is_moved(&error) => {
                moved = true;
                Ok(None)
            }
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
            None | Some(Some(Value::Nil)) => None,
            Some(Some(Value::BulkString(value))) => Some(value).filter(|value| !value.is_empty() && value.len() <= ID),
            // A list or a hash is no id.
            Some(Some(Value::ServerError(error))) if error.code() == "WRONGTYPE" || is_moved(&error) => None,
            Some(Some(Value::ServerError(error))) => return Err(refusal(&node.store, &error)),
            Some(_) => return Err(odd(&node.store, "GETRANGE")),
        };
        self.moved |= moved;
        Ok((left != -2).then(|| Key { name, left: natural(Some(left)), idle, bytes, value }))
    }

    fn take(&mut self, node: &Node, place: Place, answer: Option<Value>) -> Result<(), StoreFailure> {
        let odd = || odd(&node.store, "SCAN");
        let Some(Value::Array(parts)) = answer else { return Err(odd()) };
        let mut parts = parts.into_iter();
        let cursor =
            parts.next().and_then(bytes).and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()).ok_or_else(odd)?;
        let Some(Value::Array(names)) = parts.next() else { return Err(odd()) };
        let names = names.into_iter().filter_map(bytes).filter(|name| self.pattern.matches(name));
        let mut names: Vec<Vec<u8>> = names.filter(|name| self.once.is_first(name)).collect();
        let found = names.len();
        names.retain(|name| !self.passed_over.iter().any(|pattern| pattern.matches(name)));
        self.passed += (found - names.len()) as u64;
        self.next = match cursor {
            0 => Some(Place { node: place.node + 1, cursor: 0 }).filter(|next| next.node < self.nodes.each().len()),
            cursor => Some(Place { node: place.node, cursor }),
        };
        self.store.sight().scanned(place.node, self.nodes.each().len(), cursor, found);
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
