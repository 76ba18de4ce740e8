//! What may stand under `cache` and `sessions`, and how it becomes a rule.

use super::belonging_file::{BelongingEntry, belonging};
use super::condition::{self, Language, Languages};
use super::dataset::DatasetName;
use super::draft::{clock_of, guard_of};
use super::entries::GuardEntry;
use super::expiry::{Assignment, Expiring, ExpiringKeys, ExpiringRows, Expiry, KeyRule, PermanentKeys};
use super::key_pattern::KeyPattern;
use super::lifecycle::{Cascade, Clock};
use super::period::Period;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::node::At;
use crate::yaml::reading::Reading;
use crate::yaml::visitors::{self, OrNull};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// When sessions or cache entries end: rows that say so themselves, or keys that match a pattern.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "this entry", deny_unknown_fields)]
#[schemars(rename = "ExpiryEntry")]
pub struct ExpiryEntry {
    /// Unique in its section; left out, it is the dataset or the pattern.
    pub name: Option<At<String>>,
    /// Rows of a table.
    pub dataset: Option<At<DatasetName>>,
    /// The column that holds the instant at which a row expires.
    pub expires: Option<At<Clock>>,
    /// Expired rows stay for so long.
    pub after: Option<At<Period>>,
    /// A further condition in the store's own language; a row for which it is not true stays.
    pub r#where: Option<At<String>>,
    /// Written into an expired row, which then stays: `{ is_active: 0 }`.
    pub set: Option<At<Assignments>>,
    /// What happens when other rows would go along through a foreign key; `refuse` by default.
    pub cascade: Option<At<Cascade>>,
    /// A store with keys.
    pub store: Option<At<String>>,
    /// Their names: `*` any text, `?` one byte, `{id}` the piece that names the owner.
    pub keys: Option<At<KeyPattern>>,
    /// The longest time a key may have to live.
    pub ttl: Option<At<Period>>,
    /// What happens to a key that never expires; `expire` by default where there is a `ttl`, else `report`.
    pub without_ttl: Option<At<KeyRule>>,
    /// What happens to a key that has longer to live than `ttl`; `expire` by default.
    pub longer_ttl: Option<At<KeyRule>>,
    /// A key that nobody read or wrote for so long is removed.
    pub idle: Option<At<Period>>,
    /// Whose copy, or session, a key is: one owner, or a list of which all must be there. A key whose owner is gone is removed.
    pub belongs_to: Option<At<BelongingEntry>>,
    /// True for keys that live on purpose: nothing removes them or gives them a time to live. Only under `cache`.
    pub permanent: Option<At<bool>>,
    /// Why these keys live on purpose.
    pub because: Option<At<String>>,
    /// How much may end in one run without a person; by default 100000 and 20 percent.
    pub guard: Option<At<GuardEntry>>,
}

/// Columns and what is written into them.
#[derive(Debug, Clone)]
pub struct Assignments(Vec<Assignment>);

impl<'de> Deserialize<'de> for Assignments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs: Vec<(String, OrNull)> = visitors::pairs("columns, each with its value", deserializer)?;
        Ok(Self(pairs.into_iter().map(|(column, OrNull(value))| Assignment { column, value }).collect()))
    }
}

impl JsonSchema for Assignments {
    fn schema_name() -> Cow<'static, str> {
        "Assignments".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null"] } })
    }
}

/// The rule that an entry declares; none, with notes, when it cannot be one.
pub fn expiry(
    entry: &ExpiryEntry,
    place: &Place,
    owner: Option<&str>,
    languages: Languages<'_>,
    reading: &mut Reading<'_>,
) -> Option<Expiry> {
    let of = match (&entry.dataset, &entry.keys) {
        (Some(dataset), None) => Expiring::Rows(rows(entry, dataset, place, languages(&dataset.value.store), reading)?),
        (None, Some(keys)) if entry.permanent.as_ref().is_some_and(|permanent| permanent.value) => {
            Expiring::Permanent(permanent(entry, keys, place, reading)?)
        }
        (None, Some(keys)) => Expiring::Keys(self::keys(entry, keys, place, languages, reading)?),
        _ => {
            reading.note(
                Diagnostic::error(codes::MISSING_KEY, "this entry needs either a `dataset` or `keys`")
                    .at(place)
                    .help("rows: `dataset` and `expires`; keys: `store`, `keys` and `ttl`"),
            );
            return None;
        }
    };
    let name = entry.name.as_ref().map(|name| name.value.clone()).unwrap_or_else(|| match &of {
        Expiring::Rows(rows) => rows.dataset.to_string(),
        Expiring::Keys(keys) => keys.keys.to_string(),
        Expiring::Permanent(keys) => keys.keys.to_string(),
    });
    let guard = match &entry.guard {
        Some(guard) => guard_of(guard, reading)?.value,
        None => super::lifecycle::Guard::default(),
    };
    Some(Expiry { name, owner: owner.map(str::to_owned), of, guard, place: place.clone() })
}

