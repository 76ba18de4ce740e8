//! Ends keys that live longer than they may: they get a time to live, or go.

use super::judge::{Cause, Judged, Owner, Rule, seconds};
use super::look::{Look, Seen};
use super::owners::Owners;
use crate::action::{Batch, Context, Facts, OpenBatch, Tally};
use crate::diagnostic::catalogue as codes;
use crate::policy::expiry::{Expiring, ExpiringKeys, Expiry, IdFrom};
use crate::policy::key_pattern::KeyPattern;
use crate::policy::lifecycle::Guard;
use crate::policy::section::{Section, pick};
use crate::report::run::Verdict;
use crate::store::cell::{Cell, Cursor};
use crate::store::failure::StoreFailure;
use crate::store::page::{Keeps, Page};
use crate::store::redis::change::{self, Done, Due};
use crate::store::redis::connect::KeyStore;
use crate::store::redis::holds::KeyHolds;
use crate::store::redis::once::Once;
use crate::store::redis::walk::{Asked, Place, Walk};
use chrono::{DateTime, Utc};
use std::sync::{Mutex, PoisonError};

/// The server's own clock for idleness has gone round once after so many seconds: 194 days.
const LONGEST_IDLE: u64 = 0x00FF_FFFF;
/// The cells of a place that hold no name: the server and its cursor.
const NAMELESS: usize = 2;

/// A key's name, why it is due, and what shows that it is still the same key.
type Found = (Vec<u8>, Cause, Vec<u8>);

/// Ends keys, a batch at a time.
///
/// Each key is changed in one step of its server that looks at it again: one that was given a time to live, used or written
/// since it was looked at stays (held by `a_key_that_changes_between_scan_and_removal_stays`). If we die in the midst of a batch
/// some of its keys are changed and some are not; the next run finds the rest.
pub struct ExpireKeys {
    /// The policy's name.
    pub name: String,
    /// Its own part for keys.
    pub declared: ExpiringKeys,
    /// Where they are.
    pub store: KeyStore,
    /// Its rules.
    pub rule: Rule,
    /// The section it stands in.
    pub section: Section,
    /// The run's instant.
    pub as_of: DateTime<Utc>,
    /// Looking at its keys makes them look used; nobody else may then ask how long they were idle.
    pub looks_alone: bool,
    guard: Guard,
    knows_no_touch: bool,
    fingerprint: String,
    /// Keys that were answered for: SCAN may give them again.
    answered: Mutex<Once>,
    /// What a batch did that then failed; it is told with the next one.
    untold: Mutex<Tally>,
}

impl ExpireKeys {
    /// Refuses what cannot work: idleness that nobody knows, owners that cannot be asked for, a hold with a condition.
    ///
    /// # Errors
    /// Those refusals, and a store that is away.
    pub async fn prepare(
        cx: &Context,
        expiry: &Expiry,
        declared: &ExpiringKeys,
        section: Section,
        as_of: DateTime<Utc>,
    ) -> Result<Self, StoreFailure> {
        let store = cx.stores.keys(&declared.store)?.clone();
        let holds = cx.holds_on_keys(store.name())?;
        let nodes = store.nodes(&cx.who()).await?;
        let about = nodes.about();
        let mut rule = Rule::of(declared);
        let by_value = declared.belongs_to.as_ref().is_some_and(|belonging| belonging.id == IdFrom::Value);
        if rule.idle.is_some() {
            if about.counts_uses() {
                return Err(idle_unknown(declared, &format!("its `maxmemory-policy` is {}", about.eviction)));
            }
            if rule.idle > Some(LONGEST_IDLE) {
                return Err(idle_unknown(declared, "it keeps it for 194 days at most"));
            }
            if by_value && about.reading_touches {
                return Err(idle_unknown(declared, &format!("reading a value is a use of the key on {}", about.version)));
            }
        }
        if about.reading_touches && !about.counts_uses() {
            rule.removed_elsewhere = removed_elsewhere(cx, declared, section);
        }
        Owners::at(cx, declared).await?;
        Ok(Self {
            fingerprint: format!("{declared:?}|{holds:?}|{}", nodes.fingerprint()),
            name: expiry.name.clone(),
            declared: declared.clone(),
            store,
            rule,
            section,
            as_of,
            looks_alone: by_value && about.reading_touches,
            guard: expiry.guard,
            knows_no_touch: about.knows_no_touch(),
            answered: Mutex::default(),
            untold: Mutex::default(),
        })
    }

    /// What is known of them.
    pub fn facts(&self, _: &Context) -> Facts {
        let ExpiringKeys { keys, ttl, idle, .. } = &self.declared;
        let ttl = ttl.map(|ttl| format!("TTL {ttl}"));
        let idle = idle.map(|idle| format!("idle {idle}"));
        Facts {
            store: self.declared.store.clone(),
            cutoff: self.as_of,
            period: ttl.into_iter().chain(idle).collect::<Vec<_>>().join(", "),
            guard: self.guard,
            archive: None,
            index: None,
            notes: vec![],
            cascade_allowed: false,
            query: format!("SCAN 0 MATCH {} COUNT 500, then of each key {}", shown(&keys.glob()), self.questions().join(", ")),
            statements: self.statements(),
            fingerprint: self.fingerprint.clone(),
            keeps: Keeps::First(NAMELESS),
        }
    }

