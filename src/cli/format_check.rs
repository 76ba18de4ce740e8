//! A check in words that people read: `steward policies` shows them, `--json` has what was written.

use crate::policy::checks::check::Check;
use crate::policy::checks::field::ReferenceEnd;
use crate::policy::checks::params::Param;
use crate::policy::checks::spec::{CheckSpec, ParamType};
use crate::policy::lifecycle::Clock;

/// What it looks for, in lines of a word and what it is.
pub(super) fn lines(check: &Check) -> Vec<(&'static str, String)> {
    let mut lines = vec![("checks", check.shape.about.to_owned())];
    // Its own key first: what it is about. The others narrow it down.
    let (own, others): (Vec<_>, Vec<_>) = check.params.0.iter().partition(|(key, _)| **key == check.shape.key);
    for (key, value) in own.into_iter().chain(others) {
        lines.extend(given(check.shape, key, value));
    }
    lines.extend(check.r#where.iter().map(|condition| ("where", condition.clone())));
    lines.extend(check.warn.iter().map(|bound| ("warn", bound.to_string())));
    lines.extend(check.fail.iter().map(|bound| ("fail", bound.to_string())));
    lines.extend(check.owner.iter().map(|owner| ("owner", owner.clone())));
    lines
}

fn given(shape: &CheckSpec, key: &'static str, given: &Param) -> Vec<(&'static str, String)> {
    let also = shape.with.iter().find(|also| also.key == key);
    let takes = also.map_or(shape.takes, |also| also.takes);
    vec![(
        key,
        match given {
            // A kind that takes no more than `true` is told by what it checks.
            Param::Flag(_) => return also.map(|also| (key, also.about.to_owned())).into_iter().collect(),
            Param::Ends(ends) => return vec![("from", end(&ends.0)), ("to", end(&ends.1))],
            Param::ReferenceEnd(one) => end(one),
            Param::Text(text) => text.clone(),
            Param::Names(names) | Param::Policies(names) => names.join(", "),
            Param::Number(bytes) if takes == ParamType::Bytes => size(*bytes),
            Param::Number(number) => number.to_string(),
            Param::Period(period) => period.to_string(),
            Param::Keys(pattern) => pattern.to_string(),
        },
    )]
}

fn end(end: &ReferenceEnd) -> String {
    let condition = end.r#where.as_ref().map(|condition| format!(" where {condition}")).unwrap_or_default();
    let clock = end.clock.as_ref().map(|clock| format!(", dated by {}", clock_told(clock))).unwrap_or_default();
    format!("{}{condition}{clock}", end.field)
}

/// `10 MB`: the largest unit of which it is a round number, as people wrote it.
fn size(bytes: f64) -> String {
    const UNITS: [(&str, f64); 4] = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let round = |unit: f64| bytes >= unit && (bytes / unit * 10.0).fract() == 0.0;
    let found = UNITS.iter().find(|(_, unit)| round(*unit));
    found.map_or_else(|| format!("{bytes} B"), |(name, unit)| format!("{} {name}", bytes / unit))
}

/// A clock with its unit and zone.
pub(super) fn clock_told(clock: &Clock) -> String {
    let unit = clock.unit.map(|unit| format!(", {} since 1970", unit.name())).unwrap_or_default();
    let zone = clock.zone.map(|zone| format!(", {}", zone.name())).unwrap_or_default();
    format!("{}{unit}{zone}", clock.column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declarations::reading::Declarations;

    /// What people read of the checks in a file.
    fn told(checks: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("policies")).unwrap();
        std::fs::create_dir_all(dir.path().join("jobs")).unwrap();
        let stores = "stores: { core: { url: \"sqlite:a.db\" }, cache: { url: \"redis://h:6379/0\" } }\n";
        std::fs::write(dir.path().join("steward.yaml"), stores).unwrap();
        std::fs::write(dir.path().join("policies/p.yaml"), checks).unwrap();
        let read = Declarations::read(&dir.path().join("steward.yaml"), &|_| None, &crate::actions::registry());
        let (declarations, _) = read.unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        let lines = declarations.policies.checks.iter().flat_map(lines);
        lines.map(|(word, value)| format!("{word} {value}")).collect()
    }

    #[test]
    fn a_check_is_told_in_words_and_not_as_it_is_stored() {
        let told = told(
            "checks:\n  - { dataset: core.u, duplicate: [email, name] }\n  - { dataset: core.u, range: level, min: 0, max: 5 }\n\
             \x20 - { dataset: cache, big_keys: \"a:*\", over: 10 MB }\n  - { dataset: cache, memory: true, warn: \"> 85 %\" }\n\
             \x20 - { reference: { from: \"cache.a:{id}\", to: { field: core.u.id, where: \"gone = 0\", clock: { column: at, unit: s } } }, both_ways: true }\n",
        );
        for wanted in [
            "duplicate email, name",
            "min 0",
            "max 5",
            "big_keys a:*",
            "over 10 MB",
            "from cache.a:{id}",
            "to core.u.id where gone = 0, dated by at, seconds since 1970",
            "both_ways count the reverse too",
        ] {
            assert!(told.iter().any(|line| line == wanted), "{wanted}: {told:#?}");
        }
        assert!(told.iter().all(|line| !line.contains(['[', '"']) && !line.ends_with(" true")), "{told:#?}");
    }

    #[test]
    fn a_size_is_told_as_one_writes_it() {
        let sizes = [(10e6, "10 MB"), (1.5e9, "1.5 GB"), (4096.0, "4096 B"), (2e12, "2 TB")];
        for (bytes, wanted) in sizes {
            assert_eq!(size(bytes), wanted);
        }
    }
}
