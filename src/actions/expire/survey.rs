//! One look at a store tells of all policies of a job that are still to come there, and of the keys that none covers.
//!
//! Whatever fails for another policy is left to that policy's own turn, and whatever the store refuses to all of them
//! together is asked for one policy alone: no policy is told less, or fails more, than if it had looked for itself.

use super::keys::ExpireKeys;
use super::orphans::Orphans;
use super::owners::Owners;
use super::rule::Owner;
use super::scan::TOGETHER;
use super::survey_cache::{Known, Manner, Surveyed};
use super::survey_counts::SurveyCounts;
use super::uncovered::{self, Uncovered};
use crate::action::Context;
use crate::policy::expiry::Expiring;
use crate::policy::key_name::Prefixes;
use crate::policy::key_pattern::KeyPattern;
use crate::policy::section::{Section, pick};
use crate::store::error::StoreFailure;
use crate::store::redis::commands::{Questions, Wanted};
use crate::store::redis::holds::KeyHolds;
use crate::store::redis::scan::{Asked, Key, Place, Walk};
use crate::store::survey::Survey;

/// Counts the keys of a policy, and those that are due by what makes them due. Makes no key look used, see [`Asked`].
///
/// # Errors
/// A store is away or refuses; or nobody's owner is there.
pub async fn policy(cx: &Context, own: &ExpireKeys) -> Result<Survey, StoreFailure> {
    let (known, store) = (cx.run_state::<Known>(), own.store.name());
    let holds = cx.holds_on_keys(store)?;
    if let Some(surveyed) = known.take(store, &own.name, &holds) {
        return Ok(heard(own, surveyed));
    }
    let others = others(cx, own, &known).await;
    loop {
        let manner = if own.looks_alone { Manner::Alone } else { known.manner(store) };
        let survey = PolicySurvey { cx, own, holds: &holds, known: &known, manner };
        match survey.look(&others).await {
            Ok(surveyed) => return Ok(heard(own, surveyed)),
            Err(Stop::Policy(failure)) => return Err(failure),
            Err(Stop::TooMany) => known.look_so(store, Manner::Alone),
            Err(Stop::Look(failure)) => match manner.after(&failure) {
                Some(next) => known.look_so(store, next),
                None => return Err(failure),
            },
        }
    }
}

/// The counts, once the policy knows its orphans.
fn heard(own: &ExpireKeys, surveyed: Surveyed) -> Survey {
    *own.orphans() = surveyed.orphans;
    surveyed.counts
}

/// Counts the keys that no policy covers by what their names begin with.
///
/// # Errors
/// The store is away, or refuses.
pub async fn uncovered(cx: &Context, own: &Uncovered) -> Result<Survey, StoreFailure> {
    match cx.run_state::<Known>().take_uncovered(own.store.name()) {
        Some(counts) => Ok(counts),
        None => own.survey(cx).await,
    }
}

/// Something is about to be changed: what was counted before must be counted again.
pub fn forget(cx: &Context) {
    cx.run_state::<Known>().forget();
}

/// The policies on the same store that come behind this one in the job. One that cannot be prepared says so in its own turn.
async fn others(cx: &Context, own: &ExpireKeys, known: &Known) -> Vec<ExpireKeys> {
    let mut others = vec![];
    if own.looks_alone || known.manner(own.store.name()) == Manner::Alone {
        return others;
    }
    let entries = if own.section == Section::Cache { &cx.policies.cache } else { &cx.policies.sessions };
    let chosen = pick(entries, |expiry| &expiry.name, &cx.job.policies).into_iter();
    for expiry in chosen.skip_while(|expiry| expiry.name != own.name).skip(1) {
        let Expiring::Keys(keys) = &expiry.of else { continue };
        // Where each policy changes something, those behind it are counted again and again: cheap for keys, dear for owners.
        let is_dear = known.has_changed() && !keys.belongs_to.is_empty();
        if keys.store != own.store.name() || known.is_left(&expiry.name) || is_dear {
            continue;
        }
        match ExpireKeys::prepare(cx, expiry, keys, own.section, own.as_of).await {
            Ok(other) if !other.looks_alone => others.push(other),
            _ => known.leave(&expiry.name),
        }
    }
    others
}

/// Why a look ended before its end.
enum Stop {
    /// The store is away, or refuses.
    Look(StoreFailure),
    /// The policy that looks cannot be told.
    Policy(StoreFailure),
    /// The policies have more keys together than can be told apart, though each alone may not.
    TooMany,
}

/// A look that one policy makes, for itself and for others.
struct PolicySurvey<'a> {
    cx: &'a Context,
    own: &'a ExpireKeys,
    holds: &'a KeyHolds,
    known: &'a Known,
    manner: Manner,
}

