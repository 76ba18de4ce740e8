//! Holds what was declared against itself: what contradicts is refused, with every place that is part of it.

use super::claims::contradictions;
use super::data_model::DataModel;
use super::dataset::DatasetName;
use super::draft::Draft;
use super::entries::ArchiveEntry;
use super::known_stores::{KnownStores, name_twice, unknown_store};
use super::lifecycle::{ArchiveStep, Clock, DeleteStep, Lifecycle};
use super::loaded::LoadedPolicies;
use super::min_retention::{Minimum, Minimums, Retention};
use super::period::Period;
use super::policies::Policies;
use super::section_check::sections;
use super::tag_draft::TagDraft;
use crate::diagnostic::codes;
use crate::diagnostic::message::{Diagnostic, Severity};
use crate::place::Place;
use crate::yaml::node::At;
use std::collections::{HashMap, HashSet};

/// The effective policies; what is wrong is noted, and what is left out then is listed in `loaded.broken`.
pub fn finish(
    mut loaded: LoadedPolicies,
    known_stores: &KnownStores<'_>,
    notes: &mut Vec<Diagnostic>,
) -> (Policies, Vec<String>) {
    // Before the merge: two files that add to one row would otherwise melt into it unseen.
    unique_names(&loaded.lifecycle, notes);
    let drafts = merge_lifecycle(&mut loaded, known_stores, notes);
    let tags = merge_tags(&mut loaded, notes);
    let (tags, retentions) = finish_tags(tags, known_stores, notes);
    unique_names(&drafts, notes);
    let minimums = Minimums::of(&drafts, &retentions);
    let mut lifecycle = vec![];
    for draft in &drafts {
        if draft.is_of_table() {
            lifecycle.push(of_row(draft, &minimums, notes));
            continue;
        }
        let before = errors(notes);
        known_store(&draft.dataset, known_stores, notes);
        data_model(draft, known_stores, notes);
        let unseen = known_stores.unread_tables.contains(&draft.dataset.value.store.as_str());
        let complete = complete(draft, unseen, notes);
        let mut own = vec![];
        periods(draft, &minimums, &mut own);
        soften_what_names_a_row(own, notes);
        let after = errors(notes);
        match complete {
            Some(policy) if before == after => lifecycle.push(policy),
            _ => loaded.broken.push(draft.name.value.clone()),
        }
    }
    chains(&lifecycle, notes);
    same_step_twice(&lifecycle, notes);
    let holds = finish_holds(&loaded, known_stores, notes);
    sections(&loaded, known_stores, notes);
    let LoadedPolicies { sessions, cache, views, checks, broken, unread_minimums, .. } = loaded;
    let policies = Policies { lifecycle, tags, holds, sessions, cache, views, checks, unread_minimums };
    let mut contradicting = vec![];
    contradictions(&policies, &mut contradicting);
    soften_what_names_a_row(contradicting, notes);
    (policies, broken)
}

/// What a row contradicts is refused where it would be done: a row that somebody adds at night stops no other policy.
fn soften_what_names_a_row(own: Vec<Diagnostic>, notes: &mut Vec<Diagnostic>) {
    notes.extend(own.into_iter().map(|note| if note.names_a_row() { note.softened() } else { note }));
}

/// The policy of a policy table's row. What is wrong with it stops this policy, and no other: the row stays in the list, and refuses.
fn of_row(draft: &Draft, minimums: &Minimums<'_>, notes: &mut Vec<Diagnostic>) -> Lifecycle {
    let mut own = vec![];
    let policy = complete(draft, false, &mut own);
    periods(draft, minimums, &mut own);
    let wrong = own.iter().find(|note| note.severity == Severity::Error).map(|note| note.message.clone());
    let unusable = draft.unusable.clone().or(wrong);
    if draft.active {
        notes.extend(own.into_iter().map(Diagnostic::softened));
    }
    let dataset = &draft.dataset.value;
    let never = Period::days(u32::MAX);
    let known = |step: &At<ArchiveEntry>| ArchiveStep {
        after: step.value.after.as_ref().map_or(never, |after| after.value),
        to: step.value.to.as_ref().map_or_else(|| dataset.clone(), |to| to.value.clone()),
        create: false,
    };
    match (policy, unusable) {
        (Some(policy), None) => policy,
        (_, unusable) => Lifecycle {
            archive: draft.archive.as_ref().map(known),
            unusable: unusable.or_else(|| Some(format!("the row of policy `{}` is incomplete", draft.name.value))),
            ..skeleton(draft)
        },
    }
}

