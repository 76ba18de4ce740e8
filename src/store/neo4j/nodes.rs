//! The nodes of one label under one policy: which are due, and the next few of them.

use super::catalog::{self, Label};
use super::clock;
use super::condition;
use super::identifier::{property, quote};
use super::session::{Param, Params, Reading};
use super::store::GraphStore;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::{Cascade, Lifecycle};
use crate::store::batch_mark::LastBatch;
use crate::store::clock::ClockKind;
use crate::store::cutoff::CheckedCutoff;
use crate::store::cutoff::Cutoff;
use crate::store::cutoff::read_time;
use crate::store::error::StoreFailure;
use crate::store::holds::Holds;
use crate::store::page::{Keeps, Page};
use crate::store::value::{Cell, Cursor};

/// The question for the store's own time.
pub(crate) const TIME: &str = "RETURN datetime.realtime().epochMillis AS c0";

/// The nodes of one label that a policy dates by a clock and cuts at an instant.
#[derive(Debug, Clone)]
pub struct Nodes {
    pub(crate) store: GraphStore,
    pub(crate) who: String,
    pub(crate) label: Label,
    key: Key,
    pub(crate) clock: String,
    pub(crate) kind: ClockKind,
    cutoff: String,
    pub(crate) time: CheckedCutoff,
    pub(crate) condition: Option<String>,
    /// Whether relations may go with their node.
    pub(crate) takes_relations: bool,
    walks_clock: bool,
    notes: Vec<(String, String)>,
    /// Where batches leave their mark; none for what is only looked at.
    pub(crate) batches: Option<LastBatch>,
}

/// What tells nodes apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// A property that a constraint keeps unique, and that every node has.
    Property {
        /// Its name.
        name: String,
        /// Numbers, not texts.
        is_number: bool,
    },
    /// The store's own. One may be given out again once its node is gone: the whole predicate is repeated wherever it is used.
    Element,
}

