//! The ticking: tokio-cron-scheduler asks every half second which job is due, and we answer from our own calendar.
//!
//! The scheduler (0.15.1) reduces a zone to a fixed offset, wants six fields, reads day of month *and* day of week, and
//! silently deletes a job without a next tick. So its storage is ours: it gets the next tick of each [`ScheduledJob`] as
//! [`Schedule`](crate::job::schedule::Schedule) computes it, and what it would store in return is ignored.

use crate::worker::jobs::ScheduledJob;
use chrono::{DateTime, Duration as Span, Utc};
use std::collections::HashMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_cron_scheduler::job::job_data::{JobAndNextTick, JobStoredData};
use tokio_cron_scheduler::store::{DataStore, InitStore, MetaDataStorage};
use tokio_cron_scheduler::{
    Job, JobScheduler, JobSchedulerError, SimpleJobCode, SimpleNotificationCode, SimpleNotificationStore,
};
use uuid::Uuid;

/// The scheduler insists on a pattern of its own for each job; it is parsed, and never decides anything.
const UNUSED_PATTERN: &str = "0 0 0 1 1 *";

/// A clock set back by more than this makes us compute every next tick anew, or a job would wait out the difference.
const SET_BACK: Span = Span::minutes(1);

/// The next tick of every job, and the sign of life of who asks for it.
#[derive(Debug)]
pub struct Clock {
    hands: Mutex<Hands>,
}

#[derive(Debug)]
struct Hands {
    slots: HashMap<Uuid, Slot>,
    /// When the scheduler last asked. Monotonic: a machine that slept is not a clock that stood still.
    asked: Instant,
    /// What the wall clock said then.
    seen: DateTime<Utc>,
}

#[derive(Debug)]
struct Slot {
    entry: ScheduledJob,
    next: Option<DateTime<Utc>>,
    data: Option<JobStoredData>,
}

impl Clock {
    /// A clock whose jobs are due from `now` on, not yet ticking.
    pub fn new(entries: Vec<ScheduledJob>, now: DateTime<Utc>) -> Arc<Self> {
        let slots = slots(entries, &HashMap::new(), now);
        Arc::new(Self { hands: Mutex::new(Hands { slots, asked: Instant::now(), seen: now }) })
    }

    /// Goes by other jobs and schedules from here on; a tick of one that stays as it was is neither lost nor taken twice.
    ///
    /// A scheduler knows only the jobs it was started with: start another one afterwards.
    pub fn replace(&self, entries: Vec<ScheduledJob>, now: DateTime<Utc>) {
        let mut hands = self.hands();
        hands.slots = slots(entries, &hands.slots, now);
    }

    /// Starts the ticking: `on_tick` is called with the job and the tick that is due, within half a second of it.
    ///
    /// Dropping the scheduler does not stop it; its `shutdown` does.
    ///
    /// # Errors
    /// Those of the scheduler.
    pub async fn start(
        self: &Arc<Self>,
        on_tick: impl Fn(&str, DateTime<Utc>) + Send + Sync + 'static,
    ) -> Result<JobScheduler, JobSchedulerError> {
        let ids: Vec<Uuid> = self.hands().slots.keys().copied().collect();
        // A channel that overflows loses additions for good (activations we answer again half a second later).
        let room = 1_024.max(ids.len() * 4);
        let scheduler = JobScheduler::new_with_storage_and_code(
            Box::new(Storage(self.clone())),
            Box::new(SimpleNotificationStore::default()),
            Box::new(SimpleJobCode::default()),
            Box::new(SimpleNotificationCode::default()),
            room,
        )
        .await?;
        let on_tick = Arc::new(on_tick);
        for id in ids {
            let (clock, on_tick) = (self.clone(), on_tick.clone());
            let mut job = Job::new_async(UNUSED_PATTERN, move |id, _| {
                if let Some((job, due)) = clock.claim(id, crate::clock::now()) {
                    on_tick(&job, due);
                }
                Box::pin(ready(()))
            })?;
            let data = JobStoredData { id: Some(id.into()), ..job.job_data()? };
            job.set_job_data(data)?;
            scheduler.add(job).await?;
        }
        self.hands().asked = Instant::now();
        scheduler.start().await?;
        Ok(scheduler)
    }

    /// The next tick of a job.
    pub fn next(&self, job: &str) -> Option<DateTime<Utc>> {
        self.hands().slots.values().find(|slot| slot.entry.name == job).and_then(|slot| slot.next)
    }

    /// Whether the scheduler asked within `limit`.
    pub fn ticks_within(&self, limit: Duration) -> bool {
        self.hands().asked.elapsed() <= limit
    }