fn errors(notes: &[Diagnostic]) -> usize {
    notes.iter().filter(|note| note.severity == Severity::Error).count()
}

/// Files and rows together; a file's policy with a row's dataset and name adds to the row.
fn merge_lifecycle(loaded: &mut LoadedPolicies, known_stores: &KnownStores<'_>, notes: &mut Vec<Diagnostic>) -> Vec<Draft> {
    let mut rows = std::mem::take(&mut loaded.lifecycle_rows);
    let mut drafts = vec![];
    for file in std::mem::take(&mut loaded.lifecycle) {
        match rows.iter_mut().find(|row| row.is_same(&file)) {
            Some(row) => {
                let mut own = vec![];
                row.add(file, &mut own);
                row.unusable = row.unusable.take().or_else(|| own.first().map(|note| note.message.clone()));
                notes.extend(own.into_iter().map(Diagnostic::softened));
            }
            None => drafts.push(file),
        }
    }
    let mut uses: HashMap<String, usize> = HashMap::new();
    for row in &rows {
        *uses.entry(row.name.value.clone()).or_default() += 1;
    }
    for row in &mut rows {
        row.clock = row.clock.take().or_else(|| known_stores.table_clock.cloned());
        // The table's key is (table, name), ours is the name: where tables share one, each says whose it is.
        if uses.get(&row.name.value).is_some_and(|uses| *uses > 1) {
            row.name.value = format!("{}@{}", row.name.value, row.dataset.value);
        }
    }
    drafts.extend(rows);
    drafts
}

fn merge_tags(loaded: &mut LoadedPolicies, notes: &mut Vec<Diagnostic>) -> Vec<TagDraft> {
    let mut tags: Vec<TagDraft> = std::mem::take(&mut loaded.tag_rows);
    let rows = tags.len();
    for file in std::mem::take(&mut loaded.tags) {
        let known = tags.iter().position(|tag| tag.is_same(&file));
        match known {
            Some(at) if at < rows => {
                let mut own = vec![];
                tags[at].add(file, &mut own);
                notes.extend(own.into_iter().map(Diagnostic::softened));
            }
            Some(at) => {
                let message = format!("the field `{}` of `{}` is classified twice", file.field, file.dataset);
                notes.push(
                    Diagnostic::error(codes::TAG_TWICE, message)
                        .at(&file.place)
                        .also(&tags[at].place, "the first is here")
                        .help("keep one of them"),
                );
            }
            None => tags.push(file),
        }
    }
    tags
}

fn finish_tags(
    drafts: Vec<TagDraft>,
    known_stores: &KnownStores<'_>,
    notes: &mut Vec<Diagnostic>,
) -> (Vec<super::classification::Tag>, Vec<Retention>) {
    let (mut tags, mut retentions, mut told) = (vec![], vec![], HashSet::new());
    for draft in drafts {
        // Once for a dataset, not once for each of its fields.
        if told.insert(draft.dataset.clone()) {
            known_store(&At::new(draft.dataset.clone(), draft.place.clone()), known_stores, notes);
        }
        if let Some((tag, retention)) = draft.finish(notes) {
            retentions.extend(retention.filter(|period| !period.value.is_zero()).map(|period| Retention {
                dataset: tag.dataset.clone(),
                field: tag.field.clone(),
                period,
            }));
            tags.push(tag);
        }
    }
    (tags, retentions)
}

