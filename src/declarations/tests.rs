//! What is read from disk: the shipped declarations, the reference's own examples, and many wrong ones.

use super::reading::{Declarations, Reading};
use super::schema::{Subject, schema};
use crate::diagnostic::diagnosis::Diagnosis;
use crate::job::vocabulary::Vocabulary;
use crate::policy::quality::shape::{Also, Counts, On, Shape, Takes};
use crate::policy::section::Section;
use crate::policy::table::{LifecycleRow, TagRow};
use proptest::prelude::*;
use std::path::Path;

/// The words the tests use; the table of actions stands on a higher floor.
pub(super) fn vocabulary() -> Vocabulary {
    use Section::{Archive, Cache, Checks, Delete, Sessions, Views};
    let actions = vec![
        ("archive", Archive),
        ("delete", Delete),
        ("expire-sessions", Sessions),
        ("sweep-cache", Cache),
        ("refresh-views", Views),
        ("check-quality", Checks),
    ];
    Vocabulary { actions, checks: vec![&DUPLICATE, &MEMORY, &REFERENCE, &RANGE, &REGEX, &OVERDUE] }
}

/// Kinds of checks with every sort of key, as the table of kinds might hold them.
const DUPLICATE: Shape = Shape {
    key: "duplicate",
    about: "rows that share what should be one row's alone",
    takes: Takes::Names,
    with: &[Also { key: "normalize", about: "how values are compared", takes: Takes::Word(&["email", "lower"]), needed: false }],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const MEMORY: Shape = Shape {
    key: "memory",
    about: "how full the store is",
    takes: Takes::Flag,
    with: &[],
    on: On::KeyStore,
    counts: Counts::Percent,
    warns: None,
};
const REFERENCE: Shape = Shape {
    key: "reference",
    about: "ids that lead nowhere",
    takes: Takes::Ends,
    with: &[
        Also { key: "both_ways", about: "look from both ends", takes: Takes::Flag, needed: false },
        Also { key: "settle", about: "what is younger is left out", takes: Takes::Period, needed: false },
    ],
    on: On::Nothing,
    counts: Counts::Things,
    warns: Some("> 0"),
};

const RANGE: Shape = Shape {
    key: "range",
    about: "numbers out of their range",
    takes: Takes::Text,
    with: &[
        Also { key: "min", about: "the smallest", takes: Takes::Number, needed: false },
        Also { key: "max", about: "the largest", takes: Takes::Number, needed: false },
    ],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const REGEX: Shape = Shape {
    key: "regex",
    about: "texts that do not match",
    takes: Takes::Pattern,
    with: &[
        Also { key: "zone", about: "a zone", takes: Takes::Zone, needed: false },
        Also { key: "unit", about: "a unit", takes: Takes::Word(&["s"]), needed: false },
        Also { key: "over", about: "a time", takes: Takes::Time, needed: false },
    ],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const OVERDUE: Shape = Shape {
    key: "overdue",
    about: "rows past their period",
    takes: Takes::Policies,
    with: &[],
    on: On::Nothing,
    counts: Counts::Things,
    warns: Some("> 0"),
};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["policies", "jobs"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

pub(super) fn read(files: &[(&str, &str)]) -> Result<(Declarations, Diagnosis), Diagnosis> {
    let dir = folder(files);
    Declarations::read(
        &dir.path().join("steward.yaml"),
        &|name| (name == "SET").then(|| "SIX months".replace("SIX", "6")),
        &vocabulary(),
    )
}

const CONFIG: &str = "stores:\n  core: { url: \"sqlite:core.db\" }\n  other: { url: \"sqlite:other.db\" }\n";

/// The codes found when a policy file holds this, with a sound configuration.
fn codes(policy: &str) -> Vec<String> {
    match read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy)]) {
        Ok((_, warnings)) => warnings.diagnostics.iter().map(|one| one.code.to_string()).collect(),
        Err(diagnosis) => diagnosis.diagnostics.iter().map(|one| one.code.to_string()).collect(),
    }
}

fn rendered(files: &[(&str, &str)]) -> String {
    read(files).map(|(_, warnings)| warnings.to_string()).unwrap_or_else(|diagnosis| diagnosis.to_string())
}

#[test]
fn the_schemas_know_exactly_the_keys_that_are_read() {
    use crate::{
        config::file::*, job::file::*, policy::entries::*, policy::expiry_file::*, policy::file::*, policy::view_file::*,
    };
    let keys = |subject: Subject, of: &str| -> Vec<String> {
        let schema: serde_json::Value = serde_json::from_str(&schema(subject, &vocabulary().checks)).unwrap();
        let object = if of.is_empty() { &schema } else { &schema["definitions"][of] };
        assert_eq!(object["additionalProperties"], false, "{of}");
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let sorted = |keys: &[&str]| {
        let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(Subject::Policy, ""), sorted(PolicyFile::KEYS));
    assert_eq!(keys(Subject::Policy, "LifecycleEntry"), sorted(LifecycleEntry::KEYS));
    assert_eq!(keys(Subject::Policy, "FieldEntry"), sorted(FieldEntry::KEYS));
    assert_eq!(keys(Subject::Policy, "HoldEntry"), sorted(HoldEntry::KEYS));
    assert_eq!(keys(Subject::Policy, "ExpiryEntry"), sorted(ExpiryEntry::KEYS));
    assert_eq!(keys(Subject::Policy, "ViewEntry"), sorted(ViewEntry::KEYS));
    assert_eq!(keys(Subject::Job, ""), sorted(JobFile::KEYS));
    assert_eq!(keys(Subject::Config, ""), sorted(ConfigFile::KEYS));
    assert_eq!(keys(Subject::Config, "StoreEntry"), sorted(StoreEntry::KEYS));
    assert_eq!(keys(Subject::Config, "MailEntry"), sorted(MailEntry::KEYS));
}

/// The reference's own examples, without what it says comes later.
#[test]
fn the_examples_of_the_reference_are_read() {
    let config = r#"
stores:
  core:     { url: "mysql://steward@127.0.0.1/jobfirst", password: { env: CORE_PASSWORD } }
  platform: { url: "postgres://steward@127.0.0.1/looma", password: { env: PLATFORM_PASSWORD } }
  small:    { url: "sqlite:company.db" }
state: state/
ledger: "sqlite:state/steward.db"
policies: [policies/]
jobs: jobs/
policy_tables:
  lifecycle: core.data_lifecycle_policies
  classification: core.data_classification_tags
  clock: created_at
mail: { url: "smtp://127.0.0.1:1025", user: steward, password: { env: MAIL_PASSWORD }, from: "steward@example.com", to: ["dpo@example.com"] }
"#;
    let policy = r#"
owner: finance@example.com
lifecycle:
  - name: consumption-records
    dataset: platform.financial_management.consumption_record
    clock: created_at
    where: "amount > 0"
    archive: { after: 6 months, to: platform.archive.consumption_record_archive, create: false }
    delete:  { after: 7 years }
    keep_at_least: { for: 3 years, because: tax law }
    guard: { max_rows: 500000, max_percent: 90 }
    cascade: refuse
classification:
  - dataset: core.users
    fields:
      email: { type: PII, sensitivity: high, protect: aes256, sealed_in: email_encrypted, retention: 2555 days, encrypt: true, restrict: true, audit: true }
holds:
  - { name: case-114, dataset: core.users, where: "id in (17, 42)", because: litigation, owner: legal@example.com }
"#;
    let job = r#"
action: archive
policies: [consumption-records]
schedule: "15 2 * * *"
timezone: Asia/Shanghai
budget: 40 minutes
pause_when: { replica_lag: 5 s }
mode: enforce
report: { to: [dpo@example.com], when: changed }
"#;
    let files = [("steward.yaml", config), ("policies/finance.yaml", policy), ("jobs/archive-consumption.yaml", job)];
    let (declarations, warnings) = read(&files).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    assert!(warnings.diagnostics.is_empty(), "{warnings}");
    assert!(declarations.tables_unread);
    let policy = declarations.policies.lifecycle("consumption-records").unwrap();
    assert_eq!(policy.owner.as_deref(), Some("finance@example.com"));
    assert_eq!(policy.places[0].to_string(), "policies/finance.yaml:4:5");
    assert_eq!(policy.guard.max_rows, 500_000);
    assert_eq!(declarations.job("archive-consumption").unwrap().pause.replica_lag.unwrap().to_string(), "5 seconds");
    let archive = "platform.archive.consumption_record_archive".parse().unwrap();
    assert_eq!(declarations.policies.holds_for(&archive).count(), 0);
    assert!(declarations.policies.is_secret(&"core.users".parse().unwrap(), "email"));
    assert!(!declarations.policies.is_public(&"core.users".parse().unwrap(), "nickname"));
}

const SOUND: &str = "lifecycle:\n  - { dataset: core.u, clock: c, delete: { after: 6 years } }\n";

#[test]
fn each_mistake_in_a_policy_has_its_code() {
    let one = |entry: &str| codes(&format!("lifecycle:\n  - {entry}\n"));
    let cases = [
        ("{ dataset: core.u, clock: c, delete: { after: 1 day }, filter: x }", "SW0002"),
        ("{ dataset: core.u, clock: c, clock: d, delete: { after: 1 day } }", "SW0003"),
        ("{ clock: c, delete: { after: 1 day } }", "SW0004"),
        ("{ dataset: core.u, clock: c, delete: {} }", "SW0004"),
        ("{ dataset: core.u, clock: c, archive: { after: 1 day } }", "SW0004"),
        ("{ dataset: core.u, clock: c, keep_at_least: { for: 1 day }, delete: { after: 1 day } }", "SW0004"),
        ("{ dataset: core.u, clock: [c], delete: { after: 1 day } }", "SW0005"),
        ("{ dataset: core.u, clock: c, where: ~, delete: { after: 1 day } }", "SW0005"),
        ("{ dataset: core.u, clock: c, delete: { after: 1 fortnight } }", "SW0006"),
        ("{ dataset: users, clock: c, delete: { after: 1 day } }", "SW0006"),
        ("{ dataset: core.u, clock: c, delete: { after: 1 day }, cascade: yes }", "SW0006"),
        ("{ dataset: core.u, clock: c, delete: { after: \"x${SET}\" } }", "SW0007"),
        ("{ dataset: core.u, clock: c, delete: { after: \"${UNSET}\" } }", "SW0007"),
        ("{ dataset: cora.u, clock: c, delete: { after: 1 day } }", "SW2003"),
        ("{ dataset: core.u, clock: c, archive: { after: 1 day, to: other.u } }", "SW2004"),
        ("{ dataset: core.u, clock: c }", "SW2101"),
        ("{ dataset: core.u, clock: c, delete: { after: 0 days } }", "SW2102"),
        ("{ dataset: core.u, clock: c, archive: { after: 1 day, to: core.u } }", "SW2103"),
        ("{ dataset: core.u, delete: { after: 1 day } }", "SW2104"),
        ("{ dataset: core.u, clock: c, archive: { after: 1 month, to: core.a }, delete: { after: 30 days } }", "SW2105"),
        ("{ dataset: core.u, clock: c, delete: { after: 1 year }, keep_at_least: { for: 366 days, because: law } }", "SW2106"),
        ("{ dataset: core.u, clock: c, delete: { after: 1 day }, guard: { max_rows: 0 } }", "SW2108"),
        ("{ dataset: core.u, clock: c, delete: { after: 1 day }, guard: { max_percent: 101 } }", "SW2108"),
        ("{ dataset: core.u, clock: { column: c, zone: UTC, unit: s }, delete: { after: 1 day } }", "SW2110"),
        ("{ dataset: core.u, clock: c, where: ' ', delete: { after: 1 day } }", "SW2111"),
        ("{ dataset: core.u, clock: { column: c, zone: CST }, delete: { after: 1 day } }", "SW3007"),
    ];
    for (entry, code) in cases {
        assert_eq!(one(entry), [code], "{entry}");
    }
    assert!(codes(SOUND).is_empty());
    assert!(codes("lifecycle: []\n").is_empty());
}

#[test]
fn each_mistake_between_entries_has_its_code() {
    let twice = "lifecycle:\n  - { name: a, dataset: core.u, clock: c, delete: { after: 1 day } }\n  - { name: NAME, dataset: core.u, clock: c, delete: { after: 2 days } }\n";
    assert_eq!(codes(&twice.replace("NAME", "a")), ["SW2002"]);
    assert_eq!(codes(&twice.replace("NAME", "b")), ["SW2109"]);
    let tag = |retention: &str| {
        format!(
            "{SOUND}classification:\n  - {{ dataset: core.u, fields: {{ email: {{ sensitivity: high, retention: {retention} }} }} }}\n"
        )
    };
    assert_eq!(codes(&tag("7 years")), ["SW2107"]);
    assert!(codes(&tag("0 days")).is_empty());
    assert!(codes(&tag("6 years")).is_empty());
    let tags = "classification:\n  - { dataset: core.u, fields: { email: { sensitivity: low } } }\n  - { dataset: core.u, fields: { email: { sensitivity: high } } }\n";
    assert_eq!(codes(tags), ["SW2201"]);
    assert_eq!(
        codes("classification:\n  - { dataset: core.u, fields: { email: { sensitivity: high, sealed_in: email } } }\n"),
        ["SW2202"]
    );
    assert_eq!(
        codes("holds:\n  - { name: a, dataset: core.u, because: x }\n  - { name: a, dataset: core.v, because: y }\n"),
        ["SW2002"]
    );
    let circle = "lifecycle:\n  - { dataset: core.a, clock: c, archive: { after: 1 day, to: core.b } }\n  - { dataset: core.b, clock: c, archive: { after: 1 day, to: core.a } }\n";
    assert_eq!(codes(circle), ["SW2103", "SW2103"]);
}

#[test]
fn a_minimum_binds_removal_and_not_archiving() {
    let policy = "lifecycle:\n  - { dataset: core.u, clock: c, archive: { after: 6 months, to: core.a } }\nclassification:\n  - { dataset: core.u, fields: { email: { sensitivity: high, retention: 7 years } } }\n";
    assert!(codes(policy).is_empty());
    // The archive's rows are the same rows: another policy may not remove them there any earlier.
    let more = policy.replace("classification:", "  - { dataset: core.a, clock: c, delete: { after: 1 year } }\nclassification:");
    assert_eq!(codes(&more), ["SW2107"]);
}

#[test]
fn both_places_are_named_when_deletion_comes_too_early() {
    let text = rendered(&[
        ("steward.yaml", CONFIG),
        ("policies/a.yaml", SOUND),
        (
            "policies/b.yaml",
            "classification:\n  - dataset: core.u\n    fields:\n      email: { sensitivity: high, retention: 2555 days }\n",
        ),
    ]);
    assert!(text.contains("--> policies/a.yaml:2:51") && text.contains("--> policies/b.yaml:4:46"), "{text}");
}

#[test]
fn errors_of_all_files_are_told_in_one_pass() {
    let text = rendered(&[
        ("steward.yaml", "stores:\n  core: { url: \"sqlite:core.db\", colour: red }\n"),
        ("policies/a.yaml", "lifecycle:\n\t- x\n"),
        ("policies/b.yaml", "lifecycle:\n  - { dataset: core.u, clokc: c }\n  - { dataset: core.v, filter: c }\n"),
        ("jobs/a.yaml", "action: archiv\npolicies: [x]\n"),
        ("jobs/b.yaml", "action: delete\n"),
    ]);
    for place in [
        "steward.yaml:2:34",
        "policies/a.yaml:2",
        "policies/b.yaml:2:24",
        "policies/b.yaml:3:24",
        "jobs/a.yaml:1:9",
        "jobs/b.yaml:1:1",
    ] {
        assert!(text.contains(place), "{place} in\n{text}");
    }
    // What a broken file may hold is not called missing.
    assert!(!text.contains("matches no lifecycle policy"), "{text}");
}

#[test]
fn a_job_finds_what_it_names_or_says_so() {
    let job = |text: &str| match read(&[("steward.yaml", CONFIG), ("policies/p.yaml", SOUND), ("jobs/j.yaml", text)]) {
        Ok(_) => String::new(),
        Err(diagnosis) => diagnosis.diagnostics.iter().map(|one| format!("{} {} ", one.code, one.help.join(" "))).collect(),
    };
    assert_eq!(job("action: delete\npolicies: [core.u]\n"), "");
    assert_eq!(job("action: delete\npolicies: ['core.*']\n"), "");
    assert!(job("action: delete\npolicies: [core.uu]\n").starts_with("SW3004 did you mean `core.u`?"));
    assert!(job("action: archive\npolicies: [core.u]\n").starts_with("SW3005"));
    assert!(job("action: archive\npolicies: ['*']\n").starts_with("SW3004"));
    assert!(job("action: delete\npolicies: []\n").starts_with("SW3004"));
    assert!(job("action: delet\npolicies: [core.u]\n").starts_with("SW3003 did you mean `delete`?"));
    assert!(job("action: encrypt\npolicies: [core.u]\n").starts_with("SW1002"));
    assert!(job("action: delete\npolicies: [core.u]\nschedule: '0 0 2 * * *'\n").starts_with("SW3006"));
    assert!(job("action: delete\npolicies: [core.u]\nbudget: 0 s\n").starts_with("SW3010"));
    assert!(job("action: delete\npolicies: [core.u]\nreport: { to: ['a b'] }\n").starts_with("SW3009"));
    assert!(job("# nothing\n").starts_with("SW0008"));
}

#[test]
fn a_variable_is_the_whole_value_and_taken_after_parsing() {
    let policy = "lifecycle:\n  - { dataset: core.u, clock: c, delete: { after: \"${SET}\" } }\n";
    let (declarations, _) = read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy)]).unwrap();
    assert_eq!(declarations.policies.lifecycle[0].delete.as_ref().unwrap().after.to_string(), "6 months");
}