impl Nodes {
    /// Finds the label, its key and clock, and checks every condition; touches nothing.
    ///
    /// # Errors
    /// What is declared cannot work here; the store's own.
    pub async fn prepare(
        store: &GraphStore,
        who: &str,
        dataset: &DatasetName,
        policy: &Lifecycle,
        cutoff: Cutoff,
        holds: &Holds,
    ) -> Result<Self, StoreFailure> {
        let (clock, condition) = (&policy.clock, policy.r#where.as_deref());
        let session = store.reading(who).await?;
        let label = catalog::label(&session, dataset).await?;
        catalog::must_have(&session, &label, &clock.column).await?;
        if let Some(text) = condition {
            condition::check(&session, &label, text, "the policy").await?;
        }
        for (name, held, text) in holds.node_conditions() {
            let of = Label { name: held.to_owned(), ..label.clone() };
            condition::check(&session, &of, text, &format!("hold `{name}`")).await?;
        }
        let kind = clock::kind(&session, &label, clock).await?;
        let key = Key::of(&session, &label).await?;
        let now = session.rows(TIME, vec![]).await?;
        let now = read_time(store.name(), now.first().and_then(|row| row.first()))?;
        let time = cutoff.checked(store.name(), Some(now), crate::clock::now());
        let mut nodes = Self {
            store: store.clone(),
            who: who.to_owned(),
            cutoff: clock::cutoff(&kind, time.at()),
            walks_clock: label.index_on(&clock.column).is_some(),
            key,
            clock: clock.column.clone(),
            kind,
            condition: condition.map(str::to_owned),
            takes_relations: policy.cascade == Cascade::Allow,
            notes: vec![],
            time,
            batches: None,
            label,
        };
        nodes.look_at_the_walk();
        Ok(nodes)
    }

    /// Notes what a person should know.
    fn look_at_the_walk(&mut self) {
        let label = self.label.shown();
        if !self.label.known {
            let help = "names match exactly, letter case included; the store does not tell a label without nodes from one that never was";
            self.notes.push((format!("no node bears the label of `{label}`"), help.into()));
        } else if !self.walks_clock {
            let walked = match &self.key {
                Key::Property { name, .. } => format!("the key `{name}` is walked"),
                Key::Element => "all nodes are read for every page".to_owned(),
            };
            let (name, on) = (quote(&format!("{}_{}", self.label.name, self.clock)), property(&self.clock));
            self.notes.push((
                format!("`{label}` has no range index that begins with `{}`: {walked}", self.clock),
                format!("CREATE INDEX {name} FOR {} ON ({on});", self.label.pattern()),
            ));
        }
    }

    /// # Errors
    /// The cutoff is counted from a time that has not come.
    pub fn must_have_come(&self) -> Result<(), StoreFailure> {
        self.time.must_have_come()
    }

    /// The index that finds the nodes.
    pub fn index(&self) -> Option<&str> {
        self.label.index_on(&self.clock)
    }

    /// What a person should know before it runs, each with the way out if there is one.
    pub fn notes(&self) -> &[(String, String)] {
        &self.notes
    }

    /// The dataset's name for messages.
    pub fn shown(&self) -> String {
        self.label.shown()
    }

    /// Which places of the walk may be written down: numbers and dates, and the store's own ids, never text that could be
    /// anything.
    pub fn keeps(&self, is_secret: &dyn Fn(&str) -> bool) -> Keeps {
        if self.walks_clock && is_secret(&self.clock) {
            return Keeps::Nothing;
        }
        match &self.key {
            Key::Property { name, is_number } if is_secret(name) || !is_number => Keeps::Nothing,
            Key::Property { .. } | Key::Element => Keeps::Everything,
        }
    }

    /// What must stay the same for a stopped pass to go on: the walk, the clock's kind, the condition.
    pub fn fingerprint(&self) -> String {
        let Self { key, clock, kind, condition, walks_clock, takes_relations, .. } = self;
        format!("{key:?}|{clock}|{kind:?}|{condition:?}|{walks_clock}|{takes_relations}")
    }

    /// True for nodes past the cutoff that match the condition; one whose clock is of another type compares with nothing.
    pub(crate) fn due(&self) -> String {
        let condition = self.condition.as_ref().map(|condition| format!(" AND (\n{condition}\n)")).unwrap_or_default();
        let (clock, dated) = (property(&self.clock), clock::dated(&self.kind, &property(&self.clock)));
        format!("{clock} < {} AND {dated}{condition}", self.cutoff)
    }

    /// True for nodes that are due and kept by no hold.
    pub(crate) fn due_and_free(&self, holds: &Holds) -> String {
        format!("{} AND {}", self.due(), holds.free_nodes(&self.label.name))
    }

    /// True for nodes that may go: due, kept by no hold, and without relations unless those may go along. Every statement
    /// that removes uses this one.
    pub(crate) fn may_go(&self, holds: &Holds) -> String {
        let alone = if self.takes_relations { "" } else { " AND NOT (n)--()" };
        format!("{}{alone}", self.due_and_free(holds))
    }

    /// The statement that counts `due` again, to show beside the number (promise 12).
    pub fn due_query(&self) -> String {
        format!("MATCH {} WHERE {} RETURN count(*)", self.label.pattern(), self.due())
    }

    /// The next due nodes behind `cursor`, at most `limit`; `None` when there are no more. Reads only.
    pub async fn page(&self, cursor: Option<&Cursor>, limit: u64, holds: &Holds) -> Result<Option<Page>, StoreFailure> {
        let (cypher, params) = self.page_statement(cursor, limit, holds);
        let places = self.store.reading(&self.who).await?.rows(&cypher, params).await?;
        Ok(Page::of(places, usize::from(self.walks_clock)))
    }

    /// The statement that finds a page; shown by `plan --sql`.
    pub fn page_statement(&self, cursor: Option<&Cursor>, limit: u64, holds: &Holds) -> (String, Params) {
        let mut params = vec![];
        let behind = match cursor {
            Some(cursor) => format!(" AND {}", self.behind(cursor, &mut params)),
            // Says what a unique property's values are anyway, and so lets the store follow its index.
            None if !self.walks_clock && self.key != Key::Element => format!(" AND {} IS NOT NULL", self.key.expression()),
            None => String::new(),
        };
        let clock = self.walks_clock.then(|| (clock::outgoing(&self.kind, &property(&self.clock)), property(&self.clock)));
        let walk: Vec<(String, String)> = clock.into_iter().chain([(self.key.expression(), self.key.expression())]).collect();
        let wanted: Vec<String> = walk.iter().enumerate().map(|(at, (out, _))| format!("{out} AS c{at}")).collect();
        let order: Vec<&str> = walk.iter().map(|(_, order)| order.as_str()).collect();
        let cypher = format!(
            "MATCH {} WHERE {}{behind} WITH n ORDER BY {} LIMIT {limit} RETURN {}",
            self.label.pattern(),
            self.may_go(holds),
            order.join(", "),
            wanted.join(", ")
        );
        (cypher, params)
    }

    /// Behind a place of the walk.
    fn behind(&self, place: &[Cell], params: &mut Params) -> String {
        let mut cells = place.iter().cloned();
        let dated = self.walks_clock.then(|| cells.next()).flatten();
        params.extend(cells.next().map(|cell| ("k_after", Param::One(cell))));
        let by_key = format!("{} > $k_after", self.key.expression());
        let Some(dated) = dated else { return by_key };
        params.push(("c_after", Param::One(dated)));
        let (name, value) = (property(&self.clock), clock::incoming(&self.kind, "$c_after"));
        format!("{name} >= {value} AND ({name} > {value} OR ({name} = {value} AND {by_key}))")
    }

    /// True for nodes whose key is the one that `$keys` holds: ``n.`id` = steward_key``.
    pub(crate) fn is_key(&self) -> String {
        format!("{} = steward_key", self.key.expression())
    }
}

impl Key {
    /// The first unique property that every node has, in values of one type that stand in one order; else the store's own.
    async fn of(session: &Reading, label: &Label) -> Result<Self, StoreFailure> {
        for name in &label.unique {
            let cypher = format!("MATCH {} RETURN DISTINCT valueType({}) AS c0 LIMIT 3", label.pattern(), property(name));
            let types: Vec<String> =
                session.rows(&cypher, vec![]).await?.into_iter().flatten().map(|cell| cell.shown()).collect();
            match types.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["INTEGER NOT NULL"] => return Ok(Self::Property { name: name.clone(), is_number: true }),
                ["STRING NOT NULL"] => return Ok(Self::Property { name: name.clone(), is_number: false }),
                _ => {}
            }
        }
        Ok(Self::Element)
    }

    fn expression(&self) -> String {
        match self {
            Self::Property { name, .. } => property(name),
            Self::Element => "elementId(n)".to_owned(),
        }
    }
}
