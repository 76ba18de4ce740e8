//! The sections of policy files beside `lifecycle`, as `steward policies` lists them.

use super::format_check::{self, clock_told};
use crate::place::Place;
use crate::policy::checks::check::Check;
use crate::policy::expiry::{Expiring, ExpiringKeys, ExpiringRows, Expiry, KeyRule};
use crate::policy::glob;
use crate::policy::lifecycle::Cascade;
use crate::policy::section::Section;
use crate::policy::view::View;
use crate::report::format::{self, plain};
use serde::Serialize;
use std::fmt::Write;

/// One entry of a section, and where it was declared.
#[derive(Debug, Serialize)]
pub(super) struct EntryShown<'a> {
    #[serde(flatten)]
    entry: PolicyEntry<'a>,
    place: &'a Place,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
enum PolicyEntry<'a> {
    Expiry(&'a Expiry),
    View(&'a View),
    Check(&'a Check),
}

/// What people read of an entry: a word and what it is.
type Lines = Vec<(&'static str, String)>;

/// The session or cache policies that any of the names mean; all of them when none is given.
pub(super) fn expiring<'a>(entries: &'a [Expiry], names: &[String]) -> Vec<EntryShown<'a>> {
    let wanted = entries.iter().filter(|expiry| is_wanted(&expiry.name, names));
    wanted.map(|expiry| EntryShown { entry: PolicyEntry::Expiry(expiry), place: &expiry.place }).collect()
}

/// The views that any of the names mean.
pub(super) fn views<'a>(entries: &'a [View], names: &[String]) -> Vec<EntryShown<'a>> {
    let wanted = entries.iter().filter(|view| is_wanted(&view.name, names));
    wanted.map(|view| EntryShown { entry: PolicyEntry::View(view), place: &view.place }).collect()
}

/// The checks that any of the names mean.
pub(super) fn checks<'a>(entries: &'a [Check], names: &[String]) -> Vec<EntryShown<'a>> {
    let wanted = entries.iter().filter(|check| is_wanted(&check.name, names));
    wanted.map(|check| EntryShown { entry: PolicyEntry::Check(check), place: &check.place }).collect()
}

fn is_wanted(name: &str, names: &[String]) -> bool {
    names.is_empty() || names.iter().any(|pattern| glob::matches(pattern, name))
}

/// A section for people; nothing when it is empty.
pub(super) fn told(section: Section, entries: &[EntryShown<'_>]) -> String {
    let mut text = String::new();
    for shown in entries {
        let (name, about, mut lines) = match shown.entry {
            PolicyEntry::Expiry(expiry) => (&expiry.name, about_expiry(expiry), of_expiry(expiry)),
            PolicyEntry::View(view) => (&view.name, view.dataset.to_string(), of_view(view)),
            PolicyEntry::Check(check) => (&check.name, check.dataset(), format_check::lines(check)),
        };
        let kind = match shown.entry {
            PolicyEntry::Check(check) => format!("{}: {}", section.word(), check.shape.key.replace('_', " ")),
            _ => section.word().to_owned(),
        };
        lines.push(("declared", shown.place.to_string()));
        let _ = writeln!(text, "{}  {}  ({kind})", plain(name), plain(&about));
        let width = lines.iter().map(|(word, _)| word.len()).max().unwrap_or(0).max(9);
        for (word, value) in lines {
            let _ = writeln!(text, "  {word:width$} {}", plain(&value));
        }
        text.push('\n');
    }
    text
}

fn about_expiry(expiry: &Expiry) -> String {
    match &expiry.of {
        Expiring::Rows(rows) => rows.dataset.to_string(),
        Expiring::Keys(keys) => format!("{}: {}", keys.store, keys.keys),
        Expiring::Permanent(keys) => format!("{}: {}", keys.store, keys.keys),
    }
}

fn of_expiry(expiry: &Expiry) -> Lines {
    let (mut lines, of) = match &expiry.of {
        Expiring::Rows(rows) => (of_rows(rows), Some("row")),
        Expiring::Keys(keys) => (of_keys(keys), Some("key")),
        Expiring::Permanent(keys) => (vec![("permanent", keys.because.clone())], None),
    };
    let guard = expiry.guard;
    lines
        .extend(of.map(|of| ("guard", format!("{} and {} % in one run", format::plural(guard.max_rows, of), guard.max_percent))));
    lines.extend(expiry.owner.iter().map(|owner| ("owner", owner.clone())));
    lines
}

fn of_rows(rows: &ExpiringRows) -> Lines {
    let after = rows.after.map(|after| format!(", and {after} after that")).unwrap_or_default();
    let mut lines = vec![("expires", format!("{}{after}", clock_told(&rows.expires)))];
    lines.extend(rows.r#where.iter().map(|condition| ("where", condition.clone())));
    let set = rows.set.iter().map(|set| format!("{} = {}", set.column, set.value.as_deref().unwrap_or("NULL")));
    let set = set.collect::<Vec<_>>().join(", ");
    lines.push(("then", if set.is_empty() { "removed".to_owned() } else { format!("stays, with {set}") }));
    if rows.cascade == Cascade::Allow {
        lines.push(("cascade", "rows that go along are allowed to".to_owned()));
    }
    lines
}

fn of_keys(keys: &ExpiringKeys) -> Lines {
    let rule = |rule| match rule {
        KeyRule::Expire => "given `ttl`",
        KeyRule::Remove => "removed",
        KeyRule::Report => "counted and left alone",
    };
    let mut lines: Lines = keys.ttl.iter().map(|ttl| ("ttl", ttl.to_string())).collect();
    lines.push(("no ttl", rule(keys.without_ttl).to_owned()));
    if keys.ttl.is_some() {
        lines.push(("longer", rule(keys.longer_ttl).to_owned()));
    }
    lines.extend(keys.idle.iter().map(|idle| ("idle", format!("removed after {idle} without a read or write"))));
    lines.extend(keys.belongs_to.iter().map(|owner| ("belongs", format!("to {}; removed when that is gone", owner.to))));
    lines
}

fn of_view(view: &View) -> Lines {
    let how = match (view.statements.len(), view.concurrently) {
        (0, true) => "concurrently, or not at all".to_owned(),
        (0, false) => "readers may have to wait".to_owned(),
        (statements, _) => format!("{}, in one transaction", format::plural(statements as u64, "statement")),
    };
    let mut lines = vec![("refresh", how)];
    if view.skip_unchanged {
        lines.push(("skipped", "when the store's statistics show no change underneath".to_owned()));
    }
    lines.extend(view.statement_timeout.iter().map(|timeout| ("timeout", timeout.to_string())));
    lines.extend(view.owner.iter().map(|owner| ("owner", owner.clone())));
    lines
}