#[test]
fn two_files_for_one_job_and_odd_names_are_refused() {
    let job = "action: delete\npolicies: [core.u]\n";
    let text = rendered(&[
        ("steward.yaml", CONFIG),
        ("policies/p.yaml", SOUND),
        ("jobs/a.yaml", job),
        ("jobs/a.yml", job),
        ("jobs/Big.yaml", job),
        ("jobs/.hidden.yaml", "x: ["),
    ]);
    assert!(
        text.contains("SW3002") && text.contains("SW3001") && text.contains("`big.yaml`") && !text.contains("SW0001"),
        "{text}"
    );
}

#[test]
fn no_password_is_in_what_is_printed() {
    let config = "stores:\n  a: { url: 'mysql://root:hunter2@h/db', colour: x }\n  b: { url: 'mysql://h/db', password: hunter2 }\n  c: { url: 'hunter2@nowhere' }\nmail: { url: 'smtp://u:hunter2@h', from: a, to: [b] }\nledger: 'postgres://u:hunter2@h/db'\n";
    for config in [config.to_owned(), config.replace("mail:", "mail: :"), config.replace("hunter2", "${X}hunter2")] {
        let diagnosis = read(&[("steward.yaml", &config)]).unwrap_err();
        let json = serde_json::to_string(&diagnosis).unwrap();
        assert!(!json.contains("hunter2"), "{json}");
        let text = diagnosis.to_string();
        assert!(!text.replace("hunter2@nowhere", "").contains("hunter2"), "{text}");
    }
}

