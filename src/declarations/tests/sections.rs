//! The sections that sessions, caches, views and checks are declared in: what is read, and what is refused with which code.

use super::{read, registry};
use crate::policy::checks::params::Param;
use crate::policy::expiry::{Expiring, KeyRule};
use crate::policy::owner::IdFrom;

const CONFIG: &str = r#"stores:
  core: { url: "sqlite:core.db" }
  cache: { url: "redis://127.0.0.1:6379/0" }
  graph: { url: "bolt://127.0.0.1:7687", user: neo4j }
  far: { url: { env: FAR } }
"#;

fn declared(policy: &str) -> crate::policy::policies::Policies {
    read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy)]).unwrap_or_else(|diagnosis| panic!("{diagnosis}")).0.policies
}

/// What is wrong, as people are told it: code and message.
fn refused(policy: &str) -> Vec<String> {
    match read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy)]) {
        Ok(_) => vec![],
        Err(diagnosis) => diagnosis.diagnostics.iter().map(|one| format!("{} {}", one.code, one.message)).collect(),
    }
}

#[test]
fn the_examples_of_the_reference_mean_what_they_say() {
    let policies = declared(
        r#"
owner: web@example.com
cache:
  - { name: user-cache, store: cache, keys: "cache:user:{id}", ttl: 30 minutes, without_ttl: expire, belongs_to: core.users.id }
  - { store: cache, keys: "analytics:*", without_ttl: report }
  - { dataset: core.ai_cache, expires: expires_at, after: 1 day }
sessions:
  - { name: web-sessions, dataset: core.user_sessions, expires: expires_at }
  - { name: roles, dataset: core.user_roles, expires: expires_at, set: { is_active: 0, note: null } }
  - { name: tokens, store: cache, keys: "user:token:*", ttl: 2 hours, belongs_to: { field: core.users.id, id: value, where: "status = 1" } }
views:
  - { name: workspace-analytics, dataset: core.mv_workspace_analytics }
  - { dataset: core.daily, statement: ["DELETE FROM daily", "INSERT INTO daily SELECT 1"] }
checks:
  - { name: duplicate-emails, dataset: core.users, duplicate: [email], normalize: email, warn: "> 0", fail: "> 100" }
  - { dataset: cache, memory: true, warn: "> 85 %", fail: "> 90 %" }
  - { name: users-in-graph, reference: { from: core.users.id, to: graph.User.id }, both_ways: true, settle: 5 minutes, fail: "> 0" }
  - { name: cached, reference: { from: "cache.cache:user:{id}", to: { field: core.users.id, where: "gone = 0", clock: created_at } } }
"#,
    );
    let Expiring::Keys(keys) = &policies.cache[0].of else { panic!("keys") };
    assert_eq!((keys.without_ttl, keys.longer_ttl), (KeyRule::Expire, KeyRule::Expire));
    assert_eq!(keys.belongs_to.first().map(|belonging| belonging.id), Some(IdFrom::Key));
    assert_eq!(policies.cache[1].name, "analytics:*");
    assert_eq!(policies.cache[2].owner.as_deref(), Some("web@example.com"));
    let Expiring::Rows(rows) = &policies.sessions[1].of else { panic!("rows") };
    assert_eq!(rows.set.iter().map(|one| one.value.as_deref()).collect::<Vec<_>>(), [Some("0"), None]);
    let Expiring::Keys(tokens) = &policies.sessions[2].of else { panic!("keys") };
    assert_eq!(tokens.belongs_to.first().map(|belonging| belonging.id), Some(IdFrom::Value));
    assert!(policies.views[0].concurrently && policies.views[1].statements.len() == 2);
    let duplicate = &policies.checks[0];
    assert_eq!(
        (duplicate.params.names("duplicate"), duplicate.params.text("normalize")),
        (&["email".to_owned()][..], Some("email"))
    );
    assert_eq!(duplicate.fail.map(|bound| bound.to_string()).as_deref(), Some("> 100"));
    assert_eq!(policies.checks[1].name, "memory cache");
    assert_eq!(policies.checks[2].stores(), ["core", "graph"]);
    assert!(matches!(policies.checks[2].params.0.get("settle"), Some(Param::Period(_))));
    assert_eq!(policies.checks[3].dataset(), "cache.cache:user:{id} → core.users.id");
    assert_eq!(policies.checks[3].warn.map(|bound| bound.to_string()).as_deref(), Some("> 0"));
}

