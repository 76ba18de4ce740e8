//! What an event of the ledger says, in a line.

use crate::actions::counters;
use crate::ledger::chain::Link;
use crate::ledger::event::Event;
use crate::report::format::{count, instant, plural};

/// The event in words; one that a later steward wrote, as it is stored.
pub(super) fn told(link: &Link) -> String {
    link.event().map_or_else(|| link.body.clone(), |event| sentence(&event))
}

fn sentence(event: &Event) -> String {
    match event {
        Event::RunStarted { job, action, dry_run, as_of, started_by, .. } => {
            let dry = if *dry_run { ", a dry run" } else { "" };
            let by = started_by.as_ref().map(|by| format!(", started {by}")).unwrap_or_default();
            format!("job `{job}` begins to {action}, as of {}{dry}{by}", instant(*as_of))
        }
        Event::Approved { plan, by, made, made_by } => {
            let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let made = made.map(|made| format!(", made {}", instant(made))).unwrap_or_default();
            let made_by = made_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            format!("plan file {plan} approved{by}{made}{made_by}")
        }
        Event::Refused { dataset, policy, reason } => format!("`{dataset}` (policy `{policy}`) left alone: {reason}"),
        Event::Intent { batch, dataset, rows, .. } => {
            format!("batch {batch}: about to change {} of `{dataset}`", plural(*rows, "row"))
        }
        Event::Outcome { batch, counts, changed, conflict, .. } => {
            let counts = counts.clone().declared_by(&counters());
            let mut parts: Vec<(u64, &str)> = counts.said().collect();
            parts.extend([(*changed, "changed meanwhile"), (*conflict, "in conflict")]);
            let parts = parts.iter().filter(|(rows, _)| *rows > 0);
            let parts: Vec<String> = parts.map(|(rows, what)| format!("{} {what}", count(*rows))).collect();
            format!("batch {batch}: {}", if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") })
        }
        Event::Failed { batch, reason } => format!("batch {batch} rolled back: {reason}"),
        Event::Settled { batch, of_run, verdict, .. } => format!("batch {batch} of run {of_run} settled: {verdict}"),
        Event::Findings { count: findings, .. } => format!("{} recorded", plural(*findings, "finding")),
        Event::HoldAdded { name, dataset, because, by, .. } => {
            format!("hold `{name}` on `{dataset}` put down by {by}: {because}")
        }
        Event::HoldSeen { name, dataset, because, place, .. } => {
            format!("hold `{name}` on `{dataset}` seen at {place}: {because}")
        }
        Event::HoldReleased { name, by, why } => format!("hold `{name}` released by {by}: {why}"),
        Event::TickSkipped { job, due, reason } => format!("job `{job}`, due {}, skipped: {reason}", instant(*due)),
        Event::TickFailed { job, due, reason } => format!("job `{job}`, due {}, came to nothing: {reason}", instant(*due)),
        Event::JobStopped { job, outcome, reason } => format!("job `{job}` does not run (`{}`): {reason}", outcome.word()),
        Event::JobResumed { job, since, reason } => {
            format!("job `{job}` can run again; since {} it could not: {reason}", instant(*since))
        }
        Event::LeaseTaken { job, token, host, pid } => {
            format!("lock of job `{job}` taken by process {pid} on {host} (token {token})")
        }
        Event::RunEnded { outcome, exit, .. } => format!("ended `{}`, exit {exit}", outcome.word()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::Counts;
    use crate::ledger::chain::Head;

    #[test]
    fn counts_that_are_zero_are_not_told() {
        let outcome = Event::Outcome {
            batch: "b1".into(),
            counts: Event::counted(&Counts::from([("archived", 1_204), ("removed", 1_204)])),
            changed: 2,
            conflict: 0,
            digest: None,
            pass: None,
        };
        assert_eq!(sentence(&outcome), "batch b1: 1,204 archived, 1,204 removed, 2 changed meanwhile");
    }

    #[test]
    fn an_event_of_a_later_steward_is_shown_as_it_is_stored() {
        let event = Event::Failed { batch: "b".into(), reason: "x".into() };
        let link = Link::after(&Head::genesis(), None, crate::clock::now(), &event).unwrap();
        assert_eq!(told(&Link { kind: "teleported".into(), ..link }), r#"{"batch":"b","reason":"x"}"#);
    }
}
