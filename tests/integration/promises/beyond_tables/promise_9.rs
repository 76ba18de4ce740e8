//! No personal data leaks: values and names of keys, properties of nodes, emails of duplicates, and what stores say of them
//! when they refuse, are in no output, report, mail or ledger, however chatty the log is.

use super::setup::{mailing, short_limits, with_mail};
use crate::graph::users_fixture as nodes;
use crate::keys::setup::{keys, traces};
use crate::service::received;
use crate::support::engine::Engine;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::{Ended, Sandbox};

/// What stands in for personal data, in whatever letters.
const CANARY: &str = "canary";

/// Where a run left a canary, with what stands around it: what it said or wrote, then what it mailed.
fn canaries(sandbox: &Sandbox, to: &str, ended: &Ended) -> [Option<String>; 2] {
    let mails: String = received(to).iter().map(ToString::to_string).collect();
    assert!(!mails.is_empty(), "no mail came");
    [traces(sandbox, ended), mails].map(|text| around(&text))
}

/// The first canary in a text, and what stands around it.
fn around(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let at = text.find(CANARY)?;
    let from = text[..at].char_indices().rev().nth(300).map_or(0, |(at, _)| at);
    Some(text[from..].chars().take(500).collect())
}

fn run(sandbox: &Sandbox, to: &str, job: &str, codes: &[i32]) -> Ended {
    // All that anybody may ask for, in every form.
    let mut last = None;
    for words in
        [&["plan", job, "--sql"][..], &["plan", job, "--json"], &["run-job", job, "--dry-run"], &["run-job", job, "--json"]]
    {
        let said = mailing(sandbox, words.iter().copied()).env("STEWARD_LOG", "trace").output().expect("the binary starts");
        let ended = Ended::from(said);
        if words[0] == "run-job" && words.last() == Some(&"--json") {
            assert!(ended.code.is_some_and(|code| codes.contains(&code)), "{job}: {ended}");
            assert_eq!(canaries(sandbox, to, &ended), [None, None], "{job}");
            last = Some(ended);
        } else {
            assert_eq!(around(&ended.to_string()), None, "{job}, {words:?}");
        }
    }
    last.expect("a run")
}

/// A sandbox whose every value is a canary.
fn sandbox(engine: Engine) -> (Sandbox, String) {
    let mut sandbox = Sandbox::new(engine);
    sandbox.add_cache(KeyServer::Redis);
    sandbox.add_graph();
    let to = with_mail(&sandbox, "silence");
    short_limits(&sandbox);
    sandbox.sql(
        "CREATE TABLE users (id integer NOT NULL PRIMARY KEY, email varchar(80), nick varchar(40), score integer); \
         INSERT INTO users VALUES (1, 'li.canarymail@canary.example', 'canarynick', 5), (2, 'Li.CanaryMail@CANARY.example', 'canarynick', 500), \
         (3, 'anna.canary@b\u{fc}cher.example', NULL, 7), (4, 'anna.canary@xn--bcher-kva.example', 'canarynick', 8), (5, NULL, 'canarytwo', 9)",
    );
    keys(&sandbox).seed(
        "SET c:canaryname canaryvalue\nSET c:canary@x.example canaryvalue\nSET c:1 canaryvalue EX 100000\nSET t:canarytoken canaryowner EX 50\nSET t:canarytoken2 canaryowner\nHSET h:canaryhash canaryfield canaryvalue\nSET lonecanary canaryvalue\nSET \"canary name\" 1\n",
    );
    nodes::graph(&sandbox).seed(
        "UNWIND range(1, 5) AS id CREATE (:User{{graph}} {id: id, email: 'canary' + id + '@canary.example', born: 'canaryborn', nick: 'canarynick', created_at: datetime('2020-01-01T00:00:00Z')});
CREATE (:User{{graph}} {id: 'canaryid', email: 'lone@canary.example', silicon_level: 'canarylevel', created_at: datetime('2020-01-01T00:00:00Z')});
MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 2}) CREATE (a)-[:KNOWS{{graph}} {note: 'canarynote'}]->(b), (a)-[:KNOWS{{graph}} {note: 'canarynote'}]->(b);",
    );
    (sandbox, to)
}

fn job(sandbox: &Sandbox, name: &str, action: &str, policies: &str) {
    sandbox.job(name, &format!("action: {action}\npolicies: {policies}\nmode: enforce\nreport: {{ when: always }}\n"));
}

#[test]
fn no_personal_data_of_keys_leaks() {
    let (sandbox, to) = sandbox(Engine::Sqlite);
    sandbox.policy(
        "keys",
        "cache:\n  - { name: c, store: cache, keys: \"c:{id}\", ttl: 1 h, belongs_to: { field: core.users.nick }, without_ttl: remove, guard: { max_percent: 100 } }\n\
         sessions:\n  - { name: t, store: cache, keys: \"t:*\", ttl: 1 min, belongs_to: { field: core.users.id, id: value }, guard: { max_percent: 100 } }\n",
    );
    job(&sandbox, "sweep", "sweep-cache", "[\"*\"]");
    job(&sandbox, "end", "expire-sessions", "[\"*\"]");
    run(&sandbox, &to, "sweep", &[0]);
    run(&sandbox, &to, "end", &[0, 3, 4]);
}

