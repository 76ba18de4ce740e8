//! The loop over one dataset: find a batch, note the intent, carry it out, note the outcome; until there is no more, or no more time.

use crate::action::{Action, Batch, Context, Facts, Label, Tally, reason};
use crate::diagnostic::codes;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::error::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::lease::Lease;
use crate::report::format;
use crate::report::run::{NotReached, Reason, Weight};
use crate::runner::allowance::Allowance;
use crate::runner::batch_size::BatchSize;
use crate::runner::holds;
use crate::runner::pause;
use crate::runner::put_aside::PutAside;
use crate::runner::queue::Queue;
use crate::runner::runner::Runner;
use crate::store::error::StoreFailure;
use crate::store::page::Page;
use crate::store::value::{Cell, Cursor};
use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often rows that other transactions hold are tried again once the walk is over; before it a pause, each twice as long.
const LATE: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
/// Batches that go in parts since a lock in them was not to be had: each part may wait for as long as a lock may take.
const BUSY: u32 = 16;

/// Walks over one dataset in one run.
const WALKS: u32 = 64;

/// A walk over the dataset, from its beginning to its end.
struct Walk {
    /// Counted from one.
    number: u32,
    /// Batches carried out before it.
    batches: u64,
}

/// What the loop came to.
#[derive(Debug, Default)]
pub struct Worked {
    /// All batches together.
    pub tally: Tally,
    /// Batches carried out.
    pub batches: u64,
    /// Rows that fail for good.
    pub failed: u64,
    /// The same while the loop runs, by why.
    aside: PutAside,
    /// Rows that other transactions held, and that stay for now.
    pub locked: u64,
    /// The same while the loop runs.
    waiting: Vec<Page>,
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
pub struct Batches<'a, A: Action> {
    /// The runner.
    pub runner: &'a Runner,
    /// What the action sees.
    pub cx: &'a Context,
    /// The job's lease.
    pub lease: &'a Lease,
    /// The action, prepared.
    pub action: &'a A,
    /// What it was prepared for.
    pub target: &'a A::Target,
    /// What it is called.
    pub label: &'a Label,
    /// What is known of it.
    pub facts: &'a Facts,
    /// The pass it belongs to.
    pub pass: Checkpoint,
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
    /// Rolled back: a lock was not to be had.
    Busy(StoreFailure),
    /// The store is away, busy beyond patience, or refuses: no use going on.
    Hopeless(StoreFailure),
}

