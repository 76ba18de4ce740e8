//! Which declared names share rows with one dataset.

use super::places::Places;
use crate::action::context::Context;
use crate::policy::dataset::DatasetName;
use crate::store::sql::schema::table_location::Share;
use std::collections::BTreeMap;

/// The declared names that share rows with one dataset, or with what is archived into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Covered {
    shares: BTreeMap<DatasetName, Share>,
}

impl Covered {
    pub(super) fn of(cx: &Context, dataset: &DatasetName, places: &Places) -> Self {
        let sources = sources(cx, dataset, places);
        let share =
            |name: &DatasetName| sources.iter().map(|source| of_rows(places, name, source, dataset)).fold(Share::None, most);
        Self { shares: places.names().map(|name| (name.clone(), share(name))).collect() }
    }

    /// Which of the dataset's rows a declared name is about; none for a name that was not declared when this was found out.
    pub fn share(&self, name: &DatasetName) -> Option<&Share> {
        self.shares.get(name)
    }

    /// True when a declared name is about some of the dataset's rows.
    pub fn includes(&self, name: &DatasetName) -> bool {
        self.share(name).is_some_and(|share| *share != Share::None)
    }
}

/// The dataset, and everything that is archived into it, directly or by way of others: those are the same rows.
fn sources(cx: &Context, dataset: &DatasetName, places: &Places) -> Vec<DatasetName> {
    let mut sources = vec![dataset.clone()];
    let mut next = 0;
    while let Some(target) = sources.get(next).cloned() {
        for policy in &cx.policies.lifecycle {
            let feeds = policy.archive.as_ref().is_some_and(|step| places.share(&step.to, &target) != Share::None);
            if feeds && !sources.contains(&policy.dataset) {
                sources.push(policy.dataset.clone());
            }
        }
        next += 1;
    }
    sources
}

/// Of an archive it cannot be said which partition a row came from, so a name that is about some of a source's rows is about all.
fn of_rows(places: &Places, name: &DatasetName, source: &DatasetName, dataset: &DatasetName) -> Share {
    match places.share(name, source) {
        Share::Part(_) if source != dataset => Share::All,
        share => share,
    }
}

fn most(one: Share, other: Share) -> Share {
    match (one, other) {
        (Share::All, _) | (_, Share::All) => Share::All,
        (Share::Part(mut one), Share::Part(other)) => {
            one.extend(other);
            Share::Part(one)
        }
        (share, Share::None) | (Share::None, share) => share,
    }
}
