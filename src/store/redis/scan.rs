//! Walks the keys of a store that match patterns, on every server that holds some, and says of each what was asked.

use super::commands::{Answers, Questions, Wanted, ask};
pub use super::commands::{Asked, Key};
pub use super::cursor::Place;
use super::dedup::Once;
use super::node::Node;
use super::pending::Coming;
use super::reply::{bytes, odd};
use super::scan_count::Pace;
use super::store::KeyStore;
use super::topology::Nodes;
use crate::policy::key_pattern::KeyPattern;
use crate::store::error::StoreFailure;
use redis::{Pipeline, Value};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A walk. While a page is worked on, the server is already at the questions about the next one, and at the SCAN behind it.
///
/// A key that is there from the first page to the last is seen; one that comes or goes meanwhile may be.
#[derive(Debug)]
pub struct Walk {
    store: KeyStore,
    who: String,
    nodes: Arc<Nodes>,
    /// It went on with other connections once.
    went_on: bool,
    /// Keys moved between nodes while it went by.
    moved: bool,
    questions: Questions,
    pace: Pace,
    /// How long nothing takes.
    idle_trip: Option<Duration>,
    /// Names that were found: those that a pattern matches, and the others.
    matching: Once,
    others: Once,
    names: u64,
    /// What was found and not given yet, with the answers on their way. At most the page that is given next and the one behind it.
    pages: VecDeque<Page>,
    /// What the SCAN finds that begins at `next`, on its way.
    scan: Option<Coming>,
    /// Where the next SCAN begins; none when there is no more.
    next: Option<Place>,
    /// Where the page that was given last began.
    at: Place,
}

/// What one SCAN found, and where it began.
#[derive(Debug)]
struct Page {
    at: Place,
    names: Vec<(Vec<u8>, Wanted)>,
    /// None where nothing is asked, or where it was lost.
    answers: Option<Coming>,
}

