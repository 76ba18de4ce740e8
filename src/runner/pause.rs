//! Live traffic comes first: waits while replicas lag, with a deadline, and says what it waits for (promise 6).

use crate::action::{Context, reason};
use crate::diagnostic::catalogue as codes;
use crate::report::run::{Reason, Weight};
use crate::runner::engine::Runner;
use crate::store::failure::StoreFailure;
use crate::store::replica::Lag;
use std::time::{Duration, Instant};

/// A run that may not go on for so long gives up.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits until replicas are near enough. The reason to give up is temporary: the next run goes on.
pub async fn until_replicas_are_near(
    runner: &Runner,
    cx: &Context,
    store: &str,
    deadline: Option<Instant>,
) -> Result<(), Reason> {
    let Some(most) = cx.job.pause_when_replica_lag.and_then(|period| period.duration().to_std().ok()) else { return Ok(()) };
    let began = Instant::now();
    let deadline = deadline.unwrap_or(began + PATIENCE).min(began + PATIENCE);
    let mut told = false;
    loop {
        let why = match look(cx, store).await {
            Ok(Lag::Known(lag)) if lag <= most => return Ok(()),
            Ok(Lag::Known(lag)) => {
                format!("replicas of `{store}` lag {:.1} s, more than {} s", lag.as_secs_f64(), most.as_secs())
            }
            Ok(Lag::Unknown(why)) => format!("the replica lag of `{store}` is unknown, which counts as lag: {why}"),
            // A store without replicas of that kind will have none in ten minutes either.
            Err(failure @ StoreFailure::Refused { code: codes::WRONG_FAMILY, .. }) => return Err(reason(&failure)),
            Err(failure) => failure.to_string(),
        };
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

async fn look(cx: &Context, store: &str) -> Result<Lag, StoreFailure> {
    cx.stores.get(store)?.replica_lag(&cx.who()).await
}
