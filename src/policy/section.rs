//! The parts of a policy file that actions read, and the names in each.

use super::policies::Policies;
use super::{glob, policies};
use crate::place::Place;

/// What an action reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// Lifecycle policies with an `archive` step.
    Archive,
    /// Lifecycle policies with a `delete` step.
    Delete,
    /// `sessions`.
    Sessions,
    /// `cache`.
    Cache,
    /// `views`.
    Views,
    /// `checks`.
    Checks,
}

/// An entry that a pattern of a job may mean.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// The name a policy table gave it, where several share one.
    pub bare: Option<&'a str>,
    /// It has what the action carries out.
    pub has_step: bool,
    /// Where it was declared.
    pub place: Option<&'a Place>,
}

impl Named<'_> {
    /// True when the pattern means it.
    pub fn is_called(&self, pattern: &str) -> bool {
        glob::matches(pattern, self.name) || self.bare.is_some_and(|bare| glob::matches(pattern, bare))
    }
}

impl Section {
    /// As a sentence calls one of its entries.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Archive | Self::Delete => "lifecycle policy",
            Self::Sessions => "session policy",
            Self::Cache => "cache policy",
            Self::Views => "view",
            Self::Checks => "check",
        }
    }

    /// The step that a lifecycle policy must have.
    pub const fn step(self) -> Option<&'static str> {
        match self {
            Self::Archive => Some("archive"),
            Self::Delete => Some("delete"),
            _ => None,
        }
    }

    /// Everything that a job on this section may name.
    pub fn entries(self, policies: &Policies) -> Vec<Named<'_>> {
        let plain = |name, place| Named { name, bare: None, has_step: true, place: Some(place) };
        match self {
            Self::Archive | Self::Delete => policies
                .lifecycle
                .iter()
                .map(|policy| Named {
                    name: &policy.name,
                    bare: policies::bare_name(policy),
                    has_step: if self == Self::Archive { policy.archive.is_some() } else { policy.delete.is_some() },
                    place: policy.places.first(),
                })
                .collect(),
            Self::Sessions => policies.sessions.iter().map(|expiry| plain(&expiry.name, &expiry.place)).collect(),
            Self::Cache => policies.cache.iter().map(|expiry| plain(&expiry.name, &expiry.place)).collect(),
            Self::Views => policies.views.iter().map(|view| plain(&view.name, &view.place)).collect(),
            Self::Checks => policies.checks.iter().map(|check| plain(&check.name, &check.place)).collect(),
        }
    }
}

/// The entries that any of these names or globs match, each once, in the order of the patterns.
pub fn pick<'a, T, S: AsRef<str>>(entries: &'a [T], name: impl Fn(&T) -> &str, patterns: &[S]) -> Vec<&'a T> {
    let mut found: Vec<&T> = vec![];
    for pattern in patterns.iter().map(AsRef::as_ref) {
        for entry in entries.iter().filter(|entry| glob::matches(pattern, name(entry))) {
            if !found.iter().any(|known| std::ptr::eq(*known, entry)) {
                found.push(entry);
            }
        }
    }
    found
}
