//! The loop over one dataset: find a batch, note the intent, carry it out, note the outcome; until there is no more, or no more time.

use crate::action::{Action, Batch, Context, Facts, Label, Tally, reason};
use crate::ledger::event::Event;
use crate::ledger::lease::Lease;
use crate::ledger::pass::Pass;
use crate::ledger::refusal::LedgerError;
use crate::report::run::{NotReached, Reason, Weight};
use crate::runner::allowance::Allowance;
use crate::runner::engine::Runner;
use crate::runner::holds;
use crate::runner::pace::Pace;
use crate::runner::pause;
use crate::runner::queue::Queue;
use crate::store::cell::{Cell, Cursor};
use crate::store::failure::StoreFailure;
use crate::store::page::Page;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// One row at a time that fails for good is put aside; after so many the dataset is left alone.
const FAILED_ROWS: u64 = 25;

/// What the loop came to.
#[derive(Debug, Default)]
pub struct Worked {
    /// All batches together.
    pub tally: Tally,
    /// Batches carried out.
    pub batches: u64,
    /// Rows that fail for good.
    pub failed: u64,
    /// Why it ended before the last row, or what went wrong on the way.
    pub reasons: Vec<Reason>,
    /// Why it ended before the last row; none when it came to the end.
    pub cut: Option<Cut>,
}

/// Why the loop ended before the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The job's budget is used up.
    OutOfTime,
    /// A signal came.
    Stopped,
    /// More is due than the guard or the plan allows one run.
    UsedUp(Allowance),
    /// Something was in the way.
    GaveUp(NotReached),
}

/// The loop over one dataset.
pub struct Batches<'a, A> {
    /// The runner.
    pub runner: &'a Runner,
    /// What the action sees.
    pub cx: &'a Context,
    /// The job's lease.
    pub lease: &'a Lease,
    /// The action, prepared.
    pub action: &'a A,
    /// What it is called.
    pub label: &'a Label,
    /// What is known of it.
    pub facts: &'a Facts,
    /// The pass it belongs to.
    pub pass: Pass,
    /// When the budget is used up.
    pub deadline: Option<Instant>,
    /// What may be changed.
    pub allowance: Allowance,
}

/// Whether the holds in force are those of the batch before.
enum Holds {
    AsBefore,
    Changed,
}

/// How one batch ended.
enum Ended {
    Done(Tally),
    /// Not begun: a hold came or went since the holds were read.
    HoldsChanged,
    /// Rolled back for certain, for good.
    Failed(StoreFailure),
    /// The store is away, busy beyond patience, or refuses: no use going on.
    Hopeless(StoreFailure),
}