#[test]
fn a_folder_that_is_named_and_not_there_is_an_error_with_a_way_out() {
    let text = rendered(&[("steward.yaml", &format!("{CONFIG}policies: [elsewhere/]\n"))]);
    assert!(text.contains("SW0009") && text.contains("steward.yaml:4:12") && text.contains("help:"), "{text}");
}

fn with_tables(
    policy: &str,
    clock: &str,
    lifecycle: &[LifecycleRow],
    tags: &[TagRow],
) -> Result<(Declarations, Diagnosis), Diagnosis> {
    let config = format!(
        "{CONFIG}policy_tables: {{ lifecycle: core.data_lifecycle_policies, classification: core.data_classification_tags{clock} }}\n"
    );
    let dir = folder(&[("steward.yaml", &config), ("policies/p.yaml", policy)]);
    Reading::files(&dir.path().join("steward.yaml"), &|_| None, &vocabulary()).merge_tables(lifecycle, tags).finish()
}

fn row(table: &str, archive: Option<i64>, delete: Option<i64>) -> LifecycleRow {
    LifecycleRow {
        row: "3".into(),
        table_name: table.into(),
        policy_name: "old".into(),
        retention_period: None,
        archive_period: archive,
        deletion_period: delete,
        archive_location: archive.map(|_| "archive_users".into()),
        is_active: true,
    }
}

