//! What keeps a job from running where nobody watches: it is written down, mailed, and told once more when it is over.

use super::app::{self, Closed};
use super::exit::Exit;
use crate::diagnostic::codes;
use crate::diagnostic::diagnosis::Diagnosis;
use crate::diagnostic::message::Severity;
use crate::job::outcome::Outcome;
use crate::ledger::Ledger;
use crate::report::run::{RunReport, Weight};
use crate::runner::notices::{About, Notices};
use crate::runner::stopped::{Obstacle, SERVE, StoppedJobs};
use chrono::SubsecRound;
use std::path::Path;

/// Tells that a job did not run, or, without an obstacle, that it did. Nothing where the configuration cannot be read: nobody knows
/// whom to tell then, and the exit code alone says it.
pub(super) async fn tell(config: &Path, job: &str, obstacle: Option<&Obstacle>) {
    let reading = app::files(config);
    let Some(read) = reading.config() else { return };
    let stopped = StoppedJobs::of(&read.state);
    if obstacle.is_none() && stopped.get(job).is_none() {
        return;
    }
    let about = match job {
        SERVE => About { name: SERVE.to_owned(), action: String::new(), rule: Default::default() },
        name => About::job(name, reading.job(name)),
    };
    let ledger = Ledger::open(&read.ledger).await.ok();
    let notices = Notices { stopped, ledger: ledger.clone(), reporting: app::reporting(read).ok(), stays: false };
    let now = crate::clock::now().trunc_subsecs(6);
    match obstacle {
        Some(obstacle) => notices.stops(&about, obstacle, now).await,
        None => notices.runs_again(&about, now).await,
    }
    if let Some(ledger) = ledger {
        ledger.close().await;
    }
}

/// What is in the way where nothing could be opened.
pub(super) fn of_closed(closed: &Closed) -> Obstacle {
    match closed {
        Closed::Wrong(diagnosis) => Obstacle {
            outcome: Outcome::Invalid,
            reason: in_a_line(diagnosis),
            help: Some("`steward validate` tells all that is wrong".to_owned()),
            by_run: false,
        },
        Closed::Away(end) => of_end(end),
    }
}

/// What is in the way where a command ended so before its run began.
pub(super) fn of_end(end: &Exit) -> Obstacle {
    let outcome = [Outcome::Temporary, Outcome::Partial].into_iter().find(|outcome| outcome.exit() == end.code());
    let help = Some(end.help().to_owned()).filter(|help| !help.is_empty());
    Obstacle { outcome: outcome.unwrap_or(Outcome::Invalid), reason: end.why().to_owned(), help, by_run: false }
}

/// What was in the way of a run that the ledger did not take.
pub(super) fn of_report(report: &RunReport) -> Option<Obstacle> {
    let code = codes::NO_EVIDENCE.as_str();
    let reason = report.reasons.iter().find(|reason| reason.code.as_deref() == Some(code))?;
    let outcome = if reason.weight == Weight::Temporary { Outcome::Temporary } else { Outcome::Partial };
    Some(Obstacle { outcome, reason: reason.text.clone(), help: reason.help.clone(), by_run: false })
}

/// What is wrong, short enough for an event: the first error, its place, and how many more.
pub(super) fn in_a_line(diagnosis: &Diagnosis) -> String {
    let first = diagnosis.diagnostics.iter().find(|one| one.severity == Severity::Error);
    let first = first.map(|one| {
        let place = one.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        format!(": {}{place}", one.message)
    });
    let more = match diagnosis.errors() {
        0 | 1 => String::new(),
        errors => format!(" and {} more", errors - 1),
    };
    format!("the declarations are not valid{}{more}; nothing was run", first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::codes;
    use crate::diagnostic::message::Diagnostic;

    #[test]
    fn what_is_wrong_fits_an_event() {
        let mut diagnosis = Diagnosis::default();
        diagnosis.push(Diagnostic::warning(codes::SIZE, "this policy file says nothing"));
        diagnosis.push(Diagnostic::error(codes::UNKNOWN_KEY, "unknown key `wehre`"));
        diagnosis.push(Diagnostic::error(codes::NO_CLOCK, "no clock"));
        let line = in_a_line(&diagnosis);
        assert_eq!(line, "the declarations are not valid: unknown key `wehre` and 1 more; nothing was run");
    }
}
