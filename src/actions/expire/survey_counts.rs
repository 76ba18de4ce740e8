//! What a survey of keys counts.

use super::rule::{Cause, Judged, Owner, Rule};
use crate::policy::key_pattern::KeyPattern;
use crate::report::format::plural;
use crate::store::redis::holds::KeyHolds;
use crate::store::redis::scan::Key;
use crate::store::survey::Survey;
use std::collections::BTreeMap;

/// What a survey of keys counts.
pub struct SurveyCounts<'a> {
    holds: &'a KeyHolds,
    rule: &'a Rule,
    total: u64,
    due: BTreeMap<Cause, u64>,
    given_ttl: u64,
    held: u64,
    by_hold: BTreeMap<&'a str, u64>,
    reported: BTreeMap<Cause, u64>,
    left: u64,
    permanent: u64,
    ownerless: u64,
}

impl<'a> SurveyCounts<'a> {
    /// Nothing was seen yet.
    pub fn new(holds: &'a KeyHolds, rule: &'a Rule) -> Self {
        let by_hold = holds.names().into_iter().map(|name| (name, 0)).collect();
        let none = BTreeMap::new;
        Self {
            holds,
            rule,
            total: 0,
            due: none(),
            given_ttl: 0,
            held: 0,
            by_hold,
            reported: none(),
            left: 0,
            permanent: 0,
            ownerless: 0,
        }
    }

    /// Counts a key: what follows for it, and what is known of its owner, where it has to have one.
    pub fn add(&mut self, key: &Key, owner: Option<Owner>) {
        self.total += 1;
        self.ownerless += u64::from(owner == Some(Owner::Unknown));
        match self.rule.judge(key, owner) {
            Judged::Fine => {}
            Judged::Left => self.left += 1,
            Judged::Permanent => self.permanent += 1,
            Judged::Reported(cause) => *self.reported.entry(cause).or_default() += 1,
            Judged::Due(cause) => {
                *self.due.entry(cause).or_default() += 1;
                let mut names: Vec<&str> = self.holds.keeping(&key.name).collect();
                names.dedup();
                self.held += u64::from(!names.is_empty());
                self.given_ttl += u64::from(names.is_empty() && self.rule.gives_ttl(cause));
                names.into_iter().for_each(|name| *self.by_hold.entry(name).or_default() += 1);
            }
        }
    }

    /// All of it, of the keys of this pattern.
    pub fn counts(self, is_about: bool, pattern: &KeyPattern) -> Survey {
        let mut remarks = self.remarks(is_about);
        if let Some(literal) = pattern.literal_braces().filter(|_| self.total == 0) {
            let text = format!("no key matches `{pattern}`, where `{{{literal}}}` stands for itself");
            remarks.push((text, "the one open piece in braces is `{id}`; `*` stands for any text".to_owned()));
        }
        Survey {
            total: self.total,
            total_is_estimate: is_about,
            due: self.due.values().sum(),
            held: self.held,
            by_hold: self.by_hold.into_iter().map(|(name, keys)| (name.to_owned(), keys)).collect(),
            causes: self.due.into_iter().map(|(cause, keys)| (cause.word(), keys)).collect(),
            to_be_given_ttl: Some(self.given_ttl),
            remarks,
            ..Survey::default()
        }
    }

    fn remarks(&self, is_about: bool) -> Vec<(String, String)> {
        let mut remarks: Vec<(String, String)> = vec![];
        let mut note = |keys: u64, text: String, help: &str| {
            if keys > 0 {
                remarks.push((text, help.to_owned()));
            }
        };
        for (cause, keys) in &self.reported {
            let (what, key) = match cause {
                Cause::NoTtl => ("without a time to live", "without_ttl"),
                _ => ("with longer to live than allowed", "longer_ttl"),
            };
            let help = format!("`{key}: expire` gives them a time to live, `{key}: remove` removes them");
            note(*keys, format!("{} {what}: counted, and left alone as the policy says", plural(*keys, "key")), &help);
        }
        let left = format!("{} left to another policy of this job, which removes them for being idle", plural(self.left, "key"));
        note(self.left, left, "setting a TTL would reset their idle time");
        let permanent = format!("{} left alone: permanent, as another policy says", plural(self.permanent, "key"));
        note(self.permanent, permanent, "`steward policies` lists that policy with its reason");
        let ownerless = format!("{} without a readable owner: not taken for orphans", plural(self.ownerless, "key"));
        note(
            self.ownerless,
            ownerless,
            "an owner is gone only where its id is one that the column could hold, no other spelling of it is there, and its `where` is not NULL",
        );
        let about = "counts are approximate: over 2,000,000 keys, or keys moved between nodes";
        note(u64::from(is_about), about.to_owned(), "");
        remarks
    }
}