fn finish_holds(loaded: &LoadedPolicies, known_stores: &KnownStores<'_>, notes: &mut Vec<Diagnostic>) -> Vec<super::hold::Hold> {
    let mut first: HashMap<&str, &Place> = HashMap::new();
    for hold in &loaded.holds {
        known_store(&At::new(hold.value.dataset.clone(), hold.place.clone()), known_stores, notes);
        if let Some(earlier) = first.get(hold.value.name.as_str()) {
            notes.push(name_twice("holds", &hold.value.name, &hold.place, earlier));
        } else {
            first.insert(&hold.value.name, &hold.place);
        }
    }
    loaded.holds.iter().map(|hold| hold.value.clone()).collect()
}

fn unique_names(drafts: &[Draft], notes: &mut Vec<Diagnostic>) {
    let mut first: HashMap<&str, &Place> = HashMap::new();
    for draft in drafts {
        if let Some(earlier) = first.get(draft.name.value.as_str()) {
            notes.push(name_twice("lifecycle policies", &draft.name.value, &draft.name.place, earlier));
        } else {
            first.insert(&draft.name.value, &draft.name.place);
        }
    }
}

fn known_store(dataset: &At<DatasetName>, known_stores: &KnownStores<'_>, notes: &mut Vec<Diagnostic>) {
    let store = dataset.value.store.as_str();
    if known_stores.data_model(store).is_none() {
        notes.push(unknown_store(store, Some(&dataset.value), &dataset.place, known_stores));
    }
}

/// Rows and nodes are dated and removed; keys expire by other means. What is archived must be proved to be there, which only
/// a table can do.
fn data_model(draft: &Draft, known_stores: &KnownStores<'_>, notes: &mut Vec<Diagnostic>) {
    let dataset = &draft.dataset;
    match (known_stores.data_model(&dataset.value.store).flatten(), &draft.archive) {
        (Some(DataModel::Keys), _) => {
            let message = format!("`lifecycle` governs rows and nodes, and the store `{}` holds keys", dataset.value.store);
            let help = "write the policy in the section `cache` or `sessions`";
            notes.push(Diagnostic::error(codes::WRONG_FAMILY, message).at(&dataset.place).help(help));
        }
        (Some(DataModel::Graph), Some(step)) => {
            let message = format!("nodes of `{}` cannot be archived: nothing could prove the copy", dataset.value);
            let help = "leave `archive` out; `delete` alone removes nodes for good";
            notes.push(Diagnostic::error(codes::WRONG_FAMILY, message).at(&step.place).help(help));
        }
        _ => {}
    }
}

/// The effective policy; none, with a note, when something it cannot do without is missing.
///
/// When its store's policy table was not read (`unseen`), what is missing may stand there, and nothing is said.
fn complete(draft: &Draft, unseen: bool, notes: &mut Vec<Diagnostic>) -> Option<Lifecycle> {
    let place = draft.places.first()?;
    let name = &draft.name.value;
    let mut missing = |diagnostic: Diagnostic| {
        if !unseen {
            notes.push(diagnostic);
        }
    };
    let is_minimum_alone = draft.archive.is_none() && draft.delete.is_none() && draft.keep.is_some();
    if draft.clock.is_none() && !is_minimum_alone {
        let diagnostic =
            Diagnostic::error(codes::NO_CLOCK, format!("policy `{name}` names no `clock`; how old its rows are is not known"))
                .at(place);
        missing(diagnostic.help(clock_help(place)));
    }
    if draft.archive.is_none() && draft.delete.is_none() && draft.keep.is_none() {
        let diagnostic = Diagnostic::error(codes::NO_STEP, format!("policy `{name}` neither archives nor deletes")).at(place);
        missing(diagnostic.help("add `archive: { after: …, to: … }` or `delete: { after: … }`"));
    }
    let archive = match &draft.archive {
        None => None,
        Some(step) => {
            let mut lacks = |key: &str, help: &str| {
                missing(
                    Diagnostic::error(codes::MISSING_KEY, format!("an `archive` step needs the key `{key}`"))
                        .at(&step.place)
                        .help(help),
                )
            };
            if step.value.after.is_none() {
                lacks("after", "the age at which a row is due, such as `6 months`");
            }
            if step.value.to.is_none() {
                lacks("to", "the dataset that holds the archive, in the same store");
            }
            let (after, to) = (step.value.after.as_ref()?, step.value.to.as_ref()?);
            Some(ArchiveStep {
                after: after.value,
                to: to.value.clone(),
                create: step.value.create.as_ref().is_some_and(|create| create.value),
            })
        }
    };
    let does_something = draft.archive.is_some() || draft.delete.is_some() || draft.keep.is_some();
    let is_dated = draft.clock.is_some() || is_minimum_alone;
    (does_something && is_dated).then(|| Lifecycle { archive, ..skeleton(draft) })
}