    /// Takes the tick that is due and moves on to the next; `None` when it was taken already.
    ///
    /// However many ticks have passed (the machine slept), the latest is taken for all of them. The scheduler may
    /// call twice for one tick when it is slow: only the first call finds something.
    fn claim(&self, id: Uuid, now: DateTime<Utc>) -> Option<(String, DateTime<Utc>)> {
        let mut hands = self.hands();
        let slot = hands.slots.get_mut(&id)?;
        let first = slot.next.filter(|next| *next <= now)?;
        let ScheduledJob { name, schedule, zone, .. } = &slot.entry;
        let due = schedule.missed_since(Some(first), now, *zone).unwrap_or(first);
        slot.next = schedule.next_after(now, *zone);
        Some((name.clone(), due))
    }

    /// The scheduler's question, each half second.
    fn asked(&self, now: DateTime<Utc>) -> Vec<JobAndNextTick> {
        let mut hands = self.hands();
        hands.asked = Instant::now();
        if now < hands.seen - SET_BACK {
            tracing::warn!(was = %hands.seen, is = %now, "the system's clock was set back; every next tick is computed anew");
            hands.slots.values_mut().for_each(|slot| slot.next = slot.entry.schedule.next_after(now, slot.entry.zone));
        }
        hands.seen = now;
        hands.slots.iter().filter_map(|(id, slot)| slot.asked(*id)).collect()
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot for each job, due from `now` on; one whose schedule is the same keeps its next tick.
fn slots(entries: Vec<ScheduledJob>, before: &HashMap<Uuid, Slot>, now: DateTime<Utc>) -> HashMap<Uuid, Slot> {
    let kept = |entry: &ScheduledJob| before.values().find(|slot| slot.entry.ticks_like(entry)).and_then(|slot| slot.next);
    let slot = |entry: ScheduledJob| {
        let next = kept(&entry).or_else(|| entry.schedule.next_after(now, entry.zone));
        (Uuid::now_v7(), Slot { next, entry, data: None })
    };
    entries.into_iter().map(slot).collect()
}

impl Slot {
    /// `None` for a job without a next tick: the scheduler would delete it.
    fn asked(&self, id: Uuid) -> Option<JobAndNextTick> {
        let data = self.data.as_ref()?;
        let next_tick = u64::try_from(self.next?.timestamp()).ok().filter(|next| *next > 0)?;
        // Without a last tick the scheduler fires whenever `next_tick` has come: `claim` decides the rest.
        Some(JobAndNextTick { id: Some(id.into()), next_tick, last_tick: None, job_type: data.job_type })
    }
}

/// The clock in the shape that the scheduler asks for.
struct Storage(Arc<Clock>);

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, JobSchedulerError>> + Send>>;

fn answer<T: Send + 'static>(value: T) -> Answer<T> {
    Box::pin(ready(Ok(value)))
}

impl MetaDataStorage for Storage {
    fn list_next_ticks(&mut self) -> Answer<Vec<JobAndNextTick>> {
        answer(self.0.asked(crate::clock::now()))
    }

    /// What comes here was computed from the fixed offset: `claim` knows better.
    fn set_next_and_last_tick(&mut self, _: Uuid, _: Option<DateTime<Utc>>, _: Option<DateTime<Utc>>) -> Answer<()> {
        answer(())
    }

    fn time_till_next_job(&mut self) -> Answer<Option<Duration>> {
        let now = crate::clock::now();
        let next = self.0.hands().slots.values().filter_map(|slot| slot.next).min();
        answer(next.map(|next| (next - now).to_std().unwrap_or_default()))
    }
}

impl DataStore<JobStoredData> for Storage {
    fn get(&mut self, id: Uuid) -> Answer<Option<JobStoredData>> {
        answer(self.0.hands().slots.get(&id).and_then(|slot| slot.data.clone()))
    }

    fn add_or_update(&mut self, data: JobStoredData) -> Answer<()> {
        let id = data.id.map(Uuid::from);
        let mut hands = self.0.hands();
        let Some(slot) = id.and_then(|id| hands.slots.get_mut(&id)) else {
            return Box::pin(ready(Err(JobSchedulerError::CantAdd)));
        };
        slot.data = Some(data);
        answer(())
    }

    fn delete(&mut self, id: Uuid) -> Answer<()> {
        self.0.hands().slots.remove(&id);
        answer(())
    }
}

impl InitStore for Storage {
    fn init(&mut self) -> Answer<()> {
        answer(())
    }