impl<A: Action> Batches<'_, A> {
    /// Works until there are no more rows, or a reason to stop. Errors are the ledger's: without evidence nothing goes on.
    pub async fn work(mut self) -> Result<Worked, LedgerError> {
        let mut worked = self.work_through().await?;
        let (tally, notes) = self.action.settle_untold(self.cx).await;
        worked.tally.add(tally);
        worked.reasons.extend(notes.into_iter().map(|(text, help)| Reason {
            weight: Weight::Note,
            code: None,
            text,
            help: Some(help).filter(|help| !help.is_empty()),
        }));
        Ok(worked)
    }

    async fn work_through(&mut self) -> Result<Worked, LedgerError> {
        let mut worked = Worked::default();
        let mut pace = Pace::default();
        let place: Option<Cursor> = self.pass.cursor.clone().and_then(|value| serde_json::from_value(value).ok());
        let mut queue = Queue::behind(place);
        loop {
            if self.must_stop(&mut worked) {
                return Ok(worked);
            }
            let known = match self.see_holds().await? {
                Ok((Holds::AsBefore, known)) => known,
                Ok((Holds::Changed, known)) => {
                    queue.read_again();
                    known
                }
                Err(reason) => {
                    worked.give_up(reason);
                    return Ok(worked);
                }
            };
            if let Err(reason) = pause::until_others_are_served(self.runner, self.cx, &self.facts.store, self.deadline).await {
                worked.give_up(reason);
                let why = if self.runner.stop.is_cancelled() { Cut::Stopped } else { Cut::GaveUp(NotReached::Waited) };
                worked.cut = Some(why);
                return Ok(worked);
            }
            let most = pace.rows().min(self.allowance.left().max(1));
            let page = match queue.next(self.action, self.cx, most).await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(failure) => {
                    worked.give_up(reason(&failure));
                    return Ok(worked);
                }
            };
            if self.allowance.left() == 0 {
                // What came due meanwhile may lie behind us too: the next run begins at the beginning, and counts it first.
                worked.cut = Some(Cut::UsedUp(self.allowance));
                break;
            }
            let (rows, began) = (page.rows(), Instant::now());
            match self.batch(&page, queue.in_order(), known, &mut pace).await? {
                Ended::Done(tally) => {
                    pace.learn(rows, began.elapsed());
                    worked.batches += 1;
                    self.allowance.spend(&tally);
                    worked.tally.add(tally);
                    self.runner.progress.advance(rows);
                }
                Ended::HoldsChanged => queue.give_back(page),
                Ended::Failed(failure) => {
                    if !queue.halve(page) {
                        worked.failed += 1;
                        worked.note_failed_row(&failure);
                        if worked.failed >= FAILED_ROWS {
                            worked.cut = Some(Cut::GaveUp(NotReached::TooManyFailures));
                            return Ok(worked);
                        }
                    }
                }
                Ended::Hopeless(failure) => {
                    worked.give_up(reason(&failure));
                    if self.runner.stop.is_cancelled() {
                        // The signal came while the batch waited to be tried again.
                        self.must_stop(&mut worked);
                    }
                    return Ok(worked);
                }
            }
        }
        // Over even when rows failed: they lie behind the cursor, and a pass that went on would never look at them again.
        self.runner.ledger.end_pass(self.lease, &self.label.dataset, &self.label.policy, self.runner.now()).await?;
        Ok(worked)
    }

    fn must_stop(&self, worked: &mut Worked) -> bool {
        if self.runner.stop.is_cancelled() {
            worked.cut = Some(Cut::Stopped);
            worked.reasons.push(Reason {
                weight: Weight::Temporary,
                code: None,
                text: "stopped by a signal at the edge of a batch; the next run goes on from there".into(),
                help: None,
            });
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            worked.cut = Some(Cut::OutOfTime);
            worked.reasons.push(Reason {
                weight: Weight::Note,
                code: None,
                text: "the budget is used up; the next run goes on from there".into(),
                help: None,
            });
        }
        worked.cut.is_some()
    }

    /// A hold placed while the run is under way is honoured from the next batch; one that does not work here stops the dataset.
    /// With them comes the event up to which they are known.
    async fn see_holds(&self) -> Result<Result<(Holds, i64), Reason>, LedgerError> {
        let (now_in_force, known) = match holds::look_again(&self.runner.ledger, &self.cx.policies.holds).await {
            Ok(now_in_force) => now_in_force,
            Err(holds::HoldsError::Ledger(error)) => return Err(error),
            Err(other) => return Ok(Err(Reason { weight: Weight::Refused, code: None, text: other.to_string(), help: None })),
        };
        if now_in_force == *self.cx.all_holds() {
            return Ok(Ok((Holds::AsBefore, known)));
        }
        self.cx.see_holds(now_in_force);
        let as_of = self.pass.as_of;
        let checked = Box::pin(A::prepare(self.cx, &self.action.target(), as_of)).await.map(|_| (Holds::Changed, known));
        Ok(checked.map_err(|failure| reason(&failure)))
    }

    /// Intent, the work, outcome. Tried again while the store is merely busy, each time the whole batch.
    async fn batch(&mut self, page: &Page, in_order: bool, known: i64, pace: &mut Pace) -> Result<Ended, LedgerError> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_times(self.runner.retries)
            .with_jitter()
            .build();
        let mut was_away = false;
        loop {
            let batch = Batch { id: Uuid::now_v7().to_string(), page: page.clone() };
            match self.intend(&batch, known).await {
                Err(LedgerError::HoldsChanged { .. }) => return Ok(Ended::HoldsChanged),
                intended => intended?,
            }
            let failure = match self.action.apply(self.cx, &batch).await {
                Ok(tally) => {
                    self.record(&batch, &tally, in_order).await?;
                    return Ok(Ended::Done(tally));
                }
                Err(failure) => failure,
            };
            if let StoreFailure::Uncertain { .. } = failure {
                // Nothing is claimed: the intent stays open, and the next run asks the store what became of it.
                return Ok(Ended::Hopeless(failure));
            }
            self.append(&Event::Failed { batch: batch.id, reason: failure.to_string() }).await?;
            if !failure.is_temporary() {
                let refused = matches!(failure, StoreFailure::Refused { .. } | StoreFailure::Misdeclared { .. });
                return Ok(if refused { Ended::Hopeless(failure) } else { Ended::Failed(failure) });
            }
            // A store that is away gets one more chance: each costs a whole time limit when it is silent.
            let hopeless = !failure.is_busy() && std::mem::replace(&mut was_away, true);
            let Some(pause) = pauses.next().filter(|_| !hopeless) else { return Ok(Ended::Hopeless(failure)) };
            pace.ease();
            self.runner.progress.note(&format!("{failure}; trying again"));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.runner.stop.cancelled() => return Ok(Ended::Hopeless(failure)),
            }
        }
    }

    /// Refused by the ledger when a hold came after event `known`: what is about to be removed was chosen without it.
    async fn intend(&self, batch: &Batch, known: i64) -> Result<(), LedgerError> {
        self.append(&Event::Intent {
            batch: batch.id.clone(),
            dataset: self.label.dataset.clone(),
            policy: self.label.policy.clone(),
            rows: batch.page.rows(),
            from: self.kept(batch.page.first()),
            to: self.kept(batch.page.last()),
            holds: known,
            before: self.action.last_batch(),
        })
        .await
    }

    async fn record(&mut self, batch: &Batch, tally: &Tally, in_order: bool) -> Result<(), LedgerError> {
        // Halves of a failed page are out of order: the pass moves on once they are all done.
        if in_order {
            self.pass.cursor = Some(self.kept(batch.page.last())).filter(|value| !value.is_null());
        }
        let event = Event::Outcome {
            batch: batch.id.clone(),
            archived: tally.archived.unwrap_or(0),
            already_archived: tally.already_archived.unwrap_or(0),
            removed: tally.removed.unwrap_or(0),
            expired: tally.expired.unwrap_or(0),
            ttl_set: tally.ttl_set.unwrap_or(0),
            swept: tally.swept.unwrap_or(0),
            refreshed: tally.refreshed.unwrap_or(0),
            changed: tally.changed,
            conflict: tally.conflicts.len() as u64,
            digest: tally.digest.clone(),
            // Bound by the ledger, which writes both down.
            pass: None,
        };
        self.runner.ledger.append_with_pass(self.lease, &event, &self.pass, self.runner.now()).await.map(drop)
    }

    async fn append(&self, event: &Event) -> Result<(), LedgerError> {
        self.runner.ledger.append_under(self.lease, event, self.runner.now()).await.map(drop)
    }

    /// A place of the walk as the ledger may know it.
    fn kept(&self, place: &[Cell]) -> serde_json::Value {
        self.facts.keeps.place(place).and_then(|place| serde_json::to_value(place).ok()).unwrap_or_default()
    }
}

impl Worked {
    /// Ends for a reason that a store or a declaration gave.
    pub fn give_up(&mut self, reason: Reason) {
        self.cut = Some(Cut::GaveUp(match reason.weight {
            Weight::Temporary => NotReached::StoreAway,
            Weight::Refused | Weight::Invalid => NotReached::Refused,
            Weight::Failed | Weight::Warning | Weight::Note => NotReached::Failed,
        }));
        self.reasons.push(reason);
    }

    /// Tells each different failure once.
    fn note_failed_row(&mut self, failure: &StoreFailure) {
        let reason = reason(failure);
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}
