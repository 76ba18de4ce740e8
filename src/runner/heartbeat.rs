//! A look that takes long is told while it goes on: nobody waits before a silent screen.

use crate::action::Context;
use crate::runner::progress::{Looking, Progress};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often whoever watches is asked whether to say something.
const EACH: Duration = Duration::from_secs(1);

/// Awaits a look, and tells `progress` every second how far it is. `what` names it; `stores` are those it asks.
pub async fn with_heartbeat<T>(
    look: impl Future<Output = T>,
    progress: &dyn Progress,
    cx: &Context,
    what: &str,
    stores: &[&str],
) -> T {
    let mut look = pin!(look);
    let (began, (scans, found)) = (Instant::now(), seen(cx, stores));
    let mut ticks = interval(EACH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut told = false;
    loop {
        tokio::select! {
            biased;
            found = &mut look => {
                if told {
                    progress.looked();
                }
                return found;
            }
            _ = ticks.tick() => {
                told = true;
                let now = seen(cx, stores);
                let keys = (now.0 > scans).then(|| now.1.saturating_sub(found));
                let part = keys.and_then(|_| part(cx, stores));
                progress.looking(&Looking { what, took: began.elapsed(), keys, part });
            }
        }
    }
}

/// What stores with keys tell of themselves: SCANs answered, names found. Other stores count by themselves and tell at the end.
fn seen(cx: &Context, stores: &[&str]) -> (u64, u64) {
    let keys = stores.iter().filter_map(|store| cx.stores.keys(store).ok());
    keys.fold((0, 0), |(scans, found), store| (scans + store.sight().scans(), found + store.sight().keys()))
}

/// Only where one store of keys is looked at: of two walks at a time there is no one share.
fn part(cx: &Context, stores: &[&str]) -> Option<f64> {
    match stores {
        [store] => cx.stores.keys(store).ok()?.sight().part(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Label;
    use crate::job::spec::{Job, Mode, ReportRule};
    use crate::place::Place;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Progress for Heard {
        fn begin(&self, _: &Label, _: u64) {}
        fn advance(&self, _: u64) {}
        fn note(&self, _: &str) {}
        fn end(&self) {}
        fn looking(&self, look: &Looking<'_>) {
            self.0.lock().unwrap().push(look.to_string());
        }
        fn looked(&self) {
            self.0.lock().unwrap().push("looked".to_owned());
        }
    }

    fn context() -> Context {
        let job = Job {
            name: "look".into(),
            action: "probe".into(),
            policies: vec![],
            after: vec![],
            schedule: None,
            timezone: chrono_tz::UTC,
            budget: None,
            pause: Default::default(),
            retry_after: None,
            mode: Mode::Observe,
            report: ReportRule::default(),
            place: Place::File { file: "j.yaml".into(), line: 1, column: 1 },
        };
        Context::new("run".into(), Arc::new(job), Arc::default(), Arc::default(), vec![])
    }

    #[tokio::test]
    async fn a_long_look_is_told_each_second_and_a_short_one_never() {
        let (heard, cx) = (Heard::default(), context());
        let look = |time| {
            with_heartbeat(async move { tokio::time::sleep(Duration::from_millis(time)).await }, &heard, &cx, "core.t", &["core"])
        };
        look(300).await;
        assert_eq!(*heard.0.lock().unwrap(), Vec::<String>::new());
        look(1_500).await;
        assert_eq!(*heard.0.lock().unwrap(), ["core.t: looked at for 1 s", "looked"]);
    }
}