impl Walk {
    /// A walk from a place, over the keys that match a pattern.
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
        Self::over(store, who, Questions::of(pattern, asked), place).await
    }

    /// A walk from a place that asks of each key what is wanted of it.
    ///
    /// # Errors
    /// The store cannot be reached, or refuses the login.
    pub async fn over(store: &KeyStore, who: &str, questions: Questions, place: Place) -> Result<Self, StoreFailure> {
        let nodes = store.nodes(who).await?;
        let next = (place.node < nodes.each().len()).then_some(place);
        Ok(Self {
            store: store.clone(),
            who: who.to_owned(),
            nodes,
            went_on: false,
            moved: false,
            questions,
            pace: Pace::default(),
            idle_trip: None,
            matching: Once::default(),
            others: Once::default(),
            names: 0,
            pages: VecDeque::with_capacity(2),
            scan: None,
            next,
            at: place,
        })
    }

    /// The keys of the next page, each key once in a walk; `None` at the end. A page may be empty and not be the last.
    ///
    /// A connection that broke is made anew, once: to the same servers, since the cursors of others are other cursors.
    ///
    /// # Errors
    /// A server went away, or refuses.
    pub async fn page(&mut self) -> Result<Option<Vec<Key>>, StoreFailure> {
        match self.turn().await {
            Err(failure) => {
                self.lose();
                if !matches!(failure, StoreFailure::Away { .. }) || self.went_on {
                    return Err(failure);
                }
                self.went_on = true;
                let nodes = self.store.nodes(&self.who).await?;
                if nodes.fingerprint() != self.nodes.fingerprint() {
                    return Err(failure);
                }
                self.nodes = nodes;
                let again = self.turn().await;
                if again.is_err() {
                    self.lose();
                }
                again
            }
            given => given,
        }
    }

    /// Where the page that was given last began: a walk from here gives its keys again.
    pub const fn at(&self) -> Place {
        self.at
    }

    /// Where the page begins that comes next; behind everything at the end.
    pub fn behind(&self) -> Place {
        let next = self.pages.front().map(|page| page.at).or(self.next);
        next.unwrap_or(Place { node: self.nodes.each().len(), cursor: 0 })
    }

    /// How many names were found, each once, whatever was wanted of them.
    pub const fn names(&self) -> u64 {
        self.names
    }

    /// True when there were more keys than can be told apart, or some moved between nodes: counts are approximate.
    pub const fn is_about(&self) -> bool {
        self.is_about_matching() || self.others.is_full()
    }

    /// The same of the keys that a pattern matches, alone.
    pub const fn is_about_matching(&self) -> bool {
        self.moved || self.is_full()
    }

    /// True when there were more keys that a pattern matches than can be told apart.
    pub const fn is_full(&self) -> bool {
        self.matching.is_full()
    }

    async fn turn(&mut self) -> Result<Option<Vec<Key>>, StoreFailure> {
        self.go_ahead().await?;
        let Some(page) = self.pages.front_mut() else { return Ok(None) };
        let values = match &mut page.answers {
            Some(coming) => coming.answers().await?,
            None => vec![],
        };
        let Some(page) = self.pages.pop_front() else { return Ok(None) };
        self.at = page.at;
        self.keys(page, values).map(Some)
    }

    /// Sees to it that the page that is given next is asked about, and that the server has the one behind it to work on.
    async fn go_ahead(&mut self) -> Result<(), StoreFailure> {
        let nodes = Arc::clone(&self.nodes);
        for page in self.pages.iter_mut().filter(|page| page.answers.is_none()) {
            page.answers = nodes.each().get(page.at.node).and_then(|node| asked(node, &page.names));
        }
        if self.pages.is_empty() && self.scan.is_none() {
            self.scan_alone().await?;
        }
        if let Some(scan) = &mut self.scan {
            let answer = scan.answers().await?;
            self.scan = None;
            self.take(answer)?;
        }
        Ok(())
    }

    /// Finds names while the server has nothing else to do for us: what it takes says how long a SCAN may be.
    async fn scan_alone(&mut self) -> Result<(), StoreFailure> {
        let Some(place) = self.next else { return Ok(()) };
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(place.node) else { return Ok(()) };
        let nothing = match self.idle_trip {
            Some(known) => known,
            None => *self.idle_trip.insert(node.round_trip().await?),
        };
        let scan = self.scan_from(place);
        let began = Instant::now();
        let answer = node.ask(&scan).await?;
        self.pace.took(began.elapsed().saturating_sub(nothing));
        self.take(answer)
    }

    fn scan_from(&self, place: Place) -> Pipeline {
        let mut pipe = Pipeline::with_capacity(1);
        pipe.cmd("SCAN").arg(place.cursor).arg("MATCH").arg(self.questions.found.glob()).arg("COUNT").arg(self.pace.count());
        pipe
    }

    /// Takes the names out of the answer to the SCAN that began at `next`, and at once asks for more names and about these.
    fn take(&mut self, mut answer: Vec<Value>) -> Result<(), StoreFailure> {
        let Some(place) = self.next else { return Ok(()) };
        let nodes = Arc::clone(&self.nodes);
        let Some(node) = nodes.each().get(place.node) else { return Ok(()) };
        let (cursor, found) = found(node, answer.pop())?;
        let seen = found.len();
        let names = self.wanted(found);
        self.next = match cursor {
            0 => Some(Place { node: place.node + 1, cursor: 0 }).filter(|next| next.node < nodes.each().len()),
            cursor => Some(Place { node: place.node, cursor }),
        };
        self.store.sight().scanned(place.node, nodes.each().len(), cursor, seen);
        match self.next.filter(|next| next.node == place.node) {
            // Before the questions: its answer is there while the server is still busy with them.
            Some(next) => self.scan = self.pace.along().then(|| Coming::of(node, self.scan_from(next))),
            None => self.idle_trip = None,
        }
        let answers = asked(node, &names);
        self.pages.push_back(Page { at: place, names, answers });
        Ok(())
    }

    /// The names that are seen for the first time and to be given, with what is wanted of them.
    fn wanted(&mut self, found: Vec<Value>) -> Vec<(Vec<u8>, Wanted)> {
        let mut names = Vec::with_capacity(found.len());
        for name in found.into_iter().filter_map(bytes) {
            let Some((wanted, matches)) = self.questions.wanted(&name) else { continue };
            let known = if matches { &mut self.matching } else { &mut self.others };
            if known.is_first(&name) {
                self.names += 1;
                if wanted != Wanted::Counted {
                    names.push((name, wanted));
                }
            }
        }
        names
    }

    fn keys(&mut self, page: Page, values: Vec<Value>) -> Result<Vec<Key>, StoreFailure> {
        let mut answers = Answers::of(self.store.name(), values);
        let mut keys = Vec::with_capacity(page.names.len());
        for (name, wanted) in page.names {
            keys.extend(answers.key(name, wanted)?);
        }
        self.moved |= answers.moved;
        Ok(keys)
    }

    /// What was on its way does not come: the names that were found are asked about again, and the SCAN is sent again.
    fn lose(&mut self) {
        self.scan = None;
        self.pages.iter_mut().for_each(|page| page.answers = None);
    }
}

/// The answers about names, on their way; none where nothing is asked.
fn asked(node: &Node, names: &[(Vec<u8>, Wanted)]) -> Option<Coming> {
    let mut pipe = Pipeline::with_capacity(names.len());
    for (name, wanted) in names {
        if let Wanted::Asked(asked) = wanted {
            ask(&mut pipe, name, *asked);
        }
    }
    (!pipe.is_empty()).then(|| Coming::of(node, pipe))
}

/// The answer to a SCAN: its next cursor, and names.
fn found(node: &Node, answer: Option<Value>) -> Result<(u64, Vec<Value>), StoreFailure> {
    let odd = || odd(&node.store, "SCAN");
    let mut parts = match answer {
        Some(Value::Array(parts)) => parts.into_iter(),
        Some(Value::ServerError(error)) => return Err(super::reply::refusal(&node.store, &error)),
        _ => return Err(odd()),
    };
    let cursor = parts.next().and_then(bytes).and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok());
    match (cursor, parts.next()) {
        (Some(cursor), Some(Value::Array(names))) => Ok((cursor, names)),
        _ => Err(odd()),
    }
}