fn found(result: Result<(Declarations, Diagnosis), Diagnosis>) -> String {
    match result {
        Ok((_, warnings)) => warnings.diagnostics.iter().map(|one| one.code.to_string()).collect(),
        Err(diagnosis) => diagnosis.to_string(),
    }
}

#[test]
fn a_row_and_a_file_make_one_policy() {
    let file =
        "lifecycle:\n  - { name: old, dataset: core.users, clock: created_at, where: 'id > 1', archive: { create: true } }\n";
    let (declarations, _) =
        with_tables(file, "", &[row("users", Some(90), Some(365))], &[]).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    let [policy] = declarations.policies.lifecycle.as_slice() else { panic!() };
    let step = policy.archive.as_ref().unwrap();
    assert!(step.create && step.to.to_string() == "core.archive_users" && policy.clock.column == "created_at");
    assert_eq!(
        policy.places.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["db://core/data_lifecycle_policies#3", "policies/p.yaml:2:5"]
    );
}

#[test]
fn a_contradiction_names_both_places() {
    let file = "lifecycle:\n  - { name: old, dataset: core.users, clock: c, archive: { after: 91 days } }\n";
    let text = found(with_tables(file, "", &[row("users", Some(90), None)], &[]));
    assert!(
        text.contains("SW2401")
            && text.contains("policies/p.yaml:2:")
            && text.contains("db://core/data_lifecycle_policies#3.archive_period"),
        "{text}"
    );
    let file = "lifecycle:\n  - { name: old, dataset: core.users, clock: c, delete: { after: 91 days } }\n";
    assert!(found(with_tables(file, "", &[row("users", Some(90), None)], &[])).contains("no such step"));
}