    fn inited(&mut self) -> Answer<bool> {
        answer(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::schedule::Schedule;
    use chrono_tz::{Europe, Tz};

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    fn clock(line: &str, zone: Tz, now: &str) -> (Arc<Clock>, Uuid) {
        let entry = ScheduledJob {
            name: "nightly".to_owned(),
            schedule: Schedule::parse(line).unwrap(),
            zone,
            after: vec![],
            patience: None,
            retry_after: None,
        };
        let clock = Clock::new(vec![entry], at(now));
        let id = *clock.hands().slots.keys().next().unwrap();
        (clock, id)
    }

    #[test]
    fn the_next_tick_keeps_the_wall_clock_over_the_dst_night() {
        let (clock, id) = clock("30 9 * * *", Europe::Amsterdam, "2026-10-24T00:00:00Z");
        assert_eq!(clock.claim(id, at("2026-10-24T07:30:00.4Z")), Some(("nightly".to_owned(), at("2026-10-24T07:30:00Z"))));
        assert_eq!(clock.next("nightly"), Some(at("2026-10-25T08:30:00Z")));
    }

    #[test]
    fn a_tick_is_taken_once_however_often_the_scheduler_calls() {
        let (clock, id) = clock("0 * * * *", Tz::UTC, "2026-01-01T00:30:00Z");
        assert_eq!(clock.claim(id, at("2026-01-01T00:59:59.9Z")), None);
        assert!(clock.claim(id, at("2026-01-01T01:00:00.1Z")).is_some());
        assert_eq!(clock.claim(id, at("2026-01-01T01:00:00.6Z")), None);
    }

    #[test]
    fn the_ticks_of_a_machine_that_slept_are_one_run() {
        let (clock, id) = clock("0 * * * *", Tz::UTC, "2026-01-01T00:30:00Z");
        assert_eq!(clock.claim(id, at("2026-01-03T10:20:00Z")), Some(("nightly".to_owned(), at("2026-01-03T10:00:00Z"))));
        assert_eq!(clock.claim(id, at("2026-01-03T10:20:01Z")), None);
        assert_eq!(clock.next("nightly"), Some(at("2026-01-03T11:00:00Z")));
    }

    #[test]
    fn a_reload_keeps_the_tick_of_a_job_that_stays_as_it_was_and_forgets_the_others() {
        let (clock, id) = clock("0 * * * *", Tz::UTC, "2026-01-01T00:30:00Z");
        let kept = clock.hands().slots[&id].entry.clone();
        let moved = ScheduledJob { name: "moved".into(), ..kept.clone() };
        // The tick of 01:00 has come and was not taken yet when the reload begins.
        clock.replace(vec![kept, moved], at("2026-01-01T01:00:00.2Z"));
        assert_eq!(clock.next("nightly"), Some(at("2026-01-01T01:00:00Z")));
        assert_eq!(clock.next("moved"), Some(at("2026-01-01T02:00:00Z")));
        assert_eq!(clock.claim(id, at("2026-01-01T01:00:01Z")), None, "the scheduler before is not listened to");
        clock.replace(vec![], at("2026-01-01T01:00:02Z"));
        assert_eq!(clock.next("nightly"), None);
    }

    #[test]
    fn a_clock_set_back_does_not_silence_a_job() {
        let (clock, _) = clock("0 * * * *", Tz::UTC, "2036-01-01T00:30:00Z");
        clock.asked(at("2036-01-01T00:30:30Z"));
        clock.asked(at("2026-01-01T05:10:00Z"));
        assert_eq!(clock.next("nightly"), Some(at("2026-01-01T06:00:00Z")));
    }

    #[tokio::test]
    async fn the_scheduler_ticks_each_second_by_our_calendar() {
        let entry = ScheduledJob {
            name: "each".to_owned(),
            schedule: Schedule::in_seconds("* * * * * *"),
            zone: Tz::UTC,
            after: vec![],
            patience: None,
            retry_after: None,
        };
        let clock = Clock::new(vec![entry], crate::clock::now());
        let (heard, mut ticks) = tokio::sync::mpsc::unbounded_channel();
        let mut scheduler = clock.start(move |job, due| heard.send((job.to_owned(), due)).unwrap()).await.unwrap();
        let (first, second) = (ticks.recv().await.unwrap().1, ticks.recv().await.unwrap().1);
        scheduler.shutdown().await.unwrap();
        assert!(first < second && second - first <= Span::seconds(2), "{first} {second}");
        assert!(clock.ticks_within(Duration::from_secs(2)));
    }

    #[tokio::test]
    async fn a_clock_that_nobody_asks_stands_still() {
        let clock = Clock::new(vec![], crate::clock::now());
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!clock.ticks_within(Duration::from_millis(10)));
    }
}