fn rows(
    entry: &ExpiryEntry,
    dataset: &At<DatasetName>,
    place: &Place,
    language: Language,
    reading: &mut Reading<'_>,
) -> Option<ExpiringRows> {
    let stray = [
        ("store", entry.store.as_ref().map(|at| &at.place)),
        ("permanent", entry.permanent.as_ref().map(|at| &at.place)),
        ("because", entry.because.as_ref().map(|at| &at.place)),
    ];
    let stray: Vec<Written<'_>> = stray.into_iter().chain(rules_of_keys(entry)).collect();
    refuse(&stray, "is for keys; rows of a `dataset` expire by their column", reading)?;
    let Some(expires) = &entry.expires else {
        reading.note(
            Diagnostic::error(codes::MISSING_KEY, "rows that expire need the key `expires`")
                .at(place)
                .help("the column that holds the instant: `expires: expires_at`"),
        );
        return None;
    };
    Some(ExpiringRows {
        dataset: dataset.value.clone(),
        expires: clock_of(expires, reading)?.value,
        after: entry.after.as_ref().map(|after| after.value),
        r#where: match &entry.r#where {
            Some(written) => Some(condition::declared(written, language, reading)?.value),
            None => None,
        },
        set: assignments(entry.set.as_ref(), reading)?,
        cascade: entry.cascade.as_ref().map(|cascade| cascade.value).unwrap_or_default(),
    })
}

fn assignments(set: Option<&At<Assignments>>, reading: &mut Reading<'_>) -> Option<Vec<Assignment>> {
    let Some(set) = set else { return Some(vec![]) };
    if set.value.0.is_empty() {
        reading.note(
            Diagnostic::error(codes::SIZE, "`set` names no column; rows would be removed instead")
                .at(&set.place)
                .help("name a column and its value, `set: { is_active: 0 }`, or leave `set` out"),
        );
        return None;
    }
    Some(set.value.0.clone())
}

/// Keys that live on purpose: beside the reason they take no rule.
fn permanent(entry: &ExpiryEntry, keys: &At<KeyPattern>, place: &Place, reading: &mut Reading<'_>) -> Option<PermanentKeys> {
    let guard = [("guard", entry.guard.as_ref().map(|at| &at.place))];
    let stray: Vec<Written<'_>> = parts_of_rows(entry).into_iter().chain(rules_of_keys(entry)).chain(guard).collect();
    refuse(&stray, "says when keys end, and `permanent: true` says that they do not", reading)?;
    let store = store_of(entry, place, reading)?;
    let Some(because) = entry.because.as_ref().filter(|because| !because.value.trim().is_empty()) else {
        reading.note(
            Diagnostic::error(codes::MISSING_KEY, "`permanent: true` needs the key `because`: why do these keys live?")
                .at(place)
                .help("add `because: feature flags, kept by the platform team`"),
        );
        return None;
    };
    Some(PermanentKeys { store, keys: keys.value.clone(), permanent: true, because: because.value.clone() })
}

fn store_of(entry: &ExpiryEntry, place: &Place, reading: &mut Reading<'_>) -> Option<String> {
    let store = entry.store.as_ref().map(|store| store.value.clone());
    if store.is_none() {
        reading.note(
            Diagnostic::error(codes::MISSING_KEY, "`keys` need the key `store`")
                .at(place)
                .help("name the store that holds them, as `stores` in steward.yaml calls it"),
        );
    }
    store
}