#[test]
fn a_row_without_a_clock_is_refused_unless_the_configuration_gives_one() {
    assert!(found(with_tables("", "", &[row("users", None, Some(90))], &[])).contains("SW2104"));
    assert!(with_tables("", ", clock: created_at", &[row("users", None, Some(90))], &[]).is_ok());
}

#[test]
fn what_a_row_cannot_mean_is_refused_with_its_column() {
    let clock = ", clock: created_at";
    assert!(found(with_tables("", clock, &[row("users", None, Some(0))], &[])).contains("#3.deletion_period"));
    assert!(found(with_tables("", clock, &[row("users", Some(-1), None)], &[])).contains("SW2402"));
    assert!(found(with_tables("", clock, &[row("users", None, None)], &[])).contains("SW2101"));
    assert!(found(with_tables("", clock, &[row("users", Some(90), Some(30))], &[])).contains("#3.archive_period"));
    let to = |location: &str| {
        found(with_tables(
            "",
            clock,
            &[LifecycleRow { archive_location: Some(location.into()), ..row("users", Some(1), None) }],
            &[],
        ))
    };
    assert!(to("s3://bucket/users").contains("SW2403"));
    assert!(to("nowhere.a.b").contains("SW2403"));
    assert!(to("other.a.b").contains("SW2004"));
    for fine in ["old_users", "archive.users", "core.archive.users"] {
        assert!(!to(fine).contains("error"), "{fine}: {}", to(fine));
    }
}