#[test]
fn what_cannot_be_is_refused_with_its_code() {
    macro_rules! of {
        ($owner:literal) => {
            concat!("cache: [{ store: cache, keys: \"a:*\", belongs_to: ", $owner, " }]")
        };
    }
    for (policy, wanted) in [
        ("cache: [{ what: ever }]", "SW0002 this entry has no key `what`"),
        ("cache: [{ ttl: 1 day }]", "SW0004 this entry needs either a `dataset` or `keys`"),
        ("cache: [{ dataset: core.a, expires: t, ttl: 1 day }]", "SW0002? `ttl` is for keys"),
        ("cache: [{ dataset: core.a }]", "SW0004 rows that expire need the key `expires`"),
        ("cache: [{ keys: \"a:*\", ttl: 1 day }]", "SW0004 `keys` need the key `store`"),
        ("cache: [{ store: cache, keys: \"a:*\" }]", "SW2101 nothing is said about the keys `a:*`"),
        ("cache: [{ store: cache, keys: \"a:*\", ttl: 0 s }]", "SW2102 `ttl` is zero"),
        ("cache: [{ store: cache, keys: \"a:*\", without_ttl: expire }]", "SW0004 `without_ttl` needs the key `ttl`"),
        ("cache: [{ store: cache, keys: \"a:*\", permanent: true }]", "SW0004 `permanent: true` needs the key `because`"),
        (
            "cache: [{ store: cache, keys: \"a:*\", permanent: true, because: x, ttl: 1 h }]",
            "SW0002? `ttl` says when keys end, and `permanent: true` says that they do not",
        ),
        ("cache: [{ store: cache, keys: \"a:*\", ttl: 1 h, because: x }]", "SW0002? `because` is the reason of"),
        ("cache: [{ dataset: core.a, expires: t, permanent: true }]", "SW0002? `permanent` is for keys"),
        ("sessions: [{ store: cache, keys: \"a:*\", permanent: true, because: x }]", "SW0002? `permanent` is for `cache`"),
        (
            "cache: [{ name: on, store: cache, keys: \"a:*\", permanent: true, because: x }, { store: cache, keys: \"a:*\", ttl: 1 h }]",
            "SW2113 policy `a:*` ends the keys `a:*`, and policy `on` says they are permanent",
        ),
        ("cache: [{ store: core, keys: \"a:*\", ttl: 1 day }]", "SW2005 the store `core` holds tables"),
        ("cache: [{ store: gone, keys: \"a:*\", ttl: 1 day }]", "SW2003 unknown store `gone`"),
        (
            "cache: [{ store: cache, keys: \"a:*\", belongs_to: { field: core.u.id, id: key } }]",
            "SW0004 `a:*` does not say which piece",
        ),
        (of!("{ keys: \"s:{id}\", id: key }"), "SW0004 `a:*` does not say which piece"),
        (of!("{ keys: \"s:1\" }"), "SW0004 `s:1` does not say where the id stands"),
        (of!("{ keys: \"s:*:{id}\" }"), "SW0006 `s:*:{id}` has open pieces besides `{id}`"),
        (of!("{ keys: \"s:{uid}\" }"), "SW0006 `{uid}` in `s:{uid}` would be taken literally"),
        (of!("{ field: core.u.id, keys: \"s:{id}\" }"), "SW0004 `field` and `keys` are two owners"),
        (of!("{ id: value }"), "SW0004 an owner of keys needs a `field` or `keys`"),
        (of!("{ key: \"s:{id}\" }"), "SW0002 an owner of keys has no key `key`"),
        (of!("{ keys: \"s:{id}\", where: \"a = 1\" }"), "SW0002? `where` is for rows"),
        (of!("{ field: core.u.id, store: cache }"), "SW0002? `store` is for owners that are `keys`"),
        (of!("{ keys: \"s:{id}\", store: gone }"), "SW2003 unknown store `gone`"),
        (of!("{ keys: \"s:{id}\", store: core }"), "SW2005 the store `core` holds tables, and owners that are `keys`"),
        (of!("{ field: cache.u.id }"), "SW2005 the store `cache` holds keys, and owners with a `field`"),
        (of!("{ keys: \"a:{id}\" }"), "SW0006 `a:*` means its owners `a:{id}` too"),
        (of!("[]"), "SW0008 `belongs_to` names no owner"),
        (of!("[core.u.id, { keys: \"s:1\" }, { id: value }]"), "SW0004 an owner of keys needs"),
        (of!("[core.u.id, [core.v.id]]"), "SW0003? expected a single value"),
        ("cache: [{ store: cache, keys: \"user:{user_id}\", ttl: 1 h }]", "SW0006 `{user_id}` in `user:{user_id}`"),
        ("sessions: [{ dataset: cache.a, expires: t }]", "SW2005 the store `cache` holds keys"),
        (
            "sessions: [{ dataset: core.a, expires: t }, { dataset: core.a, expires: t }]",
            "SW2002 two session policies are called `core.a`",
        ),
        ("sessions: [{ dataset: core.a, expires: t, set: {} }]", "SW0008 `set` names no column"),
        ("views: [{ dataset: graph.a }]", "SW2005 the store `graph` holds nodes"),
        (
            "lifecycle: [{ dataset: graph.User, clock: at, archive: { after: 1 year, to: graph.Old } }]",
            "SW2005 nodes of `graph.User` cannot be archived",
        ),
        ("lifecycle: [{ dataset: cache.a, clock: at, delete: { after: 1 year } }]", "SW2005 `lifecycle` governs rows and nodes"),
        ("views: [{ dataset: core.a, statement: \"\" }]", "SW0008 `statement` is empty"),
        ("checks: [{ dataset: core.a, warn: \"> 0\" }]", "SW2501 nothing here says what is checked"),
        ("checks: [{ dataset: core.a, duplicates: [b] }]", "SW2501 nothing here says what is checked"),
        ("checks: [{ dataset: core.a, duplicate: [b], memory: true }]", "SW2501 `duplicate` and `memory` are two checks"),
        ("checks: [{ dataset: core.a, duplicate: [b], warn: \"> 1 s\" }]", "SW2502 invalid threshold `> 1 s`"),
        ("checks: [{ dataset: core.a, duplicate: [] }]", "SW0006 at least one name"),
        ("checks: [{ dataset: core.a, duplicate: [b], normalize: mail }]", "SW0006 unknown value `mail`"),
        ("checks: [{ dataset: cache, memory: true }]", "SW2502 a check `memory` needs `warn` or `fail`"),
        ("checks: [{ dataset: core, memory: true, warn: \"> 1 %\" }]", "SW2005 the store `core` holds tables"),
        ("checks: [{ dataset: cache.x, memory: true, warn: \"> 1 %\" }]", "SW0006 a check `memory` looks at a whole store"),
        ("checks: [{ duplicate: [b] }]", "SW0004 a check `duplicate` needs the key `dataset`"),
        ("checks: [{ reference: { from: core.users.id } }]", "SW0004 a reference needs the key `to`"),
        ("checks: [{ reference: { from: core.users, to: core.a.b } }]", "SW0006 `core.users` is no field"),
        ("checks: [{ reference: { from: core.a.b, to: gone.a.b } }]", "SW2003 unknown store `gone`"),
        ("checks: [{ dataset: core.a, regex: '^(a|b', column: b }]", "SW0006 the pattern cannot be used: unclosed group"),
        ("checks: [{ dataset: core.a, regex: 'a(?=b)', column: b }]", "SW0006 the pattern cannot be used: look-around"),
        ("checks: [{ dataset: core.a, regex: ' ' }]", "SW0006 an empty text"),
        ("checks: [{ dataset: core.a, regex: 'a', over: 10 }]", "SW0006 invalid duration `10`"),
        ("checks: [{ dataset: core.a, regex: 'a', zone: Asia/Shangai }]", "SW3007 `Asia/Shangai` is not a time zone"),
        ("checks: [{ dataset: core.a, regex: 'a', zone: UTC, unit: s }]", "SW2110 the clock has both"),
        ("checks: [{ dataset: core.a, range: b, min: 5, max: 0 }]", "SW2504 no number is at least 5 and at most 0"),
        ("checks: [{ dataset: core.a, range: b }]", "SW0004 a check `range` names neither"),
        ("checks: [{ overdue: [gone-*] }]", "SW3004 `gone-*` matches no lifecycle policy"),
        ("checks: [{ dataset: core.a, duplicate: b, warn: '> 10', fail: '> 5' }]", "SW2503 `warn` can never fire"),
        ("checks: [{ dataset: core.a, duplicate: b, warn: '> 5', fail: '>= 5' }]", "SW2503 `warn` can never fire"),
        ("checks: [{ dataset: core.a, duplicate: b, warn: '> 1 %', fail: '> 0' }]", "SW2503 `warn` can never fire"),
        ("checks: [{ dataset: cache, memory: true, warn: '> 90 %', fail: '> 85 %' }]", "SW2503 `warn` can never fire"),
        ("checks: [{ dataset: cache, memory: true, warn: '> 850 %' }]", "SW2502 invalid threshold `> 850 %`"),
        ("checks: [{ dataset: core.a, duplicate: b, fail: '> 100 %' }]", "SW2502 `> 100 %` can never be reached"),
        ("checks: [{ dataset: core.a, duplicate: b, fail: '< 0' }]", "SW2502 `< 0` can never be reached"),
    ] {
        let told = refused(&format!("{policy}\n"));
        let (code, words) = wanted.split_once(' ').unwrap();
        let code = code.trim_end_matches('?');
        let fits = |one: &String| one.contains(words) && (wanted.contains('?') || one.starts_with(code));
        assert!(told.iter().any(fits), "{policy}\n  wanted: {wanted}\n  told: {told:#?}");
    }
}