impl PolicySurvey<'_> {
    /// Counts all keys there are; gives what is the policy's own, and keeps the rest.
    async fn look(&self, others: &[ExpireKeys]) -> Result<Surveyed, Stop> {
        let mut own = Part::of(self.cx, self.own, self.holds).await.map_err(Stop::Policy)?;
        let mut parts = self.parts(others).await;
        let mut rest = self.rest();
        let questions = self.questions(others, rest.as_ref());
        let place = Place::start();
        let mut walk = Walk::over(&self.own.store, &self.cx.application_name(), questions, place).await.map_err(Stop::Look)?;
        while let Some(page) = walk.page().await.map_err(Stop::Look)? {
            for key in &page {
                let is_told = parts.iter_mut().fold(own.add(key), |told, part| part.add(key) || told);
                if let Some(rest) = rest.as_mut().filter(|_| !is_told) {
                    rest.add(key);
                }
            }
            own.ask(TOGETHER).await.map_err(Stop::Policy)?;
            for part in &mut parts {
                part.failed |= part.ask(TOGETHER).await.is_err();
            }
            if !parts.is_empty() && walk.is_full() {
                return Err(Stop::TooMany);
            }
        }
        let is_about = walk.is_about_matching();
        self.keep(parts, rest, walk).await;
        own.end().await.map_err(Stop::Policy)?;
        Ok(own.surveyed(is_about))
    }

    async fn parts<'p>(&'p self, others: &'p [ExpireKeys]) -> Vec<Part<'p>> {
        let mut parts = vec![];
        for other in others.iter().filter(|_| self.manner != Manner::Alone) {
            match Part::of(self.cx, other, self.holds).await {
                Ok(part) => parts.push(part),
                Err(_) => self.known.leave(&other.name),
            }
        }
        parts
    }

    /// What is counted besides policies; none where nobody asks for it, or all of it is known.
    fn rest(&self) -> Option<Rest> {
        let store = self.own.store.name();
        let is_wanted = self.own.section == Section::Cache && self.manner != Manner::Alone && !self.known.has_total(store);
        is_wanted.then(|| Rest {
            is_known: self.known.has_uncovered(store),
            covered: uncovered::covered(&self.cx.policies, store),
            prefixes: Prefixes::default(),
        })
    }

    fn questions(&self, others: &[ExpireKeys], rest: Option<&Rest>) -> Questions {
        let together = others.iter().filter(|_| self.manner != Manner::Alone);
        let all: Vec<&ExpireKeys> = [self.own].into_iter().chain(together).collect();
        let mut each: Vec<_> = all.iter().map(|of| (of.declared.keys.clone(), Wanted::Asked(of.asked()))).collect();
        let Some(rest) = rest else {
            let found = match each.as_slice() {
                [(own, _)] => own.clone(),
                several => KeyPattern::around(several.iter().map(|(pattern, _)| pattern)),
            };
            return Questions { found, each, rest: None };
        };
        let not_asked = rest.covered.iter().filter(|pattern| all.iter().all(|of| of.declared.keys != **pattern));
        each.extend(not_asked.map(|pattern| (pattern.clone(), Wanted::Counted)));
        let wanted = match self.manner {
            _ if rest.is_known => Wanted::Counted,
            Manner::Together => Wanted::Asked(Asked { bytes: true, ..Asked::default() }),
            _ => Wanted::Named,
        };
        Questions { found: KeyPattern::all(), each, rest: Some(wanted) }
    }

    async fn keep(&self, parts: Vec<Part<'_>>, rest: Option<Rest>, walk: Walk) {
        let store = self.own.store.name();
        for mut part in parts {
            let policy = part.of.name.clone();
            match part.failed || part.end().await.is_err() {
                false => self.known.keep(store, &policy, self.holds, part.surveyed(walk.is_about_matching())),
                true => self.known.leave(&policy),
            }
        }
        if let Some(rest) = rest {
            self.known.keep_total(store, walk.names(), walk.is_about());
            if !rest.is_known {
                let counts = uncovered::counts(rest.prefixes, self.manner == Manner::Together);
                self.known.keep_uncovered(store, counts);
            }
        }
    }
}

/// What is counted of the keys that no policy covers.
struct Rest {
    /// They were measured before; all that is wanted is how many keys there are.
    is_known: bool,
    covered: Vec<KeyPattern>,
    prefixes: Prefixes,
}

impl Rest {
    fn add(&mut self, key: &Key) {
        // A policy that failed tells nothing of its keys, and covers them.
        if !self.covered.iter().any(|pattern| pattern.matches(&key.name)) {
            self.prefixes.add(&key.name, key.bytes.unwrap_or(0));
        }
    }
}

/// One policy's part in a look.
struct Part<'a> {
    of: &'a ExpireKeys,
    told: SurveyCounts<'a>,
    orphans: Orphans,
    owners: Option<Owners<'a>>,
    /// Keys whose owners were not asked for yet.
    waiting: Vec<Key>,
    /// Its owners cannot be asked; it is counted no further.
    failed: bool,
}

impl<'a> Part<'a> {
    async fn of(cx: &Context, of: &'a ExpireKeys, holds: &'a KeyHolds) -> Result<Self, StoreFailure> {
        let owners = Owners::at(cx, &of.declared).await?;
        Ok(Self {
            of,
            told: SurveyCounts::new(holds, &of.rule),
            orphans: Orphans::default(),
            owners,
            waiting: vec![],
            failed: false,
        })
    }

    /// True when the key is one of the policy's.
    fn add(&mut self, key: &Key) -> bool {
        if !self.of.declared.keys.matches(&key.name) {
            return false;
        }
        match &self.owners {
            _ if self.failed => {}
            None => self.told.add(key, None),
            Some(_) => self.waiting.push(key.clone()),
        }
        true
    }

    /// Asks for the owners of the keys that wait, once so many do.
    async fn ask(&mut self, many: usize) -> Result<(), StoreFailure> {
        let is_due = !self.failed && self.waiting.len() >= many;
        let Some(owners) = self.owners.as_mut().filter(|_| is_due) else { return Ok(()) };
        let known: Vec<Owner> = owners.of(&self.waiting).await?;
        for (key, owner) in self.waiting.drain(..).zip(known) {
            self.told.add(&key, Some(owner));
            self.orphans.note(&key, Some(owner));
        }
        Ok(())
    }

    /// What is told of it, its keys being all counted.
    fn surveyed(self, is_about: bool) -> Surveyed {
        Surveyed { counts: self.told.counts(is_about, &self.of.declared.keys), orphans: self.orphans.settling() }
    }

    /// Asks for the last owners.
    async fn end(&mut self) -> Result<(), StoreFailure> {
        self.ask(1).await?;
        self.owners.as_ref().map_or(Ok(()), Owners::must_be_likely)
    }
}