#[test]
fn a_hostile_table_name_is_one_name() {
    for name in ["users; drop table users", "us`ers", "a'b", "we\"ird", "a.b.c.d", "..", "'; --"] {
        let (declarations, _) = with_tables("", ", clock: c", &[row(name, None, Some(90))], &[])
            .unwrap_or_else(|diagnosis| panic!("{name}: {diagnosis}"));
        assert_eq!(declarations.policies.lifecycle[0].dataset.table, name);
    }
}

#[test]
fn a_row_that_is_switched_off_is_listed_and_never_matched() {
    let off = LifecycleRow { is_active: false, ..row("users", None, Some(90)) };
    let (declarations, _) = with_tables("", ", clock: c", &[off], &[]).unwrap();
    assert_eq!(declarations.policies.lifecycle.len(), 1);
    assert_eq!(declarations.policies.matching(&["old"]), Vec::<&crate::policy::lifecycle::Lifecycle>::new());
}

#[test]
fn one_name_for_two_tables_becomes_two_policies_that_both_answer_to_it() {
    let (declarations, _) =
        with_tables("", ", clock: c", &[row("users", None, Some(90)), row("orders", None, Some(30))], &[]).unwrap();
    let names: Vec<&str> = declarations.policies.matching(&["old"]).iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["old@core.users", "old@core.orders"]);
}

