//! Policies that are kept in database tables, and files that add to them.

use super::{CONFIG, codes, folder, read, registry};
use crate::declarations::reading::{Declarations, Reading};
use crate::diagnostic::diagnosis::Diagnosis;
use crate::policy::table::{LifecycleRow, TagRow};
use std::path::Path;

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
    Reading::files(&dir.path().join("steward.yaml"), &|_| None, &registry()).merge_tables(lifecycle, tags).finish()
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

/// The policies and the minimums that nobody can read, and what was warned of; a row never stops the others.
fn judged(policy: &str, clock: &str, rows: &[LifecycleRow], tags: &[TagRow]) -> (crate::policy::policies::Policies, String) {
    let policy = if policy.is_empty() { "lifecycle: []\n" } else { policy };
    let (declarations, warnings) = with_tables(policy, clock, rows, tags).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    (declarations.policies, warnings.to_string())
}

/// Why the first policy cannot be applied.
fn unusable(rows: &[LifecycleRow]) -> String {
    let (policies, warnings) = judged("", ", clock: created_at", rows, &[]);
    format!("{} | {warnings}", policies.lifecycle[0].usable().err().unwrap_or_default())
}

#[test]
fn a_contradiction_names_both_places_and_stops_its_own_policy() {
    let file = "lifecycle:\n  - { name: old, dataset: core.users, clock: c, archive: { after: 91 days } }\n";
    let sound = LifecycleRow { row: "4".into(), ..row("orders", None, Some(30)) };
    let (policies, text) = judged(file, ", clock: c", &[row("users", Some(90), None), sound], &[]);
    assert!(
        text.contains("SW2401")
            && text.contains("policies/p.yaml:2:")
            && text.contains("db://core/data_lifecycle_policies#3.archive_period"),
        "{text}"
    );
    assert!(policies.lifecycle[0].usable().unwrap_err().contains("`archive.after` is `91 days` here"), "{policies:?}");
    assert!(policies.lifecycle[1].usable().is_ok());
    let file = "lifecycle:\n  - { name: old, dataset: core.users, clock: c, delete: { after: 91 days } }\n";
    assert!(found(with_tables(file, "", &[row("users", Some(90), None)], &[])).contains("SW2401"));
}

#[test]
fn a_row_without_a_clock_is_unusable_unless_the_configuration_gives_one() {
    let (policies, warnings) = judged("", "", &[row("users", None, Some(90))], &[]);
    assert!(warnings.contains("SW2104") && policies.lifecycle[0].usable().is_err(), "{warnings}");
    let (policies, _) = judged("", ", clock: created_at", &[row("users", None, Some(90))], &[]);
    assert!(policies.lifecycle[0].usable().is_ok());
}

#[test]
fn what_a_row_cannot_mean_stops_that_row_and_names_its_column() {
    for (archive, delete, told) in [
        (None, Some(0), "#3.deletion_period"),
        (Some(-1), None, "SW2402"),
        (None, None, "SW2101"),
        (Some(90), Some(30), "SW2105"),
        (None, Some(crate::policy::table::NO_NUMBER), "`deletion_period` is no whole number"),
    ] {
        let text = unusable(&[row("users", archive, delete)]);
        assert!(text.contains(told) && text.contains("nothing was touched"), "{text}");
    }
    let to =
        |location: &str| unusable(&[LifecycleRow { archive_location: Some(location.into()), ..row("users", Some(1), None) }]);
    assert!(to("s3://bucket/users").contains("SW2403"));
    assert!(to("nowhere.a.b").contains("SW2403"));
    assert!(to("other.a.b").contains("SW2004"));
    for fine in ["old_users", "archive.users", "core.archive.users", "core.old_users"] {
        assert!(to(fine).starts_with(" | "), "{fine}: {}", to(fine));
    }
}

#[test]
fn a_location_behind_the_stores_own_name_is_a_table_of_that_store() {
    let at = |location: &str| {
        let row = LifecycleRow { archive_location: Some(location.into()), ..row("users", Some(1), None) };
        let (policies, _) = judged("", ", clock: c", &[row], &[]);
        policies.lifecycle[0].archive.as_ref().map(|step| step.to.to_string())
    };
    assert_eq!(at("core.t_archive").as_deref(), Some("core.t_archive"));
    assert_eq!(at("cold.t_archive").as_deref(), Some("core.cold.t_archive"));
}