#[test]
fn keys_belong_to_rows_to_keys_or_to_both() {
    let policies = declared(
        "cache:\n  - { store: cache, keys: \"user:token:*\", ttl: 2 h, belongs_to: [ { field: core.users.id, id: value }, { keys: \"user:session:{id}\", id: value } ] }\n\
         \x20 - { store: cache, keys: \"cart:{id}\", belongs_to: { keys: \"session:{id}\", store: cache } }\n\
         \x20 - { store: cache, keys: \"{user1}:*\", ttl: 1 h }\n",
    );
    let Expiring::Keys(tokens) = &policies.cache[0].of else { panic!("keys") };
    let told: Vec<String> = tokens.belongs_to.iter().map(|owner| format!("{} {:?}", owner.to, owner.id)).collect();
    assert_eq!(told, ["core.users.id Value", "cache.user:session:{id} Value"]);
    assert!(tokens.value_is_id());
    let Expiring::Keys(cart) = &policies.cache[1].of else { panic!("keys") };
    assert_eq!((cart.belongs_to[0].id, cart.value_is_id()), (IdFrom::Key, false));
    let told = refused("cache:\n  - store: cache\n    keys: a:*\n    belongs_to:\n      - core.u.id\n      - keys: s:1\n");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn bounds_that_cross_are_shown_at_both_places_with_the_way_out() {
    let policy = "checks:\n  - { dataset: core.a, duplicate: b, warn: '> 10', fail: '> 5' }\n";
    let told = read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy)]).unwrap_err().to_string();
    for part in ["policies/p.yaml:2:44", "policies/p.yaml:2:58", "`warn: \"> 5\"`, `fail: \"> 10\"`"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_check_that_names_lifecycle_policies_is_not_told_what_nobody_knows() {
    let check = "checks: [{ overdue: [orders] }]\n";
    let tables = "policy_tables: { lifecycle: core.policies }\n";
    let (_, warnings) = read(&[("steward.yaml", &format!("{CONFIG}{tables}")), ("policies/p.yaml", check)]).unwrap();
    assert!(warnings.to_string().contains("SW3008"), "it may stand in a table: {warnings}");
    let broken = "lifecycle: [{ name: orders, dataset: core.o, clock: at }]\n";
    let told = refused(&format!("{broken}{check}"));
    assert!(told.len() == 1 && told[0].starts_with("SW2101"), "it is there and wrong: {told:?}");
}

#[test]
fn the_way_out_of_a_wrong_bound_is_of_its_kind() {
    let help = |check: &str| {
        let policy = format!("checks: [{check}]\n");
        read(&[("steward.yaml", CONFIG), ("policies/p.yaml", &policy)]).unwrap_err().to_string()
    };
    assert!(help("{ dataset: core.a, duplicate: b, warn: 5 }").contains("write what is too much: `> 5`"));
    assert!(help("{ dataset: core.a, duplicate: b, warn: lots }").contains("write `> 0`, `> 100`"));
    assert!(help("{ dataset: cache, memory: true }").contains("say what is too much: a share: `> 85 %`"));
    assert!(help("{ dataset: cache, memory: true, warn: 85 % }").contains("write what is too much: `> 85 %`"));
}

#[test]
fn a_job_whose_policies_cannot_be_read_is_told_about_its_action_too() {
    let told = read(&[("steward.yaml", CONFIG), ("jobs/j.yaml", "action: archve\npolicies: orders\n")]).unwrap_err().to_string();
    for part in ["did you mean `archive`?", "write `[orders]`"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn a_store_written_as_a_text_is_shown_as_keys() {
    let told = read(&[("steward.yaml", "stores: { core: \"sqlite:a.db\" }\n")]).unwrap_err().to_string();
    assert!(told.contains("write `{ url: \"…\" }`"), "{told}");
}

#[test]
fn a_job_finds_its_policies_in_the_section_its_action_reads() {
    let policy =
        ("policies/p.yaml", "views: [{ name: a, dataset: core.v }]\nchecks: [{ name: b, dataset: core.t, duplicate: x }]\n");
    let job = |text: &str| read(&[("steward.yaml", CONFIG), policy, ("jobs/j.yaml", text)]);
    assert!(job("action: refresh-views\npolicies: [a]\n").is_ok());
    assert!(job("action: check-quality\npolicies: [\"*\"]\n").is_ok());
    let told = job("action: refresh-views\npolicies: [b]\n").unwrap_err().to_string();
    assert!(told.contains("`b` matches no view"), "{told}");
}

#[test]
fn a_policy_that_is_wrong_and_has_no_name_is_not_called_missing() {
    for policy in
        ["checks: [{ dataset: core.t, duplicte: x }]\n", "checks: [{ dataset: core.t, duplicate: x, normalise: email }]\n"]
    {
        let job = ("jobs/j.yaml", "action: check-quality\npolicies: [\"*\"]\n");
        let told = read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy), job]).unwrap_err().to_string();
        assert!(told.contains("did you mean") && !told.contains("matches no"), "{told}");
    }
}

