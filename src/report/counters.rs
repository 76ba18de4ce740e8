//! What actions do to rows, keys and views, as reports say it: one word for each count.

use super::run::{DatasetReport, RunReport};

/// One thing that an action does.
#[derive(Debug, Clone, Copy)]
pub struct Deed {
    /// Done: `1,204 archived`.
    pub word: &'static str,
    /// Foreseen: `1,204 would be archived`.
    pub would: &'static str,
    /// The head of its column.
    pub column: &'static str,
    /// Actions of which a report shows it even where nobody has a number.
    by: &'static [&'static str],
    of: fn(&DatasetReport) -> Option<u64>,
}

/// Every deed, in the order people read them.
pub const DEEDS: [Deed; 6] = [
    Deed { word: "archived", would: "would be archived", column: "archived", by: &["archive"], of: |dataset| dataset.archived },
    Deed {
        word: "removed",
        would: "would be removed",
        column: "removed",
        by: &["delete", "archive"],
        of: |dataset| dataset.removed,
    },
    Deed { word: "expired", would: "would expire", column: "expired", by: &["expire-sessions"], of: |dataset| dataset.expired },
    Deed { word: "swept", would: "would be swept", column: "swept", by: &["sweep-cache"], of: |dataset| dataset.swept },
    GIVEN_TTL,
    Deed {
        word: "refreshed",
        would: "would be refreshed",
        column: "refreshed",
        by: &["refresh-views"],
        of: |dataset| dataset.refreshed,
    },
];

/// The one deed that no action is for: a key stays, until its time has passed.
pub const GIVEN_TTL: Deed = Deed {
    word: "given a time to live",
    would: "would be given a time to live",
    column: "ttl set",
    by: &[],
    of: |dataset| dataset.ttl_set,
};

impl Deed {
    /// How often it was done to a dataset; `None` where it does not apply.
    pub fn count(&self, dataset: &DatasetReport) -> Option<u64> {
        (self.of)(dataset)
    }

    /// How often it was done in a run.
    pub fn sum(&self, report: &RunReport) -> u64 {
        report.datasets.iter().filter_map(|dataset| self.count(dataset)).fold(0, u64::saturating_add)
    }
}

/// What an action is for: its first deed.
pub fn main(report: &RunReport) -> &'static Deed {
    DEEDS.iter().find(|deed| deed.by.first() == Some(&report.action.as_str())).unwrap_or(&DEEDS[0])
}

/// The deeds that a report shows: those of its action, and those that somebody has a number for.
pub fn shown(report: &RunReport) -> Vec<&'static Deed> {
    let told = |deed: &&Deed| {
        deed.by.contains(&report.action.as_str()) || report.datasets.iter().any(|dataset| deed.count(dataset).is_some())
    };
    DEEDS.iter().filter(told).collect()
}

/// What a run did, with its sum, where it did any of it. Rows that were archived are not told again as removed.
pub fn done(report: &RunReport) -> Vec<(&'static Deed, u64)> {
    let archived = DEEDS[0].sum(report) > 0;
    let told = DEEDS.iter().map(|deed| (deed, deed.sum(report)));
    told.filter(|(deed, sum)| *sum > 0 && !(archived && deed.word == "removed")).collect()
}
