//! A job from its file.

use super::file::{JobFile, PauseEntry};
use super::spec::{Job, Pause, PauseQuery, ReportRule};
use crate::config::mailbox::{SHAPE, mailbox};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::job::schedule::Schedule;
use crate::place::Place;
use crate::policy::period::Period;
use crate::yaml::de;
use crate::yaml::node::{At, Node, Value};
use crate::yaml::reading::Reading;
use chrono_tz::Tz;
use std::sync::Arc;

/// The longest name: a CronJob's, to which Kubernetes adds eleven characters.
pub const MAX_NAME: usize = 52;

/// Actions that are known and not built.
pub const NOT_BUILT: &[&str] = &["encrypt"];

/// A job as read, with the places that later checks point at.
#[derive(Debug, Clone)]
pub struct ReadJob {
    /// The job.
    pub job: Job,
    /// Where each of its patterns stands, in their order.
    pub pattern_places: Vec<Place>,
    /// Where each job stands that it comes after, in their order.
    pub after_places: Vec<Place>,
    /// Stores that are asked whether to wait, and where they stand.
    pub pause_stores: Vec<At<String>>,
    /// The query that says whether to wait, and where it stands.
    pub pause_query: Option<At<PauseQuery>>,
    /// True when something in the file is wrong, which has been told; its patterns are checked all the same.
    pub broken: bool,
}

/// A job's name from its file's stem; an error says what is wrong with it.
///
/// # Errors
/// `SW3001`, without a place in the text: it is the file's name.
pub fn name_of(file: &Arc<str>, stem: &str) -> Result<String, Box<Diagnostic>> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let sound =
        stem.chars().all(|c| plain(c) || c == '-') && stem.starts_with(plain) && stem.ends_with(plain) && stem.len() <= MAX_NAME;
    if sound {
        return Ok(stem.to_owned());
    }
    let place = Place::File { file: file.clone(), line: 1, column: 1 };
    let better: String = stem.to_lowercase().chars().map(|c| if plain(c) { c } else { '-' }).take(MAX_NAME).collect();
    let diagnostic =
        Diagnostic::error(codes::JOB_NAME, format!("`{stem}` cannot be a job's name; the job was not read")).at(&place);
    Err(Box::new(diagnostic.help(match better.trim_matches('-') {
        "" => "lowercase letters, digits and `-`, at most 52 characters".to_owned(),
        better => format!("call the file `{better}.yaml`"),
    })))
}

/// The job in a file; none, with notes, when not even its action and policies can be read. `actions` are those that are built.
pub fn read(name: &str, root: &Node, actions: &[&str], reading: &mut Reading<'_>) -> Option<ReadJob> {
    let notes = reading.notes.len();
    if root.value == Value::Null {
        reading.note(
            Diagnostic::error(codes::SIZE, format!("the job `{name}` says nothing"))
                .at(&root.place)
                .help("a job needs at least `action` and `policies`"),
        );
        return None;
    }
    let Some(file) = de::read::<JobFile>(root, reading) else {
        // Another key cannot be read; what is wrong with the action is told all the same.
        if let Some((action, text)) = root.get("action").and_then(|node| Some((node, node.scalar()?))) {
            check_action(&At::new(text.to_owned(), action.place.clone()), actions, reading);
        }
        return None;
    };
    check_action(&file.action, actions, reading);
    check_schedule(file.schedule.as_ref(), reading);
    let ReadPause { pause, lag, stores: pause_stores, query: pause_query } = pause(file.pause_when, reading);
    let retry = file.retry.and_then(|retry| retry.after);
    for (what, period) in [("budget", &file.budget), ("replica_lag", &lag), ("retry", &retry)] {
        if let Some(period) = period.as_ref().filter(|period| period.value.is_zero()) {
            let diagnostic = Diagnostic::error(codes::BUDGET, format!("`{what}` is zero")).at(&period.place);
            reading.note(diagnostic.help("leave the key out: there is no limit then, and the usual pause before a retry"));
        }
    }
    if file.policies.value.is_empty() && reading.notes.len() == notes {
        let diagnostic =
            Diagnostic::error(codes::NO_POLICY, format!("the job `{name}` acts on no policy")).at(&file.policies.place);
        reading.note(diagnostic.help("name at least one, or `\"*\"` for all with its step"));
    }
    let to = file.report.as_ref().and_then(|report| report.to.clone()).unwrap_or_default();
    for address in &to {
        if let Err(why) = mailbox(&address.value) {
            let message = format!("`{}` is not an address: {why}", address.value);
            reading.note(Diagnostic::error(codes::ADDRESS, message).at(&address.place).help(SHAPE));
        }
    }
    let value = |period: Option<At<Period>>| period.map(|period| period.value);
    let (patterns, pattern_places) = file.policies.value.into_iter().map(|pattern| (pattern.value, pattern.place)).unzip();
    let (after, after_places) = file.after.unwrap_or_default().into_iter().map(|job| (job.value, job.place)).unzip();
    Some(ReadJob {
        broken: reading.notes.len() > notes,
        job: Job {
            name: name.to_owned(),
            action: file.action.value,
            policies: patterns,
            after,
            schedule: file.schedule.map(|schedule| schedule.value),
            timezone: file.timezone.map_or(Tz::UTC, |zone| zone.0),
            budget: value(file.budget),
            pause,
            retry_after: value(retry),
            mode: file.mode.unwrap_or_default(),
            report: ReportRule {
                to: to.into_iter().map(|to| to.value).collect(),
                when: file.report.and_then(|report| report.when).unwrap_or_default(),
            },
            place: root.place.clone(),
        },
        pattern_places,
        after_places,
        pause_stores,
        pause_query,
    })
}