#[test]
fn the_source_documents_rows_load_and_agree_with_the_shipped_file() {
    let shipped = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/classification.yaml")).unwrap();
    let rows = [
        ("users", "password_hash", "critical", "bcrypt_encryption", 0, true, true, true),
        ("user_sessions", "session_token", "critical", "jwt_encryption", 0, true, true, true),
        ("user_sessions", "refresh_token", "critical", "jwt_encryption", 0, true, true, true),
        ("users", "email", "high", "aes256_encryption", 2555, true, true, true),
        ("users", "phone", "high", "aes256_encryption", 2555, true, true, true),
        ("users", "first_name", "high", "access_control", 2555, false, true, true),
        ("users", "last_name", "high", "access_control", 2555, false, true, true),
        ("user_profiles", "date_of_birth", "high", "aes256_encryption", 2555, true, true, true),
        ("user_profiles", "location", "high", "access_control", 2555, false, true, true),
        ("points", "balance", "high", "access_control", 2555, false, true, true),
        ("users", "username", "medium", "access_control", 1095, false, true, false),
        ("user_profiles", "bio", "medium", "access_control", 1095, false, true, false),
        ("resumes", "title", "medium", "access_control", 1095, false, true, false),
        ("resumes", "content", "medium", "access_control", 1095, false, true, false),
        ("user_settings", "theme", "medium", "access_control", 1095, false, true, false),
        ("users", "id", "low", "none", 365, false, false, false),
        ("users", "created_at", "low", "none", 365, false, false, false),
        ("jobs", "title", "low", "none", 365, false, false, false),
        ("jobs", "description", "low", "none", 365, false, false, false),
    ];
    let rows: Vec<TagRow> = rows
        .iter()
        .enumerate()
        .map(|(at, (table, field, level, method, days, encrypt, restrict, audit))| TagRow {
            row: (at + 1).to_string(),
            table_name: (*table).into(),
            field_name: (*field).into(),
            sensitivity_level: (*level).into(),
            data_type: None,
            protection_method: Some((*method).into()),
            retention_period: Some(*days),
            encryption_required: *encrypt,
            access_control_required: *restrict,
            audit_required: *audit,
        })
        .collect();
    for file in [shipped.as_str(), ""] {
        let (declarations, _) = with_tables(file, "", &[], &rows).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        assert_eq!(declarations.policies.tags.len(), 19);
        assert!(!declarations.tables_unread);
    }
    let unknown = [TagRow { protection_method: Some("rot13".into()), ..rows[3].clone() }];
    assert!(found(with_tables("", "", &[], &unknown)).contains("`rot13`"));
}

#[test]
fn policies_in_unread_tables_are_unknown_and_not_missing() {
    let config = format!("{CONFIG}policy_tables: {{ lifecycle: core.p }}\n");
    let addition = "lifecycle:\n  - { name: old, dataset: core.users, clock: c }\n";
    let (declarations, warnings) = read(&[
        ("steward.yaml", &config),
        ("policies/p.yaml", addition),
        ("jobs/j.yaml", "action: delete\npolicies: [elsewhere]\n"),
    ])
    .unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    assert!(declarations.tables_unread);
    assert_eq!(warnings.diagnostics.iter().map(|one| one.code.to_string()).collect::<Vec<_>>(), ["SW3008"]);
}

