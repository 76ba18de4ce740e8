//! Ends keys that live longer than they may: they get a time to live, or go.

use super::counters::{EXPIRED, SWEPT, TTL_SET};
use super::orphans::Orphans;
use super::owners::Owners;
use super::rights;
use super::rule::{Cause, Judged, Owner, Rule, seconds};
use super::scan::{Look, Seen};
use crate::action::{Batch, Context, Facts, Tally};
use crate::counter::Counter;
use crate::diagnostic::codes;
use crate::policy::expiry::{Expiring, ExpiringKeys, Expiry};
use crate::policy::key_pattern::KeyPattern;
use crate::policy::lifecycle::Guard;
use crate::policy::section::{Section, pick};
use crate::report::format::plural;
use crate::store::error::StoreFailure;
use crate::store::page::{Keeps, Page};
use crate::store::redis::dedup::Once;
use crate::store::redis::holds::KeyHolds;
use crate::store::redis::lost::Lost;
use crate::store::redis::mutate::{self, Done, Due};
use crate::store::redis::scan::{Asked, Place, Walk};
use crate::store::redis::scan_names;
use crate::store::redis::store::KeyStore;
use crate::store::value::{Cell, Cursor};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    asked: Asked,
    statements: Vec<String>,
    fingerprint: String,
    /// Keys that were answered for: SCAN may give them again.
    answered: Mutex<Once>,
    /// What a batch did that then failed; it is told with the next one.
    untold: Mutex<Tally>,
    /// Keys whose answer was lost, and how many of these were found as they were to be.
    lost: tokio::sync::Mutex<(Lost, u64)>,
    /// What the survey saw of keys that other keys alone make orphans.
    orphans: Mutex<Orphans>,
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
        let nodes = store.nodes(&cx.application_name()).await?;
        let about = nodes.about();
        let mut rule = Rule::of(declared);
        let reading_uses = declared.value_is_id() && about.reading_touches;
        if rule.idle.is_some() {
            if about.counts_uses() {
                return Err(idle_unknown(declared, &format!("its `maxmemory-policy` is {}", about.eviction)));
            }
            if rule.idle > Some(LONGEST_IDLE) {
                return Err(idle_unknown(declared, "it keeps it for 194 days at most"));
            }
            if reading_uses {
                return Err(idle_unknown(declared, &format!("reading a value is a use of the key on {}", about.version)));
            }
        }
        if about.reading_touches && !about.counts_uses() {
            rule.removed_elsewhere = removed_elsewhere(cx, declared, section);
        }
        rule.permanent = cx.permanent_keys(store.name());
        Owners::at(cx, declared).await?;
        let idle = rule.idle.is_some() || !rule.removed_elsewhere.is_empty();
        let asked = Asked { idle, bytes: false, value: declared.value_is_id() };
        let statements = rights::statements(cx, declared, &questions(asked), (&store, about)).await?;
        Ok(Self {
            fingerprint: format!("{declared:?}|{holds:?}|{:?}|{}", rule.permanent, nodes.fingerprint()),
            name: expiry.name.clone(),
            declared: declared.clone(),
            asked,
            statements,
            store,
            rule,
            section,
            as_of,
            looks_alone: reading_uses,
            guard: expiry.guard,
            answered: Mutex::default(),
            untold: Mutex::default(),
            lost: tokio::sync::Mutex::default(),
            orphans: Mutex::default(),
        })
    }

    /// What is known of them.
    pub fn facts(&self, _: &Context) -> Facts {
        let ExpiringKeys { keys, ttl, idle, .. } = &self.declared;
        let ttl = ttl.map(|ttl| format!("TTL {ttl}"));
        let idle = idle.map(|idle| format!("idle {idle}"));
        let asked = questions(self.asked).into_iter().map(str::to_owned).chain(rights::questions(&self.declared));
        let asked: Vec<String> = asked.collect();
        Facts {
            counts: vec![&TTL_SET, self.removal()],
            noun: Some("key"),
            store: self.declared.store.clone(),
            owners: self.declared.belongs_to.iter().map(|belonging| belonging.to.store().to_owned()).collect(),
            cutoff: self.as_of,
            period: ttl.into_iter().chain(idle).collect::<Vec<_>>().join(", "),
            guard: self.guard,
            archive: None,
            index: None,
            notes: vec![],
            cascade_allowed: false,
            query: format!("SCAN 0 MATCH {} COUNT 500, then of each key {}", rights::shown(&keys.glob()), asked.join(", ")),
            statements: self.statements.clone(),
            locks_rows: false,
            fingerprint: self.fingerprint.clone(),
            keeps: Keeps::First(NAMELESS),
        }
    }

    /// What is asked of each key.
    pub const fn asked(&self) -> Asked {
        self.asked
    }

    /// What the survey found of its orphans.
    pub fn orphans(&self) -> MutexGuard<'_, Orphans> {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look<'a>(&'a self, cx: &Context, place: Place) -> Result<Look<'a>, StoreFailure> {
        let walk = Walk::from(&self.store, &cx.application_name(), self.declared.keys.clone(), self.asked, place).await?;
        Ok(Look { rule: &self.rule, walk, owners: Owners::at(cx, &self.declared).await? })
    }

    /// The next keys that are due and that no hold keeps. Each place is the server, its cursor, the name, the cause, and what the key
    /// held; only the first two may be written down.
    ///
    /// # Errors
    /// A store is away or refuses; or nobody's owner is there.
    pub async fn next(&self, cx: &Context, cursor: Option<&Cursor>, limit: u64) -> Result<Option<Page>, StoreFailure> {
        let holds = cx.holds_on_keys(self.store.name())?;
        let settling = self.orphans().wait();
        tokio::time::sleep(settling).await;
        let mut look = self.look(cx, cursor.map_or_else(Place::start, |cells| Place::of(cells))).await?;
        let mut found: Vec<(Seen, Cause)> = vec![];
        while (found.len() as u64) < limit {
            let Some(seen) = look.more().await? else { break };
            for seen in seen {
                if let Judged::Due(cause) = seen.judged
                    && self.is_open(&holds, &seen.key.name)
                    && (seen.owner != Some(Owner::Missing) || self.orphans().had(&seen.key))
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
        !holds.keeps(name) && !self.answered().has(name)
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
        let nodes = self.store.nodes(&cx.application_name()).await?;
        for (at, mark) in wanting.into_iter().zip(mutate::marks(&nodes, &names).await?) {
            proofs[at] = mark;
        }
        Ok(proofs)
    }

    fn due(&self, name: Vec<u8>, cause: Cause, proof: Vec<u8>) -> Due {
        let most_left = self.orphans().most_left(&name).filter(|_| cause == Cause::OwnerGone);
        Due { most_left, ..self.rule.due(name, cause, self.declared.value_is_id(), proof) }
    }

    /// Carries out one batch, each key for itself: what is not as it was found stays. Safe to repeat.
    ///
    /// # Errors
    /// A store is away or refuses. What was done before that is told with the next batch.
    pub async fn apply(&self, cx: &Context, batch: &Batch) -> Result<Tally, StoreFailure> {
        let holds = cx.holds_on_keys(self.store.name())?;
        // Of a batch that is tried again some keys are done.
        let found = batch.page.keys().into_iter().filter_map(unplaced).filter(|(name, ..)| !self.answered().has(name));
        let (found, back) = self.still_orphaned(cx, found.collect()).await?;
        let due: Vec<Due> = found.into_iter().map(|(name, cause, proof)| self.due(name, cause, proof)).collect();
        let mut lost = self.lost.lock().await;
        let changed = mutate::change(&self.store, &cx.application_name(), &holds, &due, &mut lost.0).await;
        let (done, open) = changed?;
        lost.1 += done.found_done;
        drop(lost);
        let left: HashSet<&Vec<u8>> = open.iter().map(|due| &due.key).collect();
        self.answer(back.iter().chain(due.iter().map(|due| &due.key).filter(|name| !left.contains(name))));
        let mut tally = self.untold();
        tally.add(self.tally(done, back.len() as u64));
        if open.is_empty() {
            return Ok(tally);
        }
        *self.untold.lock().unwrap_or_else(PoisonError::into_inner) = tally;
        let text = format!("{} keys of the batch were not answered for; the others are done", open.len());
        Err(StoreFailure::Busy { store: self.store.name().to_owned(), text })
    }

    fn answered(&self) -> MutexGuard<'_, Once> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<'n>(&self, names: impl Iterator<Item = &'n Vec<u8>>) {
        let mut answered = self.answered();
        for name in names {
            answered.is_first(name);
        }
    }

    fn untold(&self) -> Tally {
        std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What batches did that failed in the end, and what became of keys whose answer was lost: asked for once more, those that are gone
    /// are counted as done, and that is said. It is told once.
    pub async fn partial_tally(&self, cx: &Context) -> (Tally, Vec<(String, String)>) {
        let mut lost = self.lost.lock().await;
        let (open, mut found) = (lost.0.take(), std::mem::take(&mut lost.1));
        let (mut tally, mut notes) = (self.untold(), vec![]);
        let removed: Vec<Vec<u8>> = open.iter().filter(|(_, is_removal)| *is_removal).map(|(name, _)| name.clone()).collect();
        let mut unknown = (open.len() - removed.len()) as u64;
        match scan_names::known(&self.store, &cx.application_name(), &removed).await {
            Ok(known) => {
                let gone = known.iter().filter(|known| **known == Some(false)).count() as u64;
                unknown += known.iter().filter(|known| known.is_none()).count() as u64;
                found += gone;
                tally.add(self.tally(Done { unlinked: gone, ..Done::default() }, 0));
            }
            Err(_) => unknown += removed.len() as u64,
        }
        if found > 0 {
            let text = format!(
                "the answer about {} was lost; asked for again, they were as they were to be, and are counted",
                plural(found, "key")
            );
            notes.push((text, String::new()));
        }
        if unknown > 0 {
            let text = format!(
                "the answer about {} was lost: whether they were changed is not known, and they are not counted",
                plural(unknown, "key")
            );
            notes.push((text, "the next run finds those that were not".to_owned()));
        }
        (tally, notes)
    }

    /// Asks once more for owners that were gone; a key whose owner is back stays. Gives the rest, and those that stay.
    async fn still_orphaned(&self, cx: &Context, found: Vec<Found>) -> Result<(Vec<Found>, Vec<Vec<u8>>), StoreFailure> {
        let (orphans, mut rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, cause, _)| *cause == Cause::OwnerGone);
        if orphans.is_empty() {
            return Ok((rest, vec![]));
        }
        let Some(mut owners) = Owners::at(cx, &self.declared).await? else {
            return Ok((rest, orphans.into_iter().map(|(name, ..)| name).collect()));
        };
        let named: Vec<_> = orphans.iter().map(|(name, _, value)| (name.as_slice(), Some(value.as_slice()))).collect();
        let known = owners.of_named(&named).await?;
        let is_gone = |(name, ..): &Found, owner| match owner {
            Owner::Gone => true,
            Owner::Missing => self.orphans().most_left(name).is_some(),
            Owner::There | Owner::Unknown => false,
        };
        let mut back = vec![];
        for (orphan, owner) in orphans.into_iter().zip(known) {
            if is_gone(&orphan, owner) { rest.push(orphan) } else { back.push(orphan.0) }
        }
        Ok((rest, back))
    }

    /// What was done, under the words that fit: a session is ended, a cache entry swept, either given a time to live.
    fn tally(&self, done: Done, back: u64) -> Tally {
        let counts = [(&TTL_SET, done.expired), (self.removal(), done.unlinked)];
        Tally { changed: done.changed + done.gone + back, ..Tally::of(counts) }
    }

    const fn removal(&self) -> &'static Counter {
        match self.section {
            Section::Cache => &SWEPT,
            _ => &EXPIRED,
        }
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

/// What is asked of each key, in the server's words.
fn questions(asked: Asked) -> Vec<&'static str> {
    let more = [(asked.idle, "OBJECT IDLETIME"), (asked.value, "GETRANGE 0 200")];
    ["PTTL"].into_iter().chain(more.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, question)| question)).collect()
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