/// The policy without its `archive` step; without a clock where none is named.
fn skeleton(draft: &Draft) -> Lifecycle {
    let nothing = || Clock { column: String::new(), zone: None, unit: None };
    Lifecycle {
        name: draft.name.value.clone(),
        owner: draft.owner.clone(),
        dataset: draft.dataset.value.clone(),
        clock: draft.clock.as_ref().map_or_else(nothing, |clock| clock.value.clone()),
        r#where: draft.condition.as_ref().map(|condition| condition.value.clone()),
        archive: None,
        delete: draft.delete.as_ref().map(|after| DeleteStep { after: after.value }),
        keep_at_least: draft.keep.as_ref().map(|keep| keep.value.clone()),
        guard: draft.guard.as_ref().map(|guard| guard.value).unwrap_or_default(),
        cascade: draft.cascade.as_ref().map(|cascade| cascade.value).unwrap_or_default(),
        active: draft.active,
        unusable: None,
        places: draft.places.clone(),
    }
}

fn clock_help(place: &Place) -> &'static str {
    match place {
        Place::File { .. } => "add `clock: created_at`, the column that dates a row",
        Place::Row { .. } => "add `clock` to `policy_tables`, or a policy in a file with the same dataset and name and a `clock`",
    }
}

/// Zero, order of steps, minimums, archives that are their own source or elsewhere.
fn periods<'a>(draft: &'a Draft, minimums: &Minimums<'a>, notes: &mut Vec<Diagnostic>) {
    let archive_after = draft.archive.as_ref().and_then(|step| step.value.after.as_ref());
    for (step, period) in [("archive", archive_after), ("delete", draft.delete.as_ref())] {
        if let Some(period) = period.filter(|period| period.value.is_zero()) {
            let message = format!("`{step}` is due after `{}`: every row, at once", period.value);
            notes.push(
                Diagnostic::error(codes::ZERO_PERIOD, message)
                    .at(&period.place)
                    .help("write the age at which a row is due; leave the step out if there is none"),
            );
        }
    }
    if let Some(to) = draft.archive.as_ref().and_then(|step| step.value.to.as_ref()) {
        archive_target(draft, to, notes);
    }
    let Some(delete) = draft.delete.as_ref().filter(|delete| !delete.value.is_zero()) else { return };
    if let Some(archive) = archive_after.filter(|archive| delete.value.is_ever_shorter_than(&archive.value)) {
        let message =
            format!("rows would be deleted after `{}`, before they are archived after `{}`", delete.value, archive.value);
        notes.push(shorter(codes::DELETE_BEFORE_ARCHIVE, message, delete, &archive.place, "archived after this", &archive.value));
    }
    // Where the policy archives, removal is from the archive, whose sources include the dataset itself.
    let removed_from = draft.archive.as_ref().and_then(|step| step.value.to.as_ref()).unwrap_or(&draft.dataset);
    // The longest wins, so it alone is told: one long list says less than the one minimum that decides.
    let minimums = minimums.over(&removed_from.value);
    let broken = minimums.into_iter().filter(|minimum| delete.value.is_ever_shorter_than(minimum.period));
    let mut longest: HashMap<codes::Code, &Minimum<'a>> = HashMap::new();
    for minimum in broken {
        let entry = longest.entry(minimum.code).or_insert(minimum);
        if entry.period.duration() < minimum.period.duration() {
            *entry = minimum;
        }
    }
    for code in [codes::DELETE_BEFORE_KEEP, codes::DELETE_BEFORE_TAG] {
        if let Some(minimum) = longest.get(&code) {
            let message = format!(
                "rows of `{}` would be deleted after `{}`, and {} is `{}`",
                draft.dataset.value, delete.value, minimum.what, minimum.period
            );
            notes.push(shorter(code, message, delete, minimum.place, "the minimum is here", minimum.period));
        }
    }
}

