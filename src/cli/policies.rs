//! `steward policies`: what is in force, after files and policy tables were merged, and where each part was declared.

use super::app::{App, ledger_if_any};
use super::format_check::clock_told;
use super::policy_list::{self, EntryShown};
use super::table::listing;
use super::{Ended, Globals, exit::Exit, out};
use crate::diagnostic::suggest;
use crate::job::outcome::Outcome;
use crate::place::Place;
use crate::policy::classification::{Protection, Sensitivity, Tag};
use crate::policy::hold::Hold;
use crate::policy::lifecycle::{Cascade, Lifecycle};
use crate::policy::period::Period;
use crate::policy::policies::{Policies, is_called};
use crate::policy::section::Section;
use crate::report::format::{self, plain};
use crate::runner::holds;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;

/// List the effective policies: merged, with their places, minimums and holds
#[derive(Debug, Args)]
pub(crate) struct ListPolicies {
    /// Names or globs; all of them when none is given
    names: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    lifecycle: Vec<PolicyShown<'a>>,
    sessions: Vec<EntryShown<'a>>,
    cache: Vec<EntryShown<'a>>,
    views: Vec<EntryShown<'a>>,
    checks: Vec<EntryShown<'a>>,
    tags: Vec<TagShown<'a>>,
    holds: &'a [Hold],
}

#[derive(Serialize)]
struct PolicyShown<'a> {
    #[serde(flatten)]
    policy: &'a Lifecycle,
    places: &'a [Place],
    minimums: Vec<MinimumShown>,
    holds: Vec<&'a str>,
}

#[derive(Serialize)]
struct TagShown<'a> {
    #[serde(flatten)]
    tag: &'a Tag,
    place: &'a Place,
}

/// What no final removal may undercut.
#[derive(Debug, PartialEq, Serialize)]
struct MinimumShown {
    period: Period,
    because: String,
    place: String,
    /// The longest counts.
    counts: bool,
}

impl ListPolicies {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        // Only policies that are kept in a table need a store, and a secret to open it with.
        let in_tables = App::quietly(&globals.config).is_ok_and(|declarations| declarations.tables_unread);
        let declarations = if in_tables { App::open(&globals.config).await?.declarations } else { App::read(&globals.config)? };
        let policies = &declarations.policies;
        let ledger = ledger_if_any(&declarations.config).await?;
        let in_force = holds::look(ledger.as_ref(), &policies.holds)
            .await
            .map_err(|error| Exit::of(Outcome::Partial, &error.to_string()))?;
        let shown = Shown::of(policies, &in_force, &self.names)?;
        if self.json {
            out::json(&shown)?;
        } else {
            out::say(&shown.told())?;
        }
        Ok(Exit::quiet())
    }
}

impl<'a> Shown<'a> {
    fn of(policies: &'a Policies, in_force: &'a [Hold], names: &[String]) -> Result<Self, Exit> {
        must_be_there(policies, names)?;
        let wanted = |policy: &&Lifecycle| names.is_empty() || names.iter().any(|name| is_called(policy, name));
        let lifecycle: Vec<_> = policies.lifecycle.iter().filter(wanted).collect();
        let about = |tag: &&Tag| names.is_empty() || lifecycle.iter().any(|policy| policy.dataset.may_be(&tag.dataset));
        let tags = policies.tags.iter().filter(about).map(|tag| TagShown { tag, place: &tag.place }).collect();
        let shown = |policy: &&'a Lifecycle| PolicyShown {
            policy,
            places: &policy.places,
            minimums: minimums(policies, policy),
            holds: held_by(policies, policy, in_force),
        };
        Ok(Self {
            lifecycle: lifecycle.iter().map(shown).collect(),
            sessions: policy_list::expiring(&policies.sessions, names),
            cache: policy_list::expiring(&policies.cache, names),
            views: policy_list::views(&policies.views, names),
            checks: policy_list::checks(&policies.checks, names),
            tags,
            holds: in_force,
        })
    }

    fn told(&self) -> String {
        let mut text = String::new();
        let others = [
            (Section::Sessions, &self.sessions),
            (Section::Cache, &self.cache),
            (Section::Views, &self.views),
            (Section::Checks, &self.checks),
        ];
        if self.lifecycle.is_empty() && others.iter().all(|(_, entries)| entries.is_empty()) {
            text.push_str("no policies\n");
        }
        for shown in self.lifecycle.iter().filter(|shown| shown.policy.active) {
            text += &shown.told();
        }
        let mut off = self.lifecycle.iter().filter(|shown| !shown.policy.active).peekable();
        if off.peek().is_some() {
            text.push_str("switched off in their policy table: listed, never applied\n\n");
            off.for_each(|shown| text += &shown.told());
        }
        for (section, entries) in others {
            text += &policy_list::told(section, entries);
        }
        if !self.tags.is_empty() {
            text += &listing(
                ["DATASET", "FIELD", "TYPE", "SENSITIVITY", "PROTECTION", "MIN RETENTION", "PLACE"],
                self.tags.iter().map(tag_told),
            );
        }
        text
    }
}

