//! One round over checks: different stores at the same time, within one store one after another, each with a deadline.
//!
//! So a slow or frozen store delays nobody else, and no store is asked two things at once.

use crate::action::{CheckAction, Context};
use crate::policy::checks::check::Check;
use crate::report::finding::Finding;
use crate::report::run::{Reason, Weight};
use crate::runner::heartbeat;
use crate::runner::progress::Progress;
use crate::runner::store_locks::{StoreLock, StoreLocks};
use crate::runner::thresholds;
use crate::store::error::StoreFailure;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// One round over checks.
pub struct CheckRunner<'r, I> {
    cx: &'r Context,
    as_of: DateTime<Utc>,
    stop: &'r CancellationToken,
    progress: &'r dyn Progress,
    /// When the job's budget is used up.
    until: Option<Instant>,
    turns: StoreLocks<'r>,
    /// Stores that were away when they were asked, and what was said of it: they are not asked again in this round.
    away: Mutex<BTreeMap<String, StoreFailure>>,
    inspection: PhantomData<I>,
}

/// Checks that ask the same stores.
struct Group<'r> {
    stores: Vec<&'r str>,
    checks: Vec<(usize, &'r Check)>,
}

impl<'r, I: CheckAction> CheckRunner<'r, I> {
    /// Evaluates the checks; one finding for each, in their order.
    pub async fn over(
        checks: &[&'r Check],
        cx: &'r Context,
        as_of: DateTime<Utc>,
        stop: &'r CancellationToken,
        progress: &'r dyn Progress,
    ) -> Vec<Finding> {
        let budget = cx.job.budget.and_then(|budget| budget.duration().to_std().ok());
        let round = Self {
            cx,
            as_of,
            stop,
            progress,
            until: budget.map(|budget| Instant::now() + budget),
            turns: StoreLocks::default(),
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
            [_] => self.turns.now(&group.stores),
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

    async fn check(&self, check: &Check, stores: &[&'r str], own: Option<&StoreLock<'_, 'r>>) -> Finding {
        let _turn = match own {
            Some(_) => None,
            None => tokio::select! {
                biased;
                () = self.stop.cancelled() => return thresholds::skipped(check, stopped()),
                () = at(self.until) => return thresholds::skipped(check, self.out_of_time()),
                turn = self.turns.all(stores) => Some(turn),
            },
        };
        if self.stop.is_cancelled() {
            return thresholds::skipped(check, stopped());
        }
        if self.until.is_some_and(|until| until <= Instant::now()) {
            return thresholds::skipped(check, self.out_of_time());
        }
        if let Some(failure) = self.known_away(stores) {
            return thresholds::unanswered(check, &failure);
        }
        let began = Instant::now();
        let deadline = self.until.unwrap_or_else(|| began + self.patience(stores));
        let look = heartbeat::with_heartbeat(I::measure(self.cx, check, self.as_of), self.progress, self.cx, &check.name, stores);
        let measured = tokio::select! {
            biased;
            () = self.stop.cancelled() => return thresholds::skipped(check, stopped()),
            measured = tokio::time::timeout_at(deadline, look) => measured,
        };
        let finding = match measured {
            Ok(Ok(measured)) => thresholds::measured(check, measured),
            Ok(Err(failure)) => {
                self.note_away(&failure);
                thresholds::unanswered(check, &failure)
            }
            Err(_) => no_answer(check, stores, began.elapsed()),
        };
        Finding { elapsed_ms: u64::try_from(began.elapsed().as_millis()).ok(), ..finding }
    }

    /// The longest that any of these stores lets a statement look around.
    fn patience(&self, stores: &[&str]) -> Duration {
        stores.iter().map(|store| self.cx.stores.patience(store)).max().unwrap_or(Duration::from_secs(600))
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

/// The deadline came first. Of several stores nobody knows which one was slow.
fn no_answer(check: &Check, stores: &[&str], waited: Duration) -> Finding {
    let named = stores.iter().map(|store| format!("`{store}`")).collect::<Vec<_>>().join(" or ");
    let text = format!("no answer from {named} within the check's deadline of {} s; it was not evaluated", waited.as_secs());
    let silent = match stores {
        [store] => Some((*store).to_owned()),
        _ => None,
    };
    let help = "`statement_timeout` of the store, or the job's `budget`, says how long a check may take";
    Finding { silent, reason: Some(temporary(text, Some(help))), ..thresholds::unseen(check) }
}

fn stopped() -> Reason {
    temporary("the run was stopped by a signal before this check was evaluated".into(), Some("the next run evaluates it"))
}

fn temporary(text: String, help: Option<&str>) -> Reason {
    Reason { weight: Weight::Temporary, code: None, text, help: help.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Measured;
    use crate::job::spec::{Job, Mode, ReportRule};
    use crate::place::Place;
    use crate::policy::checks::check::Subject;
    use crate::policy::checks::field::{Field, ReferenceEnd};
    use crate::policy::checks::params::{Param, Params};
    use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
    use crate::report::finding::FindingOutcome::{Error, Pass, Skipped};
    use crate::runner::progress::Unwatched;
    use std::sync::{Arc, LazyLock};

    /// What was begun and ended, by run.
    static LOG: LazyLock<Mutex<Vec<(String, String)>>> = LazyLock::new(Mutex::default);

    /// Takes as many milliseconds as the check says samples; one on `gone` finds its store away.
    struct Probe;

    impl CheckAction for Probe {
        const NAME: &'static str = "probe";
        const ABOUT: &'static str = "";

        async fn measure(cx: &Context, check: &Check, _: DateTime<Utc>) -> Result<Measured, StoreFailure> {
            let note = |what: &str| LOG.lock().unwrap().push((cx.run.clone(), format!("{what}{}", check.name)));
            note("+");
            tokio::time::sleep(Duration::from_millis(check.samples.into())).await;
            note("-");
            match check.stores().contains(&"gone") {
                true => Err(StoreFailure::Away { store: "gone".into(), text: "no answer".into() }),
                false => Ok(Measured::default()),
            }
        }
    }

    const SHAPE: CheckSpec = CheckSpec {
        key: "reference",
        about: "",
        takes: ParamType::Ends,
        with: &[],
        on: On::Nothing,
        counts: Counts::Things,
        warns: None,
    };

    fn check(name: &str, stores: &[&str], takes_ms: u32) -> Check {
        let end = |store: &str| {
            let dataset = format!("{store}.t").parse().unwrap();
            ReferenceEnd { field: Field { dataset, column: Some("id".into()) }, r#where: None, clock: None }
        };
        let given = match stores {
            [from, to] => Params([("reference", Param::Ends(Box::new((end(from), end(to)))))].into_iter().collect()),
            _ => Params::default(),
        };
        Check {
            name: name.into(),
            owner: None,
            shape: &SHAPE,
            on: (stores.len() == 1).then(|| Subject::Store(stores[0].into())),
            r#where: None,
            params: given,
            warn: None,
            fail: None,
            samples: takes_ms,
            place: Place::File { file: "p.yaml".into(), line: 1, column: 1 },
        }
    }

    fn context(run: &str, budget: Option<&str>) -> Context {
        let job = Job {
            name: "check".into(),
            action: "probe".into(),
            policies: vec!["*".into()],
            after: vec![],
            schedule: None,
            timezone: chrono_tz::UTC,
            budget: budget.map(|budget| budget.parse().unwrap()),
            pause: Default::default(),
            retry_after: None,
            mode: Mode::Observe,
            report: ReportRule::default(),
            place: Place::File { file: "j.yaml".into(), line: 1, column: 1 },
        };
        Context::new(run.into(), Arc::new(job), Arc::default(), Arc::default(), vec![])
    }

    async fn over(cx: &Context, checks: &[Check], stop: &CancellationToken) -> Vec<Finding> {
        let checks: Vec<&Check> = checks.iter().collect();
        CheckRunner::<Probe>::over(&checks, cx, crate::clock::now(), stop, &Unwatched).await
    }

    fn log(run: &str) -> Vec<String> {
        LOG.lock().unwrap().iter().filter(|(of, _)| of == run).map(|(_, what)| what.clone()).collect()
    }

    #[tokio::test]
    async fn stores_are_asked_at_the_same_time_and_each_one_thing_after_another() {
        let checks = [
            check("ab", &["a", "b"], 10),
            check("a1", &["a"], 40),
            check("a2", &["a"], 40),
            check("b1", &["b"], 10),
            check("slow", &["c"], 400),
            check("ac", &["a", "c"], 10),
        ];
        let findings = over(&context("order", None), &checks, &CancellationToken::new()).await;
        assert_eq!(log("order"), ["+a1", "+b1", "+slow", "-b1", "-a1", "+a2", "-a2", "+ab", "-ab", "-slow", "+ac", "-ac"]);
        let names: Vec<&str> = findings.iter().map(|finding| finding.check.as_str()).collect();
        assert_eq!(names, ["ab", "a1", "a2", "b1", "slow", "ac"], "told in the job's order");
        assert!(findings.iter().all(|finding| finding.outcome == Pass));
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_asked_once() {
        let checks =
            [check("g1", &["gone"], 5), check("g2", &["gone"], 5), check("ga", &["a", "gone"], 5), check("a1", &["a"], 5)];
        let findings = over(&context("away", None), &checks, &CancellationToken::new()).await;
        assert_eq!(log("away"), ["+a1", "+g1", "-a1", "-g1"]);
        let outcomes: Vec<_> = findings.iter().map(|finding| finding.outcome).collect();
        assert_eq!(outcomes, [Error, Error, Error, Pass]);
        assert!(findings[..3].iter().all(|finding| finding.silent.as_deref() == Some("gone")));
    }

    #[tokio::test]
    async fn a_deadline_ends_a_check_and_a_signal_skips_the_rest() {
        let checks = [check("long", &["a"], 60_000), check("next", &["a"], 1), check("other", &["b"], 1)];
        let findings = over(&context("deadline", Some("1 s")), &checks, &CancellationToken::new()).await;
        let outcomes: Vec<_> = findings.iter().map(|finding| finding.outcome).collect();
        assert_eq!(outcomes, [Error, Skipped, Pass]);
        let stop = CancellationToken::new();
        let soon = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            stop.cancel();
        };
        let cx = context("signal", None);
        let (findings, ()) = tokio::join!(over(&cx, &checks, &stop), soon);
        let outcomes: Vec<_> = findings.iter().map(|finding| finding.outcome).collect();
        assert_eq!(outcomes, [Skipped, Skipped, Pass]);
    }
}