/// A removal that comes too early, with the place of what it undercuts.
fn shorter(code: codes::Code, message: String, delete: &At<Period>, other: &Place, what: &str, least: &Period) -> Diagnostic {
    let calendar = match delete.value.duration() >= least.duration() {
        true => {
            format!("on some days of the calendar `{}` is shorter than `{least}`; delete after `{least}` or later", delete.value)
        }
        false => format!("delete after `{least}` or later"),
    };
    Diagnostic::error(code, message).at(&delete.place).also(other, what).help(calendar)
}

fn archive_target(draft: &Draft, to: &At<DatasetName>, notes: &mut Vec<Diagnostic>) {
    if to.value == draft.dataset.value {
        let message = format!("`{}` would be archived into itself", to.value);
        notes.push(Diagnostic::error(codes::ARCHIVE_TO_ITSELF, message).at(&to.place).also(&draft.dataset.place, "the source"));
    } else if to.value.store != draft.dataset.value.store {
        let message =
            format!("`{}` would be archived to the store `{}`, which is not built yet", draft.dataset.value, to.value.store);
        let help = format!("archive on the same server: name a dataset of `{}`", draft.dataset.value.store);
        notes.push(Diagnostic::error(codes::ARCHIVE_ELSEWHERE, message).at(&to.place).help(help));
    }
}

/// Archives that feed each other in a circle.
fn chains(policies: &[Lifecycle], notes: &mut Vec<Diagnostic>) {
    let set = Policies { lifecycle: policies.to_vec(), ..Policies::default() };
    for policy in policies {
        let Some(step) = &policy.archive else { continue };
        if step.to != policy.dataset && set.sources_of(&policy.dataset).contains(&step.to) {
            let message = format!("`{}` is archived into `{}`, which is archived back into it", policy.dataset, step.to);
            notes.extend(policy.places.last().map(|place| Diagnostic::error(codes::ARCHIVE_TO_ITSELF, message).at(place)));
        }
    }
}

fn same_step_twice(policies: &[Lifecycle], notes: &mut Vec<Diagnostic>) {
    let active: Vec<&Lifecycle> = policies.iter().filter(|policy| policy.active).collect();
    for (at, policy) in active.iter().enumerate() {
        let shares = |other: &&&Lifecycle| {
            other.name != policy.name
                && other.dataset == policy.dataset
                && other.r#where == policy.r#where
                && (other.archive.is_some() && policy.archive.is_some() || other.delete.is_some() && policy.delete.is_some())
        };
        if let Some(other) = active[..at].iter().find(shares)
            && let (Some(place), Some(first)) = (policy.places.first(), other.places.first())
        {
            let message = format!(
                "policies `{}` and `{}` take the same step on `{}` under the same condition",
                other.name, policy.name, policy.dataset
            );
            notes.push(Diagnostic::warning(codes::SAME_STEP_TWICE, message).at(place).also(first, "the first is here"));
        }
    }
}
