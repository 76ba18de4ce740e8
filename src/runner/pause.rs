//! Live traffic comes first: waits while replicas lag or a query says so, with a deadline, and says what it waits for (promise 6).

use crate::action::{Context, reason};
use crate::job::spec::Pause;
use crate::report::run::{Reason, Weight};
use crate::runner::runner::Runner;
use crate::store::error::StoreFailure;
use crate::store::sql::health::dialect::Lag;
use std::time::{Duration, Instant};

/// A run that may not go on for so long gives up.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits until nothing that the job's `pause_when` names says otherwise. The reason to give up is temporary: the next run goes
/// on. A question that can never be answered is its own reason, at once.
pub async fn until_others_are_served(
    runner: &Runner,
    cx: &Context,
    store: &str,
    deadline: Option<Instant>,
) -> Result<(), Reason> {
    let began = Instant::now();
    let deadline = deadline.unwrap_or(began + PATIENCE).min(began + PATIENCE);
    let mut told = false;
    loop {
        let Some(why) = why_to_wait(cx, store).await? else { return Ok(()) };
        if Instant::now() >= deadline || runner.stop.is_cancelled() {
            let text = format!("{why}; waited {} s, the next run goes on from there", began.elapsed().as_secs());
            return Err(Reason { weight: Weight::Temporary, code: None, text, help: None });
        }
        if !told {
            runner.progress.note(&format!("{why}; waiting"));
            told = true;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = runner.stop.cancelled() => {}
        }
    }
}

/// The first thing that says to wait. What is not known says so too.
async fn why_to_wait(cx: &Context, store: &str) -> Result<Option<String>, Reason> {
    let Pause { replica_lag, replicas, query } = &cx.job.pause;
    if let Some(most) = replica_lag.and_then(|period| period.duration().to_std().ok()) {
        let own = [store.to_owned()];
        for store in if replicas.is_empty() { own.as_slice() } else { replicas.as_slice() } {
            let why = unless_for_good(lag(cx, store, most).await)?;
            if why.is_some() {
                return Ok(why);
            }
        }
    }
    let Some(query) = query else { return Ok(None) };
    let named = |reason: Reason| Reason { text: format!("`pause_when` of the job: {}", reason.text), ..reason };
    unless_for_good(asked(cx, &query.store, &query.sql).await).map_err(named)
}

async fn lag(cx: &Context, store: &str, most: Duration) -> Result<Option<String>, StoreFailure> {
    Ok(match cx.stores.get(store)?.replica_lag(&cx.application_name()).await? {
        Lag::Known(lag) if lag <= most => None,
        Lag::Known(lag) => Some(format!("replicas of `{store}` lag {:.1} s, more than {} s", lag.as_secs_f64(), most.as_secs())),
        Lag::Unknown(why) => Some(format!("the replica lag of `{store}` is unknown, which counts as lag: {why}")),
    })
}

async fn asked(cx: &Context, store: &str, query: &str) -> Result<Option<String>, StoreFailure> {
    let asked = cx.stores.get(store)?.ask(&cx.application_name(), query).await?;
    Ok((asked.value > 0).then(|| format!("the job's `pause_when` query gives {} on store `{store}`", asked.value)))
}

/// What a store that is away or busy would have said is not known, so it counts as a reason to wait. A question
/// that does not work now will not in ten minutes either.
fn unless_for_good(said: Result<Option<String>, StoreFailure>) -> Result<Option<String>, Reason> {
    match said {
        Err(failure) if failure.is_temporary() => Ok(Some(failure.to_string())),
        Err(failure) => Err(reason(&failure)),
        Ok(why) => Ok(why),
    }
}