/// Refuses a name that means nothing in any section.
fn must_be_there(policies: &Policies, names: &[String]) -> Result<(), Exit> {
    let sections = [Section::Archive, Section::Sessions, Section::Cache, Section::Views, Section::Checks];
    let entries: Vec<_> = sections.into_iter().flat_map(|section| section.entries(policies)).collect();
    match names.iter().find(|name| !entries.iter().any(|entry| entry.is_called(name))) {
        None => Ok(()),
        Some(name) => {
            let near = suggest::suggestion(name, entries.iter().map(|entry| entry.name));
            Err(Exit::usage(&format!("no policy is called `{name}`; {}", near.unwrap_or_default())))
        }
    }
}

impl PolicyShown<'_> {
    fn told(&self) -> String {
        let policy = self.policy;
        let off = if policy.active { "" } else { "  (switched off)" };
        let mut text = format!("{}  {}{off}\n", plain(&policy.name), plain(&policy.dataset.to_string()));
        let mut line = |what: &str, value: String| {
            let _ = writeln!(text, "  {what:9} {}", plain(&value));
        };
        if let Err(why) = policy.usable() {
            line("refused", why);
        }
        if !policy.clock.column.is_empty() {
            line("clock", clock_told(&policy.clock));
        }
        policy.r#where.iter().for_each(|condition| line("where", condition.clone()));
        if let Some(step) = &policy.archive {
            let made = if step.create { ", made when it is missing" } else { "" };
            line("archive", format!("after {}, to {}{made}", step.after, step.to));
        }
        if let Some(step) = &policy.delete {
            let from = policy.archive.as_ref().map(|archive| format!(", from {} alone", archive.to)).unwrap_or_default();
            line("delete", format!("after {}{from}", step.after));
        }
        for minimum in &self.minimums {
            let counts = if minimum.counts { "" } else { ", which a longer one covers" };
            line("keep", format!("at least {}: {} ({}){counts}", minimum.period, minimum.because, minimum.place));
        }
        let guard = policy.guard;
        line("guard", format!("{} and {} % in one run", format::plural(guard.max_rows, "row"), guard.max_percent));
        if policy.cascade == Cascade::Allow {
            line("cascade", "rows that go along are allowed to".to_owned());
        }
        if !self.holds.is_empty() {
            line("holds", self.holds.join(", "));
        }
        policy.owner.iter().for_each(|owner| line("owner", owner.clone()));
        line("declared", policy.places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", then "));
        text + "\n"
    }
}

fn tag_told(shown: &TagShown<'_>) -> [String; 7] {
    let tag = shown.tag;
    let sensitivity = match tag.sensitivity {
        Sensitivity::Low => "low",
        Sensitivity::Medium => "medium",
        Sensitivity::High => "high",
        Sensitivity::Critical => "critical",
    };
    let protection = match tag.protect {
        None => "–",
        Some(Protection::Aes256) => "aes256",
        Some(Protection::AlreadyHashed) => "already hashed",
        Some(Protection::SignedToken) => "signed token",
        Some(Protection::AccessControl) => "access_control",
        Some(Protection::None) => "none",
    };
    [
        tag.dataset.to_string(),
        tag.field.clone(),
        tag.r#type.clone().unwrap_or_else(|| "–".into()),
        sensitivity.into(),
        protection.into(),
        tag.retention.filter(|period| !period.is_zero()).map_or_else(|| "–".into(), |period| period.to_string()),
        shown.place.to_string(),
    ]
}