#[test]
fn a_job_comes_after_jobs_that_are_there_and_none_after_itself() {
    let policy = ("policies/p.yaml", "views: [{ name: a, dataset: core.v }]\n");
    let job = |after: &str| format!("action: refresh-views\npolicies: [a]\nafter: {after}\n");
    let jobs = |one: &str, other: &str, third: &str| {
        let (one, other, third) = (job(one), job(other), job(third));
        let told = read(&[
            ("steward.yaml", CONFIG),
            policy,
            ("jobs/one.yaml", &one),
            ("jobs/other.yaml", &other),
            ("jobs/third.yaml", &third),
        ]);
        told.map(|(declarations, _)| declarations.job("one").unwrap().after.clone()).map_err(|told| told.to_string())
    };
    assert_eq!(jobs("[other, third]", "[third]", "[]"), Ok(vec!["other".to_owned(), "third".to_owned()]));
    let told = jobs("[othre]", "[]", "[]").unwrap_err();
    assert!(told.contains("SW3011") && told.contains("unknown job `othre`") && told.contains("jobs/one.yaml:3:9"), "{told}");
    assert!(told.contains("`other`"), "a near name is suggested: {told}");
    let told = jobs("[other]", "[third]", "[one]").unwrap_err();
    assert_eq!(told.matches("SW3011").count(), 3, "each names its place: {told}");
    assert!(jobs("[one]", "[]", "[]").unwrap_err().contains("each would wait"));
}

#[test]
fn every_action_of_the_words_reads_a_section() {
    for (action, section) in registry().actions {
        assert!(!section.word().is_empty() && registry().section(action) == Some(section));
    }
}
