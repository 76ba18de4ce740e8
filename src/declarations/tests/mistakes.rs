//! What is wrong is told: each mistake with its code, all of all files in one pass, and odd texts without a panic.

use super::{CONFIG, SOUND, codes, folder, read, registry, rendered};
use crate::declarations::reading::Declarations;
use proptest::prelude::*;
use std::path::Path;

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
        ("{ name: \"${SET}\", dataset: core.u, clock: c, delete: { after: 1 day } }", "SW0007"),
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
        match Declarations::read(&dir.path().join("steward.yaml"), &|_| None, &registry()) {
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
