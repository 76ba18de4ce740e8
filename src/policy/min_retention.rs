//! What no removal may undercut: promises of policies, retentions of fields.

use super::dataset::DatasetName;
use super::draft::Draft;
use super::period::Period;
use crate::diagnostic::codes;
use crate::place::Place;
use crate::yaml::node::At;
use std::collections::HashMap;

/// A field's minimum with its place.
pub(super) struct Retention {
    pub(super) dataset: DatasetName,
    pub(super) field: String,
    pub(super) period: At<Period>,
}

/// Every minimum there is: promises of policies and retentions of tags, by the dataset they are about.
pub(super) struct Minimums<'a> {
    by_dataset: HashMap<&'a DatasetName, Vec<Minimum<'a>>>,
    /// Which dataset is archived into which.
    feeds: Vec<(&'a DatasetName, &'a DatasetName)>,
}

/// One of them.
pub(super) struct Minimum<'a> {
    pub(super) period: &'a Period,
    pub(super) place: &'a Place,
    pub(super) code: codes::Code,
    pub(super) what: String,
}

impl<'a> Minimums<'a> {
    /// All of them, from policies that are applied and from tags.
    pub(super) fn of(drafts: &'a [Draft], retentions: &'a [Retention]) -> Self {
        let mut by_dataset: HashMap<&DatasetName, Vec<Minimum<'_>>> = HashMap::new();
        for draft in drafts.iter().filter(|draft| draft.active) {
            if let Some(keep) = draft.keep.as_ref().filter(|keep| !keep.value.period.is_zero()) {
                let what = format!("`keep_at_least` of policy `{}`", draft.name.value);
                let minimum = Minimum { period: &keep.value.period, place: &keep.place, code: codes::DELETE_BEFORE_KEEP, what };
                by_dataset.entry(&draft.dataset.value).or_default().push(minimum);
            }
        }
        for retention in retentions {
            let what = format!("the retention of the field `{}`", retention.field);
            let minimum =
                Minimum { period: &retention.period.value, place: &retention.period.place, code: codes::DELETE_BEFORE_TAG, what };
            by_dataset.entry(&retention.dataset).or_default().push(minimum);
        }
        let target = |draft: &'a Draft| Some((&draft.dataset.value, &draft.archive.as_ref()?.value.to.as_ref()?.value));
        Self { by_dataset, feeds: drafts.iter().filter_map(target).collect() }
    }

    /// The minimums of a dataset and of everything that is archived into it: those are the same rows.
    pub(super) fn over(&self, dataset: &'a DatasetName) -> Vec<&Minimum<'a>> {
        let mut sources = vec![dataset];
        let mut next = 0;
        while let Some(target) = sources.get(next).copied() {
            for (from, to) in &self.feeds {
                if to.may_be(target) && !sources.contains(from) {
                    sources.push(from);
                }
            }
            next += 1;
        }
        let covered = |name: &DatasetName| sources.iter().any(|source| source.may_be(name));
        self.by_dataset.iter().filter(|(name, _)| covered(name)).flat_map(|(_, minimums)| minimums).collect()
    }
}