    fn questions(&self) -> Vec<&'static str> {
        let asked = self.asked();
        let mut questions = vec!["PTTL"];
        questions.extend(asked.idle.then_some("OBJECT IDLETIME"));
        questions.extend(asked.value.then_some("GETRANGE 0 200"));
        questions
    }

    /// The commands, and the rights that they need.
    fn statements(&self) -> Vec<String> {
        let glob = shown(&self.declared.keys.glob());
        let mut statements =
            vec![format!("-- dataset {}", self.declared.dataset()), format!("SCAN cursor MATCH {glob} COUNT 500")];
        statements.extend(self.questions().into_iter().map(|question| format!("{question} key")));
        statements
            .push("EVALSHA script: PTTL, OBJECT IDLETIME or what the key holds again, then PEXPIRE key ms or UNLINK key".into());
        statements.push(format!(
            "ACL SETUSER {} ~{} +ping +info +client|setname{}{} +cluster|slots +scan +pttl +object|idletime \
             +memory|usage +getrange +dump +type +strlen +llen +scard +hlen +zcard +xlen +time +eval +evalsha +pexpire +unlink",
            self.store.user().unwrap_or("default"),
            glob,
            if self.knows_no_touch { " +client|no-touch" } else { "" },
            if self.store.database() == 0 { "" } else { " +select" }
        ));
        statements
    }

    /// What is asked of each key.
    pub fn asked(&self) -> Asked {
        let by_value = self.declared.belongs_to.as_ref().is_some_and(|belonging| belonging.id == IdFrom::Value);
        let idle = self.rule.idle.is_some() || !self.rule.removed_elsewhere.is_empty();
        Asked { idle, bytes: false, value: by_value }
    }

    async fn look<'a>(&'a self, cx: &Context, place: Place) -> Result<Look<'a>, StoreFailure> {
        let walk = Walk::from(&self.store, &cx.who(), self.declared.keys.clone(), self.asked(), place).await?;
        Ok(Look { rule: &self.rule, walk, owners: Owners::at(cx, &self.declared).await? })
    }

    /// The next keys that are due and that no hold keeps. Each place is the server, its cursor, the name, the cause, and what the key
    /// held; only the first two may be written down.
    ///
    /// # Errors
    /// A store is away or refuses; or nobody's owner is there.
    pub async fn next(&self, cx: &Context, cursor: Option<&Cursor>, limit: u64) -> Result<Option<Page>, StoreFailure> {
        let holds = cx.holds_on_keys(self.store.name())?;
        let mut look = self.look(cx, cursor.map_or_else(Place::start, |cells| Place::of(cells))).await?;
        let mut found: Vec<(Seen, Cause)> = vec![];
        while (found.len() as u64) < limit {
            let Some(seen) = look.more().await? else { break };
            for seen in seen {
                if let Judged::Due(cause) = seen.judged
                    && self.is_open(&holds, &seen.key.name)
                {
                    found.push((seen, cause));
                }
            }
        }
        let proofs = self.proofs(cx, &found).await?;
        let mut places: Vec<Cursor> =
            found.into_iter().zip(proofs).map(|((seen, cause), proof)| place(seen, cause, proof)).collect();
        if let Some(last) = places.last_mut() {
            // Everything up to here was looked at: the next page begins behind it, not at its keys once more.
            last[..NAMELESS].clone_from_slice(&look.walk.behind().cells());
        }
        Ok(Page::of(places, NAMELESS))
    }

    fn is_open(&self, holds: &KeyHolds, name: &[u8]) -> bool {
        !holds.keeps(name) && !self.answered.lock().unwrap_or_else(PoisonError::into_inner).has(name)
    }

    /// What shows, when a key is removed, that it is still the one that was looked at.
    async fn proofs(&self, cx: &Context, found: &[(Seen, Cause)]) -> Result<Vec<Vec<u8>>, StoreFailure> {
        // The id that an orphan holds is its proof; what a key with another cause holds proves nothing.
        let id = |(seen, cause): &(Seen, Cause)| match cause {
            Cause::OwnerGone => seen.key.value.clone().unwrap_or_default(),
            _ => vec![],
        };
        let mut proofs: Vec<Vec<u8>> = found.iter().map(id).collect();
        let wanting = |(at, (seen, cause)): (usize, &(Seen, Cause))| {
            self.due(seen.key.name.clone(), *cause, vec![]).wants_mark().then_some(at)
        };
        let wanting: Vec<usize> = found.iter().enumerate().filter_map(wanting).collect();
        let names: Vec<&[u8]> = wanting.iter().map(|at| found[*at].0.key.name.as_slice()).collect();
        let nodes = self.store.nodes(&cx.who()).await?;
        for (at, mark) in wanting.into_iter().zip(change::marks(&nodes, &names).await?) {
            proofs[at] = mark;
        }
        Ok(proofs)
    }

    fn due(&self, name: Vec<u8>, cause: Cause, proof: Vec<u8>) -> Due {
        let by_value = self.declared.belongs_to.as_ref().is_some_and(|belonging| belonging.id == IdFrom::Value);
        self.rule.due(name, cause, by_value, proof)
    }

    /// Carries out one batch, each key for itself: what is not as it was found stays. Safe to repeat.
    ///
    /// # Errors
    /// A store is away or refuses. What was done before that is told with the next batch.
    pub async fn apply(&self, cx: &Context, batch: &Batch) -> Result<Tally, StoreFailure> {
        let holds = cx.holds_on_keys(self.store.name())?;
        let found: Vec<Found> = batch.page.keys().into_iter().filter_map(unplaced).collect();
        let (found, back) = self.still_orphaned(cx, found).await?;
        let due: Vec<Due> = found.into_iter().map(|(name, cause, proof)| self.due(name, cause, proof)).collect();
        let done = change::change(&self.store, &cx.who(), &holds, &due).await?;
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.add(self.tally(done, back));
        if done.open > 0 {
            let text = format!("{} keys of the batch were not answered for; the others are done", done.open);
            return Err(StoreFailure::Busy { store: self.store.name().to_owned(), text });
        }
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        for due in &due {
            answered.is_first(&due.key);
        }
        Ok(std::mem::take(&mut *untold))
    }

    /// Asks once more for owners that were gone; a key whose owner is back stays. Gives the rest, and how many stay.
    async fn still_orphaned(&self, cx: &Context, found: Vec<Found>) -> Result<(Vec<Found>, u64), StoreFailure> {
        let (orphans, mut rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, cause, _)| *cause == Cause::OwnerGone);
        if orphans.is_empty() {
            return Ok((rest, 0));
        }
        let Some(mut owners) = Owners::at(cx, &self.declared).await? else { return Ok((rest, orphans.len() as u64)) };
        let known = owners.of_named(orphans.iter().map(|(name, _, value)| (name.as_slice(), Some(value.as_slice())))).await?;
        let before = orphans.len();
        let gone = orphans.into_iter().zip(known).filter(|(_, owner)| *owner == Owner::Gone).map(|(orphan, _)| orphan);
        let gone: Vec<_> = gone.collect();
        let back = before - gone.len();
        rest.extend(gone);
        Ok((rest, back as u64))
    }

    /// What was done, under the words that fit: a session is ended, a cache entry swept, either given a time to live.
    fn tally(&self, done: Done, back: u64) -> Tally {
        let removed = Some(done.unlinked);
        let tally = Tally { ttl_set: Some(done.expired), changed: done.changed + back, ..Tally::default() };
        match self.section {
            Section::Cache => Tally { swept: removed, ..tally },
            _ => Tally { expired: removed, ..tally },
        }
    }

    /// The counts when nothing was done.
    pub fn none(&self) -> Tally {
        self.tally(Done::default(), 0)
    }

    /// What became of a batch that was never told: each of its keys was a step of its own, and they are not written down.
    ///
    /// # Errors
    /// None.
    #[expect(clippy::unused_async, reason = "the contract's own form")]
    pub async fn settle(&self, _: &Context, _: &OpenBatch) -> Result<Verdict, StoreFailure> {
        Ok(Verdict::Unclear)
    }
}

