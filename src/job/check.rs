//! Holds jobs against policies: every pattern must find something to do.

use super::read::ReadJob;
use crate::diagnostic::catalogue;
use crate::diagnostic::item::Diagnostic;
use crate::diagnostic::near;
use crate::place::Place;
use crate::policy::glob;
use crate::policy::lifecycle::Lifecycle;
use crate::policy::set::{Policies, is_called};

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

/// True when a policy has the step that an action carries out.
pub fn has_step(policy: &Lifecycle, action: &str) -> bool {
    match action {
        "archive" => policy.archive.is_some(),
        "delete" => policy.delete.is_some(),
        _ => true,
    }
}

/// Notes every pattern of a job that finds nothing to do.
pub fn patterns(read: &ReadJob, policies: &Policies, unknown: Unknown<'_>, notes: &mut Vec<Diagnostic>) {
    for (pattern, place) in read.job.policies.iter().zip(&read.pattern_places) {
        one(&read.job.action, pattern, place, policies, unknown, notes);
    }
}

fn one(action: &str, pattern: &str, place: &Place, policies: &Policies, unknown: Unknown<'_>, notes: &mut Vec<Diagnostic>) {
    let found: Vec<&Lifecycle> = policies.lifecycle.iter().filter(|policy| is_called(policy, pattern)).collect();
    if found.iter().any(|policy| has_step(policy, action))
        || unknown.incomplete
        || unknown.broken.iter().any(|name| glob::matches(pattern, name))
    {
        return;
    }
    if found.is_empty() && unknown.tables_unread {
        let message = format!("`{pattern}` matches no policy in a file; the policy tables were not read");
        notes.push(
            Diagnostic::warning(catalogue::POLICY_UNKNOWN_YET, message).at(place).help("`steward validate --connect` reads them"),
        );
    } else if found.is_empty() {
        let message = format!("`{pattern}` matches no lifecycle policy");
        let help = near::suggestion(pattern, policies.lifecycle.iter().map(|policy| policy.name.as_str()));
        notes.push(Diagnostic::error(catalogue::NO_POLICY, message).at(place).help_if(help));
    } else if glob::is_glob(pattern) {
        let message = format!("`{pattern}` matches {} policies, and none has the step `{action}`", found.len());
        notes.push(
            Diagnostic::error(catalogue::NO_POLICY, message)
                .at(place)
                .help(format!("add `{action}` to one of them, or leave the pattern out")),
        );
    } else {
        let mut diagnostic =
            Diagnostic::error(catalogue::POLICY_LACKS_STEP, format!("policy `{pattern}` has no step `{action}`")).at(place);
        if let Some(declared) = found.first().and_then(|policy| policy.places.first()) {
            diagnostic = diagnostic.also(declared, "the policy is here");
        }
        notes.push(diagnostic.help(format!("add `{action}` to the policy, or leave it out of this job")));
    }
}
