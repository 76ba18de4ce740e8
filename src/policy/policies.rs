//! The effective policies, and what is asked of them.

use super::checks::check::Check;
use super::classification::Tag;
use super::dataset::DatasetName;
use super::expiry::Expiry;
use super::glob;
use super::hold::Hold;
use super::lifecycle::Lifecycle;
use super::view::View;
use crate::place::Place;
use serde::Serialize;

/// Everything that was declared, merged and checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Policies {
    /// Files first, in the order of their names; then policy tables. Those switched off are here too, and never applied.
    pub lifecycle: Vec<Lifecycle>,
    /// One per field.
    pub tags: Vec<Tag>,
    /// Holds of files; those of the ledger add to them.
    pub holds: Vec<Hold>,
    /// When sessions end.
    pub sessions: Vec<Expiry>,
    /// When cache entries end.
    pub cache: Vec<Expiry>,
    /// What is refreshed.
    pub views: Vec<View>,
    /// What is checked.
    pub checks: Vec<Check>,
    /// Minimums that are declared and cannot be read: nothing is removed for good from these datasets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread_minimums: Vec<UnreadMinimum>,
}

/// A minimum in a policy table that cannot be read: how long the rows must stay is not known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnreadMinimum {
    /// The rows.
    pub dataset: DatasetName,
    /// What is wrong, in a sentence.
    pub why: String,
    /// The row and column.
    #[serde(skip)]
    pub place: Place,
}

impl Policies {
    /// The policy of that name, active or not.
    pub fn lifecycle(&self, name: &str) -> Option<&Lifecycle> {
        self.lifecycle.iter().find(|policy| policy.name == name)
    }

    /// The active lifecycle policies that any of these names or globs match, each once, in the order of the patterns.
    ///
    /// A row of a policy table that somebody switched off is left out: it must not stop the job for the others.
    pub fn matching<S: AsRef<str>>(&self, patterns: &[S]) -> Vec<&Lifecycle> {
        let mut found: Vec<&Lifecycle> = vec![];
        for pattern in patterns.iter().map(AsRef::as_ref) {
            for policy in self.lifecycle.iter().filter(|policy| policy.active && is_called(policy, pattern)) {
                if !found.iter().any(|known| std::ptr::eq(*known, policy)) {
                    found.push(policy);
                }
            }
        }
        found
    }

    /// The tags of a dataset, those of the datasets it archives included.
    pub fn tags_of<'a>(&'a self, dataset: &DatasetName) -> impl Iterator<Item = &'a Tag> + use<'a> {
        let fed_by = self.sources_of(dataset);
        self.tags.iter().filter(move |tag| fed_by.iter().any(|source| source.may_be(&tag.dataset)))
    }

    /// True when values of the column must not leave memory unmasked. An unclassified column is not secret, and not public either.
    pub fn is_secret(&self, dataset: &DatasetName, column: &str) -> bool {
        self.tags_of(dataset).any(|tag| tag.field == column && tag.is_secret())
    }

    /// True when somebody said that the column's values may be shown. Unclassified is hidden.
    pub fn is_public(&self, dataset: &DatasetName, column: &str) -> bool {
        let mut tags = self.tags_of(dataset).filter(|tag| tag.field == column).peekable();
        tags.peek().is_some() && tags.all(|tag| tag.sensitivity == super::classification::Sensitivity::Low && !tag.is_secret())
    }

    /// The holds on a dataset, and on every dataset that is archived into it, directly or by way of others.
    pub fn holds_for<'a>(&'a self, dataset: &DatasetName) -> impl Iterator<Item = &'a Hold> + use<'a> {
        let covered = self.sources_of(dataset);
        self.holds.iter().filter(move |hold| covered.iter().any(|source| source.may_be(&hold.dataset)))
    }

    /// The dataset and every dataset whose archive step feeds it; switched-off policies count, their rows are there already.
    pub fn sources_of(&self, dataset: &DatasetName) -> Vec<DatasetName> {
        let mut sources = vec![dataset.clone()];
        let mut next = 0;
        while next < sources.len() {
            let target = sources[next].clone();
            for policy in &self.lifecycle {
                if policy.archive.as_ref().is_some_and(|step| step.to.may_be(&target)) && !sources.contains(&policy.dataset) {
                    sources.push(policy.dataset.clone());
                }
            }
            next += 1;
        }
        sources
    }
}

/// True when the pattern means the policy: by its name, or by the name a policy table gave it before the `@`.
pub fn is_called(policy: &Lifecycle, pattern: &str) -> bool {
    glob::matches(pattern, &policy.name) || bare_name(policy).is_some_and(|bare| glob::matches(pattern, bare))
}

/// The name a policy table gave a policy, where several share it and `@` and the dataset tell them apart.
pub fn bare_name(policy: &Lifecycle) -> Option<&str> {
    policy.name.strip_suffix(&format!("@{}", policy.dataset))
}
