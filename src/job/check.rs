//! Holds jobs against policies: every pattern must find something to do.

use super::read::ReadJob;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::place::Place;
use crate::policy::checks::params::Param;
use crate::policy::condition;
use crate::policy::data_model::DataModel;
use crate::policy::glob;
use crate::policy::known_stores::{KnownStores, must_hold};
use crate::policy::policies::Policies;
use crate::policy::section::{Named, Section};
use crate::yaml::node::At;

/// What is not known about policies, and so cannot be called missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unknown<'a> {
    /// Names of policies that are there and wrong.
    pub broken: &'a [String],
    /// A file could not be read at all.
    pub incomplete: bool,
    /// Policy tables are configured and were not read.
    pub tables_unread: bool,
}

impl Unknown<'_> {
    /// True when the pattern may mean something that is there and could not be read.
    fn may_hide(&self, pattern: &str) -> bool {
        self.incomplete || self.broken.iter().any(|name| glob::matches(pattern, name))
    }
}

/// Notes every pattern of a job that finds nothing to do.
pub fn patterns(read: &ReadJob, section: Section, policies: &Policies, unknown: Unknown<'_>, notes: &mut Vec<Diagnostic>) {
    let entries = section.entries(policies);
    for (pattern, place) in read.job.policies.iter().zip(&read.pattern_places) {
        notes.extend(nothing_found(section, pattern, place, &entries, unknown));
    }
}

/// Notes every store that a job asks whether to wait and that cannot be asked.
pub fn pauses(read: &ReadJob, known_stores: &KnownStores<'_>, notes: &mut Vec<Diagnostic>) {
    for At { value: store, place } in &read.pause_stores {
        must_hold(store, &[DataModel::Tables], "a job that waits asks tables", place, known_stores, notes);
    }
    if let Some(At { value: query, place }) = &read.pause_query
        && let Err(fault) = known_stores.language(&query.store).query(&query.sql)
    {
        notes.push(condition::refused("the query", &fault, place));
    }
}

/// Notes every check that names a lifecycle policy nobody declared: it would end as an error in every run.
pub fn named_by_checks(policies: &Policies, unknown: Unknown<'_>, notes: &mut Vec<Diagnostic>) {
    let entries = Section::Delete.entries(policies);
    for check in &policies.checks {
        let named = check.params.0.values().filter_map(|given| match given {
            Param::Policies(names) => Some(names),
            _ => None,
        });
        for pattern in named.flatten() {
            if !unknown.may_hide(pattern) && !entries.iter().any(|entry| entry.is_called(pattern)) {
                let diagnostic = missing(Section::Delete, pattern, &entries, unknown.tables_unread);
                notes.push(diagnostic.at(&check.place));
            }
        }
    }
}

/// Notes every job that another comes after and that is not there, and every job that comes after itself by way of others.
/// `names` are those of all files, whether they could be read or not.
pub fn order(jobs: &[ReadJob], names: &[&str], notes: &mut Vec<Diagnostic>) {
    for read in jobs {
        for (name, place) in read.job.after.iter().zip(&read.after_places) {
            if !names.contains(&name.as_str()) {
                let message = format!("unknown job `{name}` in `after`");
                let help = suggest::suggestion(name, names.iter().copied());
                notes.push(Diagnostic::error(codes::AFTER, message).at(place).help_if(help));
            } else if leads_to(jobs, name, &read.job.name) {
                let message = format!("`{}` comes after `{name}`, and `{name}` comes after it: each would wait", read.job.name);
                notes.push(Diagnostic::error(codes::AFTER, message).at(place).help("take one of them out of `after`"));
            }
        }
    }
}

/// True when the job comes after the other, or is it, directly or by way of others.
fn leads_to(jobs: &[ReadJob], from: &str, to: &str) -> bool {
    let mut seen: Vec<&str> = vec![];
    let mut ahead = vec![from];
    while let Some(name) = ahead.pop() {
        if name == to {
            return true;
        }
        if !seen.contains(&name) {
            seen.push(name);
            ahead.extend(
                jobs.iter().filter(|read| read.job.name == name).flat_map(|read| read.job.after.iter().map(String::as_str)),
            );
        }
    }
    false
}

/// A pattern that means no entry, as far as anybody knows.
fn missing(section: Section, pattern: &str, entries: &[Named<'_>], tables_unread: bool) -> Diagnostic {
    // Only lifecycle policies may stand in a table.
    if section.step().is_some() && tables_unread {
        let message = format!("`{pattern}` matches no policy in a file; the policy tables were not read");
        return Diagnostic::warning(codes::POLICY_UNKNOWN_YET, message).help("`steward validate --connect` reads them");
    }
    let help = suggest::suggestion(pattern, entries.iter().map(|entry| entry.name));
    Diagnostic::error(codes::NO_POLICY, format!("`{pattern}` matches no {}", section.word())).help_if(help)
}

fn nothing_found(
    section: Section,
    pattern: &str,
    place: &Place,
    entries: &[Named<'_>],
    unknown: Unknown<'_>,
) -> Option<Diagnostic> {
    let found: Vec<&Named<'_>> = entries.iter().filter(|entry| entry.is_called(pattern)).collect();
    if found.iter().any(|entry| entry.has_step) || unknown.may_hide(pattern) {
        return None;
    }
    let Some(step) = section.step().filter(|_| !found.is_empty()) else {
        return Some(missing(section, pattern, entries, unknown.tables_unread).at(place));
    };
    if glob::is_glob(pattern) {
        let message = format!("`{pattern}` matches {} policies, and none has the step `{step}`", found.len());
        let diagnostic = Diagnostic::error(codes::NO_POLICY, message).at(place);
        return Some(diagnostic.help(format!("add `{step}` to one of them, or leave the pattern out")));
    }
    let mut diagnostic =
        Diagnostic::error(codes::POLICY_LACKS_STEP, format!("policy `{pattern}` has no step `{step}`")).at(place);
    if let Some(declared) = found.first().and_then(|entry| entry.place) {
        diagnostic = diagnostic.also(declared, "the policy is here");
    }
    Some(diagnostic.help(format!("add `{step}` to the policy, or leave it out of this job")))
}