/// What a job waits for, with the places of its parts.
#[derive(Default)]
struct ReadPause {
    pause: Pause,
    lag: Option<At<Period>>,
    /// The stores that are asked.
    stores: Vec<At<String>>,
    query: Option<At<PauseQuery>>,
}

fn pause(entry: Option<PauseEntry>, reading: &mut Reading<'_>) -> ReadPause {
    let Some(entry) = entry else { return ReadPause::default() };
    let replicas = entry.replicas.unwrap_or_default();
    if let Some(replica) = replicas.first().filter(|_| entry.replica_lag.is_none()) {
        let message = "`replicas` are asked for their lag, and no `replica_lag` says how much is too much";
        let diagnostic = Diagnostic::error(codes::MISSING_KEY, message).at(&replica.place);
        reading.note(diagnostic.help("add `replica_lag: 5 s`"));
    }
    let pause = Pause {
        replica_lag: entry.replica_lag.as_ref().map(|lag| lag.value),
        replicas: replicas.iter().map(|replica| replica.value.clone()).collect(),
        query: entry.query.as_ref().map(|query| PauseQuery { store: query.store.value.clone(), sql: query.sql.value.clone() }),
    };
    let query = entry.query.as_ref().zip(pause.query.clone()).map(|(written, query)| At::new(query, written.sql.place.clone()));
    let stores = replicas.into_iter().chain(entry.query.map(|query| query.store)).collect();
    ReadPause { pause, lag: entry.replica_lag, stores, query }
}

fn check_action(action: &At<String>, built: &[&str], reading: &mut Reading<'_>) {
    let name = action.value.as_str();
    if built.contains(&name) {
        return;
    }
    if NOT_BUILT.contains(&name) {
        let message = format!("the action `{name}` is not built yet; this job would do nothing");
        reading.note(Diagnostic::error(codes::NOT_BUILT, message).at(&action.place).help("take the job out until it is there"));
        return;
    }
    let message = format!("there is no action `{name}`");
    reading.note(
        Diagnostic::error(codes::UNKNOWN_ACTION, message)
            .at(&action.place)
            .help_if(suggest::suggestion(name, built.iter().copied())),
    );
}

fn check_schedule(schedule: Option<&At<String>>, reading: &mut Reading<'_>) {
    let Some(schedule) = schedule else { return };
    if let Err(error) = Schedule::parse(&schedule.value) {
        reading.note(schedule_error(schedule, &error.to_string()));
    }
}

/// A schedule that cannot be read, and why.
fn schedule_error(schedule: &At<String>, message: &str) -> Diagnostic {
    Diagnostic::error(codes::SCHEDULE, message)
        .at(&schedule.place)
        .help("minute, hour, day of month, month, day of week: `15 2 * * *` is every night at 02:15")
}