/// What other policies of the same job remove from the same store for being idle.
fn removed_elsewhere(cx: &Context, own: &ExpiringKeys, section: Section) -> Vec<(KeyPattern, u64)> {
    let entries = if section == Section::Cache { &cx.policies.cache } else { &cx.policies.sessions };
    let chosen = pick(entries, |expiry| &expiry.name, &cx.job.policies).into_iter();
    let others = chosen.filter_map(|expiry| match &expiry.of {
        Expiring::Keys(keys) if keys != own && keys.store == own.store => Some((keys.keys.clone(), seconds(keys.idle?))),
        _ => None,
    });
    others.collect()
}

fn idle_unknown(declared: &ExpiringKeys, why: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::IDLE_UNKNOWN,
        format!("store `{}` does not tell how long `{}` were idle: {why}; nothing was touched", declared.store, declared.keys),
        "leave `idle` out, or write a shorter one; `ttl` needs none of this",
    )
}

fn place(seen: Seen, cause: Cause, proof: Vec<u8>) -> Cursor {
    let [node, cursor] = seen.place.cells();
    vec![node, cursor, Cell::Bytes(seen.key.name), Cell::Text(cause.word().into()), Cell::Bytes(proof)]
}

fn unplaced(key: Vec<Cell>) -> Option<Found> {
    match <[Cell; 3]>::try_from(key) {
        Ok([Cell::Bytes(name), Cell::Text(cause), Cell::Bytes(proof)]) => Some((name, Cause::of(&cause)?, proof)),
        _ => None,
    }
}

/// A pattern as one prints it.
fn shown(glob: &[u8]) -> String {
    String::from_utf8_lossy(glob).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