#[test]
fn a_hold_covers_every_archive_that_its_dataset_feeds() {
    let policy = "lifecycle:\n  - { dataset: core.a, clock: c, archive: { after: 1 day, to: core.b } }\n  - { dataset: core.b, clock: c, archive: { after: 2 days, to: core.c } }\nholds:\n  - { name: h, dataset: core.a, because: x }\n";
    let (declarations, _) = read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy)]).unwrap();
    for (dataset, holds) in [("core.a", 1), ("core.b", 1), ("core.c", 1), ("core.d", 0)] {
        assert_eq!(declarations.policies.holds_for(&dataset.parse().unwrap()).count(), holds, "{dataset}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_declaration_panics(config in "(?s).{0,200}", policy in "((lifecycle|dataset|clock|delete|after|holds|name|where|fields|classification)?(: |- |\\n|\\n  |\\n    |[{}\\[\\],~*&]|1 day|core.u|0|\")){0,40}", job in "((action|policies|schedule|report|to)?(: |\\n|- |[{}\\[\\],~]|delete|x)){0,30}") {
        let _ = rendered(&[("steward.yaml", &config), ("policies/p.yaml", &policy), ("jobs/j.yaml", &job)]);
        let _ = rendered(&[("steward.yaml", CONFIG), ("policies/p.yaml", &policy), ("jobs/j.yaml", &job)]);
    }
}

#[test]
fn odd_texts_end_in_a_diagnostic() {
    let dir = folder(&[("steward.yaml", CONFIG)]);
    let read = |bytes: &[u8]| {
        std::fs::write(dir.path().join("policies/p.yaml"), bytes).unwrap();
        match Declarations::read(&dir.path().join("steward.yaml"), &|_| None, &vocabulary()) {
            Ok(_) => String::new(),
            Err(diagnosis) => diagnosis.to_string(),
        }
    };
    assert!(read(b"owner: \xff\xfe").contains("is not UTF-8"));
    assert!(read(&b"a: b\n".repeat(2_100_000)).contains("SW0008"));
    assert!(read(b"lifecycle: ~").contains("SW0005"));
    assert!(read(b"lifecycle: [~]").contains("SW0005"));
    assert!(read(b"on: yes\nyes: on\n").contains("has no key `on`"));
    assert!(read(b"<<: { a: b }\n").contains("merge keys are not used"));
    assert!(read(b"- a\n").contains("expected the keys of a policy file, found a list"));
    let crlf = "\u{feff}lifecycle:\r\n  - { dataset: core.u, clock: c, delete: { after: 1 day } }\r\n";
    assert_eq!(read(crlf.as_bytes()), "");
    assert!(read("\u{feff}lifecycel: []".as_bytes()).contains("p.yaml:1:1"));
}

#[test]
fn a_store_is_addressed_with_what_its_place_gives() {
    use crate::config::secret::Surroundings;
    use crate::config::store::StoreKind;
    use secrecy::ExposeSecret;
    struct World;
    impl Surroundings for World {
        fn variable(&self, name: &str) -> Option<String> {
            match name {
                "URL" => Some("mariadb://root:secret@h:3307/db".into()),
                "PW" => Some("secret".into()),
                _ => None,
            }
        }
        fn file(&self, _: &Path) -> std::io::Result<String> {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }
    let config = "stores:\n  a: { url: { env: URL } }\n  b: { url: 'postgresql://u@h/db?sslmode=verify-full', password: '${PW}' }\n  c: { url: 'sqlite:data/c.db' }\n  d: { url: '${GONE}' }\n";
    let (declarations, _) = read(&[("steward.yaml", config)]).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    let address = |name: &str| declarations.config.store(name).unwrap().address(Path::new("/base"), &World);
    let a = address("a").unwrap();
    assert_eq!((a.kind, a.url.expose_secret()), (StoreKind::Mysql, "mysql://root:secret@h:3307/db"));
    let b = address("b").unwrap();
    assert_eq!((b.kind, b.url.expose_secret()), (StoreKind::Postgres, "postgres://u@h/db?sslmode=verify-full"));
    assert_eq!(b.password.unwrap().expose_secret(), "secret");
    let c = address("c").unwrap();
    assert_eq!(c.path.as_deref(), Some(Path::new("/base/data/c.db")));
    assert_eq!(c.url.expose_secret(), "sqlite:/base/data/c.db");
    let error = address("d").unwrap_err();
    assert!(error.to_string().contains("`GONE`") && error.to_string().contains("steward.yaml:5:13"), "{error}");
    assert!(!format!("{a:?}").contains("secret@"));
}

#[test]
fn two_files_that_add_to_one_row_are_told_apart() {
    let one = "  - { name: old, dataset: core.users, clock: c }\n";
    let text = found(with_tables(&format!("lifecycle:\n{one}{one}"), "", &[row("users", None, Some(90))], &[]));
    assert_eq!(text.matches("SW2002").count(), 1, "{text}");
}