/// The minimums over a policy's dataset and over everything that is archived into it; the longest one counts.
fn minimums(policies: &Policies, policy: &Lifecycle) -> Vec<MinimumShown> {
    let rows = policies.sources_of(&policy.dataset);
    let covers = |dataset| rows.iter().any(|source| source.may_be(dataset));
    let promises = policies.lifecycle.iter().filter(|other| other.active && covers(&other.dataset)).filter_map(|other| {
        let keep = other.keep_at_least.as_ref()?;
        let place = other.places.last().map(ToString::to_string).unwrap_or_default();
        Some(MinimumShown { period: keep.period, because: keep.because.clone(), place, counts: false })
    });
    let retentions = policies.tags_of(&policy.dataset).filter_map(|tag| {
        let because = format!("retention of the field `{}`", tag.field);
        Some(MinimumShown { period: tag.retention?, because, place: tag.place.to_string(), counts: false })
    });
    let mut minimums: Vec<MinimumShown> = promises.chain(retentions).filter(|minimum| !minimum.period.is_zero()).collect();
    let longest = (0..minimums.len())
        .reduce(|best, at| if minimums[best].period.is_ever_shorter_than(&minimums[at].period) { at } else { best });
    if let Some(longest) = longest {
        minimums[longest].counts = true;
    }
    minimums
}

fn held_by<'a>(policies: &Policies, policy: &Lifecycle, in_force: &'a [Hold]) -> Vec<&'a str> {
    let rows = policies.sources_of(&policy.dataset);
    let here = in_force.iter().filter(|hold| rows.iter().any(|source| source.may_be(&hold.dataset)));
    here.map(|hold| hold.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declarations::reading::Declarations;

    fn policies(text: &str) -> Policies {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("policies")).unwrap();
        std::fs::create_dir(dir.path().join("jobs")).unwrap();
        std::fs::write(dir.path().join("steward.yaml"), "stores: { a: { url: \"sqlite:a.db\" } }\n").unwrap();
        std::fs::write(dir.path().join("policies/p.yaml"), text).unwrap();
        Declarations::read(&dir.path().join("steward.yaml"), &|_| None, &crate::actions::registry()).unwrap().0.policies
    }

    #[test]
    fn the_longest_minimum_counts_and_each_names_its_place() {
        let policies = policies(
            "lifecycle:\n  - { name: x, dataset: a.x, clock: t, delete: { after: 9 years }, keep_at_least: { for: 3 years, because: tax law } }\n\
             classification:\n  - { dataset: a.x, fields: { email: { type: PII, sensitivity: high, retention: 2555 days } } }\n",
        );
        let found = minimums(&policies, &policies.lifecycle[0]);
        let told: Vec<_> = found.iter().map(|m| (m.period.to_string(), m.counts)).collect();
        assert_eq!(told, [("3 years".to_owned(), false), ("2555 days".to_owned(), true)]);
        assert!(found.iter().all(|minimum| minimum.place.starts_with("policies/p.yaml:")), "{found:?}");
    }

    #[test]
    fn an_unknown_name_is_typed_wrongly_and_a_near_one_is_suggested() {
        let policies = policies("lifecycle:\n  - { name: orders, dataset: a.x, clock: t, delete: { after: 9 years } }\n");
        let end = Shown::of(&policies, &[], &["ordes".to_owned()]).err().unwrap();
        assert!(end.code() == 2 && end.why().contains("did you mean `orders`?"), "{end:?}");
        let shown = Shown::of(&policies, &[], &["ord*".to_owned()]).unwrap();
        assert!(shown.told().contains("delete    after 9 years\n"), "{}", shown.told());
    }
}