fn keys(
    entry: &ExpiryEntry,
    keys: &At<KeyPattern>,
    place: &Place,
    languages: Languages<'_>,
    reading: &mut Reading<'_>,
) -> Option<ExpiringKeys> {
    refuse(&parts_of_rows(entry), "is for rows; `keys` go by their time to live", reading)?;
    let because = [("because", entry.because.as_ref().map(|at| &at.place))];
    refuse(&because, "is the reason of `permanent: true`, which is not there", reading)?;
    let store = store_of(entry, place, reading)?;
    for (what, period) in [("ttl", &entry.ttl), ("idle", &entry.idle)] {
        if let Some(period) = period.as_ref().filter(|period| period.value.is_zero()) {
            reading.note(
                Diagnostic::error(codes::ZERO_PERIOD, format!("`{what}` is zero: every key, at once"))
                    .at(&period.place)
                    .help("leave the key out if there is no limit"),
            );
            return None;
        }
    }
    let belongs_to = match &entry.belongs_to {
        Some(entry) => belonging(entry, &store, &keys.value, languages, reading)?,
        None => vec![],
    };
    let by_default = if entry.ttl.is_some() { KeyRule::Expire } else { KeyRule::Report };
    let rule = |rule: &Option<At<KeyRule>>| rule.as_ref().map_or(by_default, |rule| rule.value);
    for (what, rule) in [("without_ttl", &entry.without_ttl), ("longer_ttl", &entry.longer_ttl)] {
        let lacks =
            entry.ttl.is_none() && (what == "longer_ttl" || rule.as_ref().is_some_and(|rule| rule.value == KeyRule::Expire));
        if let Some(rule) = rule.as_ref().filter(|_| lacks) {
            reading.note(
                Diagnostic::error(codes::MISSING_KEY, format!("`{what}` needs the key `ttl`: how long may a key live?"))
                    .at(&rule.place)
                    .help("add `ttl: 30 minutes`"),
            );
            return None;
        }
    }
    if entry.ttl.is_none() && entry.idle.is_none() && entry.without_ttl.is_none() && belongs_to.is_empty() {
        reading.note(
            Diagnostic::error(codes::NO_STEP, format!("nothing is said about the keys `{}`", keys.value))
                .at(place)
                .help("add `ttl: 30 minutes`, `idle: 7 days`, `without_ttl: report` or `belongs_to: core.users.id`"),
        );
        return None;
    }
    Some(ExpiringKeys {
        store,
        keys: keys.value.clone(),
        ttl: entry.ttl.as_ref().map(|ttl| ttl.value),
        without_ttl: rule(&entry.without_ttl),
        longer_ttl: rule(&entry.longer_ttl),
        idle: entry.idle.as_ref().map(|idle| idle.value),
        belongs_to,
    })
}

/// A key, and where it was written, if it was.
type Written<'e> = (&'static str, Option<&'e Place>);

/// What only rows can have.
fn parts_of_rows(entry: &ExpiryEntry) -> [Written<'_>; 5] {
    [
        ("expires", entry.expires.as_ref().map(|at| &at.place)),
        ("after", entry.after.as_ref().map(|at| &at.place)),
        ("where", entry.r#where.as_ref().map(|at| &at.place)),
        ("set", entry.set.as_ref().map(|at| &at.place)),
        ("cascade", entry.cascade.as_ref().map(|at| &at.place)),
    ]
}

/// When keys end.
fn rules_of_keys(entry: &ExpiryEntry) -> [Written<'_>; 5] {
    [
        ("ttl", entry.ttl.as_ref().map(|at| &at.place)),
        ("without_ttl", entry.without_ttl.as_ref().map(|at| &at.place)),
        ("longer_ttl", entry.longer_ttl.as_ref().map(|at| &at.place)),
        ("idle", entry.idle.as_ref().map(|at| &at.place)),
        ("belongs_to", entry.belongs_to.as_ref().map(|at| &at.place)),
    ]
}

/// Notes the first key that has no meaning here.
fn refuse(stray: &[Written<'_>], why: &str, reading: &mut Reading<'_>) -> Option<()> {
    let Some((key, place)) = stray.iter().find_map(|(key, place)| Some((key, (*place)?))) else { return Some(()) };
    reading.note(Diagnostic::error(codes::UNKNOWN_KEY, format!("`{key}` {why}")).at(place).help(format!("take `{key}` out")));
    None
}