#[test]
fn a_row_with_a_retention_alone_is_a_minimum() {
    let only = LifecycleRow { retention_period: Some(2555), ..row("users", None, None) };
    let (policies, warnings) = judged("", "", &[only], &[]);
    assert!(policies.lifecycle[0].usable().is_ok() && warnings.is_empty(), "{warnings}");
    assert_eq!(policies.minimums().map(|minimum| minimum.period.to_string()).collect::<Vec<_>>(), ["2555 days"]);
    assert_eq!(codes("lifecycle: [{ dataset: core.u, keep_at_least: { for: 7 years, because: law } }]\n"), Vec::<String>::new());
}

#[test]
fn a_minimum_that_cannot_be_read_is_kept_as_unread() {
    let bad = LifecycleRow { retention_period: Some(-5), ..row("users", None, Some(90)) };
    let (policies, _) = judged("", ", clock: c", &[bad], &[]);
    assert_eq!(policies.unread_minimums[0].dataset.to_string(), "core.users");
    let (policies, _) = judged("", "", &[], &[TagRow { retention_period: Some(-5), ..tag("rot13") }]);
    assert!(policies.unread_minimums[0].why.contains("`retention_period` is -5"));
}

fn tag(method: &str) -> TagRow {
    TagRow {
        row: "9".into(),
        table_name: "users".into(),
        field_name: "email".into(),
        sensitivity_level: "high".into(),
        data_type: None,
        protection_method: Some(method.into()),
        retention_period: Some(30),
        encryption_required: true,
        access_control_required: false,
        audit_required: false,
    }
}

#[test]
fn a_tag_that_is_not_all_understood_protects_rather_more() {
    use crate::policy::classification::{Protection, Sensitivity};
    let odd = TagRow { sensitivity_level: "secretish".into(), ..tag("kms_v2") };
    let (policies, warnings) = judged("", "", &[], std::slice::from_ref(&odd));
    assert_eq!((policies.tags[0].sensitivity, policies.tags[0].protect), (Sensitivity::Critical, None));
    assert!(warnings.contains("`kms_v2` is not known") && warnings.contains("protection_methods"), "{warnings}");
    let (policies, warnings) = judged("", ", protection_methods: { kms_v2: aes256 }", &[], &[tag("kms_v2")]);
    assert_eq!((policies.tags[0].protect, warnings.as_str()), (Some(Protection::Aes256), ""));
    let file = "classification:\n  - { dataset: core.users, fields: { email: { sensitivity: critical, retention: 10 days, restrict: true } } }\n";
    let (policies, warnings) = judged(file, "", &[], &[tag("none")]);
    let merged = &policies.tags[0];
    assert_eq!(
        (merged.sensitivity, merged.restrict, merged.retention.map(|period| period.to_string())),
        (Sensitivity::Critical, true, Some("30 days".into()))
    );
    assert!(warnings.contains("SW2401"), "{warnings}");
}

#[test]
fn a_minimum_of_a_row_warns_of_a_files_policy_that_the_run_then_refuses() {
    let file = "lifecycle:\n  - { name: mine, dataset: core.users, clock: c, delete: { after: 10 days } }\n";
    let (policies, warnings) = judged(file, "", &[], &[tag("none")]);
    assert!(warnings.contains("SW2107") && policies.lifecycle.len() == 1, "{warnings}");
}

#[test]
fn two_rows_of_which_one_archives_what_the_other_deletes_stop_neither_file_nor_other_rows() {
    let rows = [
        row("users", Some(90), None),
        LifecycleRow { row: "5".into(), policy_name: "gone".into(), ..row("users", None, Some(30)) },
    ];
    let (_, warnings) = judged("", ", clock: c", &rows, &[]);
    assert!(warnings.contains("SW2112"), "the run refuses it: {warnings}");
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
    let off = LifecycleRow { is_active: false, retention_period: Some(0), ..row("users", Some(-5), Some(90)) };
    let (declarations, warnings) = with_tables("lifecycle: []\n", ", clock: c", &[off], &[]).unwrap();
    assert!(warnings.diagnostics.is_empty() && declarations.policies.unread_minimums.is_empty());
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
    assert!(judged("", "", &[], &unknown).1.contains("`rot13`"));
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
fn two_files_that_add_to_one_row_are_told_apart() {
    let one = "  - { name: old, dataset: core.users, clock: c }\n";
    let text = found(with_tables(&format!("lifecycle:\n{one}{one}"), "", &[row("users", None, Some(90))], &[]));
    assert_eq!(text.matches("SW2002").count(), 1, "{text}");
}