#[test]
fn no_personal_data_of_nodes_leaks() {
    let (sandbox, to) = sandbox(Engine::Sqlite);
    let label = nodes::graph(&sandbox).label("User");
    let rule = |name: &str, more: &str| {
        format!(
            "  - {{ name: {name}, dataset: graph.{label}, clock: created_at, delete: {{ after: 2 years }}, cascade: allow, guard: {{ max_percent: 100 }}{more} }}\n"
        )
    };
    let rules = [
        // The store cannot turn a property into a date, and says which; as it would a literal.
        rule("bad-born", ", where: \"date(n.born) < date('2030-01-01')\""),
        rule("bad-sum", ", where: \"toInteger(n.id) + duration(n.nick) > 3\""),
        rule("bad-literal", ", where: \"date('canaryliteral') < n.created_at\""),
        rule("bad-clock", "").replace("created_at", "born"),
        rule("all", ""),
    ];
    sandbox.policy("nodes", &format!("lifecycle:\n{}", rules.concat()));
    for name in ["bad-born", "bad-sum", "bad-literal", "bad-clock", "all"] {
        job(&sandbox, name, "delete", &format!("[{name}]"));
        let ended = run(&sandbox, &to, name, if name == "all" { &[0] } else { &[3, 4] });
        let told = ended.json();
        println!("{name}: {:#}", told["datasets"][0]["reasons"]);
        assert!(name == "all" || told["datasets"][0]["reasons"].to_string().len() > 20, "{told:#}");
    }
    assert_eq!(nodes::count(&sandbox), 0, "the last one removed them all");
}

#[test]
fn no_personal_data_of_samples_leaks() {
    for engine in Engine::all() {
        let (sandbox, to) = sandbox(engine);
        let (label, knows) = (nodes::graph(&sandbox).label("User"), nodes::graph(&sandbox).label("KNOWS"));
        sandbox.policy(
            "tags",
            "classification:\n  - { dataset: core.users, fields: { email: { type: email, sensitivity: high }, score: { sensitivity: critical } } }\n",
        );
        let graph = format!("dataset: graph.{label}");
        let checks = [
            "dataset: core.users, duplicate: [email], normalize: email".to_owned(),
            "dataset: core.users, duplicate: [nick]".to_owned(),
            "dataset: core.users, missing: [email, nick]".to_owned(),
            "dataset: core.users, range: score, min: 0, max: 100".to_owned(),
            "dataset: core.users, regex: \"^[0-9]+$\", column: nick".to_owned(),
            "dataset: core.users, range: nick, min: 0, max: 100".to_owned(),
            "dataset: core.users, dangling: nick, to: core.users.email".to_owned(),
            "dataset: cache, without_ttl: \"*\"".to_owned(),
            "dataset: cache, without_ttl: \"c:{id}\"".to_owned(),
            "dataset: cache, big_keys: \"*\", over: 1 B".to_owned(),
            "dataset: cache, uncovered_keys: true".to_owned(),
            format!("dataset: graph, orphan_nodes: [{label}]"),
            format!("dataset: graph, duplicate_relations: [{knows}], by: [note]"),
            format!("{graph}, missing: [silicon_level]"),
            format!("{graph}, range: silicon_level, min: 0, max: 5"),
            format!("dataset: graph, cypher: \"MATCH (n:{label}) WHERE date(n.born) < date() RETURN count(n)\""),
            "reference: { from: \"cache.c:{id}\", to: core.users.nick }, both_ways: true".to_owned(),
            format!("reference: {{ from: graph.{label}.email, to: core.users.email }}, both_ways: true"),
            format!("reference: {{ from: graph.{label}.id, to: core.users.id }}, both_ways: true"),
        ];
        let line = |(at, check): (usize, &String)| format!("  - {{ name: look-{at}, {check}, samples: 20, warn: \"> 0\" }}\n");
        sandbox.policy("checks", &format!("checks:\n{}", checks.iter().enumerate().map(line).collect::<String>()));
        job(&sandbox, "check", "check-quality", "[\"*\"]");
        let told = run(&sandbox, &to, "check", &[0, 1, 3]).json();
        let findings = told["findings"].as_array().expect("findings");
        assert_eq!(findings.len(), checks.len());
        let sampled = findings.iter().filter(|one| one["samples"].as_array().is_some_and(|all| !all.is_empty())).count();
        assert!(sampled >= 9, "{}: only {sampled} have samples: {told:#}", engine.name());
        // What the samples do show is masked, not left out.
        assert!(findings[0]["samples"].to_string().contains("***"), "{:#}", findings[0]);
    }
}

/// Else the tests above could not fail: what its owner calls public is shown, in the report and in the mail.
#[test]
fn what_is_public_is_found_where_the_others_look() {
    let (sandbox, to) = sandbox(Engine::Sqlite);
    sandbox.policy(
        "checks",
        "classification: [{ dataset: core.users, fields: { nick: { sensitivity: low } } }]\nchecks: [{ dataset: core.users, duplicate: [nick], warn: \"> 0\" }]\n",
    );
    job(&sandbox, "check", "check-quality", "[\"*\"]");
    let ended = Ended::from(mailing(&sandbox, ["run-job", "check"]).output().expect("the binary starts")).must_end(0);
    let found = canaries(&sandbox, &to, &ended);
    assert!(found.iter().all(|found| found.as_ref().is_some_and(|text| text.contains("canarynick"))), "{found:?}");
}
