//! One round over checks: different stores at the same time, within one store one after another, each with a deadline.
//!
//! So a slow or frozen store delays nobody else, and no store is asked two things at once.

use crate::action::{Context, Inspection};
use crate::policy::quality::check::Check;
use crate::report::finding::Finding;
use crate::report::run::{Reason, Weight};
use crate::runner::judge;
use crate::runner::turns::Turns;
use crate::store::failure::StoreFailure;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::MutexGuard;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// One round over checks.
pub struct Round<'r, I> {
    cx: &'r Context,
    as_of: DateTime<Utc>,
    stop: &'r CancellationToken,
    /// When the job's budget is used up.
    until: Option<Instant>,
    turns: Turns<'r>,
    /// Stores that were away when they were asked, and what was said of it: they are not asked again in this round.
    away: Mutex<BTreeMap<String, StoreFailure>>,
    inspection: PhantomData<I>,
}

/// Checks that ask the same stores.
struct Group<'r> {
    stores: Vec<&'r str>,
    checks: Vec<(usize, &'r Check)>,
}

impl<'r, I: Inspection> Round<'r, I> {
    /// Evaluates the checks; one finding for each, in their order.
    pub async fn over(checks: &[&'r Check], cx: &'r Context, as_of: DateTime<Utc>, stop: &'r CancellationToken) -> Vec<Finding> {
        let budget = cx.job.budget.and_then(|budget| budget.duration().to_std().ok());
        let round = Self {
            cx,
            as_of,
            stop,
            until: budget.map(|budget| Instant::now() + budget),
            turns: Turns::at(checks.iter().flat_map(|check| check.stores())),
            away: Mutex::default(),
            inspection: PhantomData,
        };
        let groups = groups(checks);
        let mut findings: Vec<(usize, Finding)> =
            join_all(groups.iter().map(|group| round.group(group))).await.into_iter().flatten().collect();
        findings.sort_by_key(|(at, _)| *at);
        findings.into_iter().map(|(_, finding)| finding).collect()
    }

    /// A group of one store has its turn from the first check to the last; others take it check by check.
    fn group<'g>(&'g self, group: &'g Group<'r>) -> impl Future<Output = Vec<(usize, Finding)>> + Send + 'g {
        // Taken before anything is awaited: what asks several stores comes after what asks one.
        let own = match group.stores.as_slice() {
            [store] => self.turns.now(store),
            _ => None,
        };
        async move {
            let mut findings = vec![];
            for (at, check) in &group.checks {
                findings.push((*at, self.check(check, &group.stores, own.as_ref()).await));
            }
            findings
        }
    }

    async fn check(&self, check: &Check, stores: &[&str], own: Option<&MutexGuard<'_, ()>>) -> Finding {
        let _turn = match own {
            Some(_) => vec![],
            None => tokio::select! {
                biased;
                () = self.stop.cancelled() => return judge::skipped(check, stopped()),
                () = at(self.until) => return judge::skipped(check, self.out_of_time()),
                turn = self.turns.all(stores) => turn,
            },
        };
        if self.stop.is_cancelled() {
            return judge::skipped(check, stopped());
        }
        if self.until.is_some_and(|until| until <= Instant::now()) {
            return judge::skipped(check, self.out_of_time());
        }
        if let Some(failure) = self.known_away(stores) {
            return judge::unanswered(check, &failure);
        }
        let began = Instant::now();
        let limit = began + self.patience(stores);
        let deadline = self.until.map_or(limit, |until| until.min(limit));
        let measured = tokio::select! {
            biased;
            () = self.stop.cancelled() => return judge::skipped(check, stopped()),
            measured = tokio::time::timeout_at(deadline, I::measure(self.cx, check, self.as_of)) => measured,
        };
        let finding = match measured {
            Ok(Ok(measured)) => judge::measured(check, measured),
            Ok(Err(failure)) => {
                self.note_away(&failure);
                judge::unanswered(check, &failure)
            }
            Err(_) => judge::unanswered(check, &no_answer(stores, began.elapsed())),
        };
        Finding { elapsed_ms: u64::try_from(began.elapsed().as_millis()).ok(), ..finding }
    }

    /// The longest that any of these stores lets a statement look around.
    fn patience(&self, stores: &[&str]) -> Duration {
        let each = stores.iter().map(|store| self.cx.stores.patience(store));
        match self.cx.job.budget {
            // The budget is the deadline then, however long it is.
            Some(budget) => budget.duration().to_std().unwrap_or(Duration::MAX / 4),
            None => each.max().unwrap_or(Duration::from_secs(600)),
        }
    }

    fn known_away(&self, stores: &[&str]) -> Option<StoreFailure> {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        stores.iter().find_map(|store| away.get(*store).cloned())
    }

    fn note_away(&self, failure: &StoreFailure) {
        if let StoreFailure::Away { store, .. } = failure {
            self.away.lock().unwrap_or_else(PoisonError::into_inner).entry(store.clone()).or_insert_with(|| failure.clone());
        }
    }

    fn out_of_time(&self) -> Reason {
        let budget = self.cx.job.budget.map(|budget| format!(" of {budget}")).unwrap_or_default();
        temporary(
            format!("the budget{budget} was used up before this check's turn came; it was not evaluated"),
            Some("give the job a longer `budget`, or its checks to two jobs"),
        )
    }
}

/// Those that ask one store come first: they have their turn before those that ask several.
fn groups<'r>(checks: &[&'r Check]) -> Vec<Group<'r>> {
    let mut by_stores: BTreeMap<Vec<&str>, Group<'_>> = BTreeMap::new();
    for (at, check) in checks.iter().enumerate() {
        let stores = check.stores();
        let group = by_stores.entry(stores.clone()).or_insert_with(|| Group { stores, checks: vec![] });
        group.checks.push((at, check));
    }
    let mut groups: Vec<Group<'_>> = by_stores.into_values().collect();
    groups.sort_by_key(|group| group.stores.len());
    groups
}

async fn at(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn no_answer(stores: &[&str], waited: Duration) -> StoreFailure {
    // Of several stores nobody knows which one was slow.
    StoreFailure::Busy {
        store: stores.join("`, `"),
        text: format!("no answer within the check's deadline of {} s; it was not evaluated", waited.as_secs()),
    }
}

fn stopped() -> Reason {
    temporary("the run was stopped by a signal before this check was evaluated".into(), Some("the next run evaluates it"))
}

fn temporary(text: String, help: Option<&str>) -> Reason {
    Reason { weight: Weight::Temporary, code: None, text, help: help.map(str::to_owned) }
}