impl<A: Action> Batches<'_, A> {
    /// Works until there are no more rows, or a reason to stop. Errors are the ledger's: without evidence nothing goes on.
    pub async fn work(mut self) -> Result<Worked, LedgerError> {
        let mut worked = self.work_through().await?;
        let (tally, notes) = self.action.partial_tally(self.cx).await;
        worked.tally.add(tally);
        worked.failed = worked.aside.rows();
        if worked.aside.has_unsorted() && worked.cut.is_none() {
            worked.cut = Some(Cut::GaveUp(NotReached::TooManyFailures));
        }
        worked.reasons.extend(std::mem::take(&mut worked.aside).reasons(self.facts.noun));
        if !matches!(worked.cut, Some(Cut::OutOfTime | Cut::Stopped)) || !worked.waiting.is_empty() {
            // Over even when rows stay: a pass that went on would keep its cutoff, and never look at those behind its cursor again.
            self.runner.ledger.end_checkpoint(self.lease, &self.label.dataset, &self.label.policy, self.runner.now()).await?;
        }
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
        let mut pace = BatchSize::default();
        let place: Option<Cursor> = self.pass.cursor.clone().and_then(|value| serde_json::from_value(value).ok());
        let mut queue = Queue::behind(place);
        let mut walk = Walk { number: 1, batches: 0 };
        let (mut late, mut busy) = (0, 0);
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
                Ok(None) if !worked.waiting.is_empty() && late < LATE && !self.pause_is_stopped(late).await => {
                    late += 1;
                    queue.take_again(std::mem::take(&mut worked.waiting));
                    continue;
                }
                Ok(None) if self.is_worth_another_walk(&mut walk, &worked) => {
                    worked.aside.begin_again();
                    (worked.locked, late) = (0, 0);
                    worked.waiting.clear();
                    queue = Queue::behind(None);
                    continue;
                }
                Ok(None) => {
                    if !worked.waiting.is_empty() && self.runner.stop.is_cancelled() {
                        // The signal came while rows that others hold waited to be tried again.
                        self.must_stop(&mut worked);
                    }
                    break;
                }
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
            match self.batch(&page, queue.in_order(), known, busy, &mut pace).await? {
                Ended::Done(mut tally) => {
                    worked.waiting.extend(tally.locked.take());
                    pace.learn(rows, began.elapsed());
                    worked.aside.worked();
                    worked.batches += 1;
                    self.allowance.spend(&tally.counts);
                    worked.tally.add(tally);
                    self.runner.progress.advance(rows);
                }
                Ended::HoldsChanged => queue.give_back(page),
                Ended::Failed(failure) if worked.aside.may_part() => {
                    if let Err(row) = queue.halve(page) {
                        worked.aside.row(&failure, self.action.row_names(self.cx, &row).pop());
                    }
                }
                Ended::Failed(failure) => {
                    worked.aside.whole(&failure, rows);
                    if worked.aside.is_hopeless() && worked.tally.counts.done() == 0 {
                        worked.cut = Some(Cut::GaveUp(NotReached::TooManyFailures));
                        return Ok(worked);
                    }
                }
                Ended::Busy(_) if busy < BUSY && rows > 1 => {
                    busy += 1;
                    drop(queue.halve(page));
                }
                Ended::Busy(failure) if busy > 0 => {
                    worked.locked += rows;
                    worked.reasons.retain(|reason| reason.code.as_deref() != Some(codes::LOCKED.as_str()));
                    worked.reasons.push(locked(worked.locked, &failure.to_string()));
                }
                Ended::Busy(failure) | Ended::Hopeless(failure) => {
                    worked.give_up(reason(&failure));
                    if self.runner.stop.is_cancelled() {
                        // The signal came while the batch waited to be tried again.
                        self.must_stop(&mut worked);
                    }
                    return Ok(worked);
                }
            }
        }
        let waiting: u64 = worked.waiting.iter().map(Page::rows).sum();
        if waiting > 0 {
            worked.locked += waiting;
            worked.reasons.push(locked(waiting, "locked by another transaction"));
        }
        Ok(worked)
    }

    /// Gives the others time to let go of their locks; true when a signal came, or there is no time.
    async fn pause_is_stopped(&self, late: u32) -> bool {
        let pause = PAUSE * 2u32.pow(late);
        if self.deadline.is_some_and(|deadline| Instant::now() + pause >= deadline) {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = self.runner.stop.cancelled() => true,
        }
    }

    /// Where a table refers to itself, what went may have freed what it referred to: leaves go first, then what they hung on.
    fn is_worth_another_walk(&self, walk: &mut Walk, worked: &Worked) -> bool {
        let went = worked.batches > walk.batches;
        *walk = Walk { number: walk.number + 1, batches: worked.batches };
        went && walk.number <= WALKS && self.action.frees_its_own()
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
        let checked = Box::pin(A::prepare(self.cx, self.target, as_of)).await.map(|_| (Holds::Changed, known));
        Ok(checked.map_err(|failure| reason(&failure)))
    }

    /// Intent, the work, outcome. Tried again while the store is merely busy, each time the whole batch.
    async fn batch(
        &mut self,
        page: &Page,
        in_order: bool,
        known: i64,
        busy: u32,
        pace: &mut BatchSize,
    ) -> Result<Ended, LedgerError> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_times(if busy > 0 { 0 } else { self.runner.retries })
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
            let Some(pause) = pauses.next().filter(|_| !hopeless) else {
                let in_parts = failure.is_busy() && self.facts.locks_rows;
                return Ok(if in_parts { Ended::Busy(failure) } else { Ended::Hopeless(failure) });
            };
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
            counts: Event::counted(&tally.counts),
            changed: tally.changed,
            conflict: tally.conflicts.len() as u64,
            digest: tally.digest.clone(),
            // Bound by the ledger, which writes both down.
            pass: None,
        };
        self.runner.ledger.append_with_checkpoint(self.lease, &event, &self.pass, self.runner.now()).await.map(drop)
    }

    async fn append(&self, event: &Event) -> Result<(), LedgerError> {
        self.runner.ledger.append_under(self.lease, event, self.runner.now()).await.map(drop)
    }

    /// A place of the walk as the ledger may know it.
    fn kept(&self, place: &[Cell]) -> serde_json::Value {
        self.facts.keeps.place(place).and_then(|place| serde_json::to_value(place).ok()).unwrap_or_default()
    }
}

/// Says that rows stay for now.
fn locked(rows: u64, why: &str) -> Reason {
    let stay = if rows == 1 { "stays" } else { "stay" };
    Reason {
        weight: Weight::Temporary,
        code: Some(codes::LOCKED.to_string()),
        text: format!("{} {stay} for now: {why}", format::plural(rows, "row")),
        help: Some("the next run takes them; a transaction that is open for hours is worth a look".into()),
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
}
