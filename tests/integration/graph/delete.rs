//! Nodes past their period go, the others stay; relations go only where that is allowed.

use super::users_fixture::{count, graph, ids, open, policy, run, users};

#[test]
fn what_is_due_goes_and_a_second_run_does_nothing() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 2_500);
    let report = run(&sandbox, 0);
    assert_eq!(
        (&report["due"], &report["removed"], &report["total"]),
        (&2_500.into(), &2_500.into(), &2_503.into()),
        "{report:#}"
    );
    assert_eq!(report["oldest"], "2020-01-01T00:00:01Z");
    assert_eq!(ids(&sandbox), ["900001", "900002", "900003"]);
    let again = run(&sandbox, 0);
    assert_eq!((&again["due"], &again["removed"], &again["batches"]), (&0.into(), &0.into(), &0.into()), "{again:#}");
    sandbox.steward(["audit", "verify"]).must_end(0);
}

#[test]
fn a_node_at_the_cutoff_is_not_due_in_whatever_zone_it_is_dated() {
    let sandbox = open();
    policy(&sandbox, "");
    graph(&sandbox).seed(
        "CREATE (:User{{graph}} {id: 1, created_at: datetime('2024-04-30T23:59:59.999999999Z')}),
                (:User{{graph}} {id: 2, created_at: datetime('2024-05-01T00:00:00Z')}),
                (:User{{graph}} {id: 3, created_at: datetime('2024-04-30T19:00:00-05:00')}),
                (:User{{graph}} {id: 4, created_at: datetime('2024-05-01T08:00:00[Asia/Shanghai]')}),
                (:User{{graph}} {id: 5, created_at: datetime('2024-05-01T07:59:59.999[Asia/Shanghai]')}),
                (:User{{graph}} {id: 6});",
    );
    let report = run(&sandbox, 0);
    assert_eq!((&report["due"], &report["removed"], &report["left"]["undated"]), (&2.into(), &2.into(), &1.into()), "{report:#}");
    assert_eq!(ids(&sandbox), ["2", "3", "4", "6"]);
}

#[test]
fn clocks_of_every_type_are_cut_by_the_calendar() {
    for (clock, value, kept, gone) in [
        ("{ column: created_at, zone: Asia/Shanghai }", "localdatetime", "'2024-05-01T08:00:00'", "'2024-05-01T07:59:59.9'"),
        ("created_at", "localdatetime", "'2024-05-01T00:00:00'", "'2024-04-30T23:59:59.9'"),
        ("created_at", "date", "'2024-04-30'", "'2024-04-29'"),
        ("{ column: created_at, unit: ms }", "toInteger", "1714521600000", "1714521599999"),
    ] {
        let sandbox = open();
        policy(&sandbox, "");
        let text = std::fs::read_to_string(sandbox.path("policies/users.yaml")).expect("the policy");
        sandbox.policy("users", &text.replace("clock: created_at", &format!("clock: {clock}")));
        graph(&sandbox).seed(&format!(
            "CREATE (:User{{{{graph}}}} {{id: 1, created_at: {value}({kept})}}), (:User{{{{graph}}}} {{id: 2, created_at: {value}({gone})}});"
        ));
        let report = run(&sandbox, 0);
        assert_eq!(report["removed"], 1, "{clock} {value}: {report:#}");
        assert_eq!(ids(&sandbox), ["1"], "{clock} {value}");
    }
}

#[test]
fn a_clock_that_dates_nothing_is_refused() {
    for (values, told) in [
        ("datetime(), date()", "several types: DATE, ZONED DATETIME"),
        ("'2020-01-01', '2020-01-01'", "STRINGs, which date nothing"),
        ("1, 2", "nothing says what they count"),
    ] {
        let sandbox = open();
        policy(&sandbox, "");
        graph(&sandbox).seed(&format!("UNWIND [{values}] AS at CREATE (:User{{{{graph}}}} {{id: 1, created_at: at}});"));
        let ended = sandbox.steward(["run-job", "clean-graph", "--as-of", "2026-05-01"]).must_end(4);
        assert!(ended.stdout.contains(told), "{ended}");
        assert_eq!(count(&sandbox), 2);
    }
}

#[test]
fn a_plan_and_a_dry_run_touch_nothing() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 20);
    let before = graph(&sandbox).dump();
    let plan = sandbox.steward(["plan", "--sql", "--as-of", "2026-05-01"]).must_end(0);
    assert!(plan.stdout.contains("UNWIND $keys") && plan.stdout.contains("GRANT MATCH"), "{plan}");
    sandbox.steward(["run-job", "clean-graph", "--dry-run", "--as-of", "2026-05-01"]).must_end(0);
    assert_eq!(graph(&sandbox).dump(), before);
}

#[test]
fn a_condition_narrows_and_the_guard_holds() {
    let sandbox = open();
    policy(&sandbox, "where: \"n.id % 2 = 0 AND n.note IS NULL\"");
    users(&sandbox, 10);
    assert_eq!(run(&sandbox, 0)["removed"], 5);
    policy(&sandbox, "");
    let text = std::fs::read_to_string(sandbox.path("policies/users.yaml")).expect("the policy");
    sandbox.policy("users", &text.replace("max_rows: 1000000", "max_rows: 3"));
    let report = run(&sandbox, 4);
    assert_eq!(report["left"]["guarded"], 5, "{report:#}");
    assert_eq!(count(&sandbox), 8);
}

#[test]
fn relations_go_only_where_that_is_allowed() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 4);
    graph(&sandbox).seed(
        "MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 2}) CREATE (a)-[:KNOWS]->(b), (a)-[:KNOWS]->(a);
MATCH (a:User{{graph}} {id: 1}) CREATE (a)-[:HAS_SKILL]->(:Skill{{graph}} {id: 7});",
    );
    let before = graph(&sandbox).dump();
    let ended = sandbox.steward(["run-job", "clean-graph", "--as-of", "2026-05-01"]).must_end(4);
    assert!(ended.stdout.contains("2 relations of type `KNOWS` would be removed along"), "{ended}");
    assert!(ended.stdout.contains("1 relation of type `HAS_SKILL` would be removed along"), "{ended}");
    assert_eq!(graph(&sandbox).dump(), before);

    policy(&sandbox, "cascade: allow");
    let plan = sandbox.steward(["plan", "--as-of", "2026-05-01"]).must_end(0);
    assert!(plan.stdout.contains("2 relations of type `KNOWS` would go along"), "{plan}");
    assert_eq!(run(&sandbox, 0)["removed"], 4);
    assert_eq!(graph(&sandbox).dump().lines().filter(|line| line.contains("-[")).count(), 0);
    assert_eq!(graph(&sandbox).ask("MATCH (n:Skill{{graph}}) RETURN n.id"), ["7"]);
}

#[test]
fn orphans_alone_go_where_the_policy_says_so() {
    let sandbox = open();
    policy(&sandbox, "where: \"NOT (n)--()\"");
    users(&sandbox, 4);
    graph(&sandbox).seed("MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 2}) CREATE (a)-[:KNOWS]->(b);");
    assert_eq!(run(&sandbox, 0)["removed"], 2);
    assert_eq!(ids(&sandbox), ["1", "2", "900001", "900002", "900003"]);
}

#[test]
fn hostile_names_are_names() {
    let sandbox = open();
    let graph = graph(&sandbox);
    let label = format!("a`) DETACH DELETE n // \"x\"{}", graph.suffix);
    let quoted = format!("`{}`", label.replace('`', "``"));
    let clock = "it's `old`; \\u0060";
    let quoted_clock = format!("`{}`", clock.replace('`', "``").replace("\\u", "\\u005Cu"));
    graph.seed(&format!(
        "CREATE (:{0} {{{quoted_clock}: date('2020-01-01')}}), (:{0} {{{quoted_clock}: date('2026-01-01')}}), (:Other{{{{graph}}}} {{id: 1}});",
        quoted.replace(&graph.suffix, "{{graph}}")
    ));
    let dataset = serde_json::to_string(&format!("graph.\"{}\"", label.replace('"', "\"\""))).expect("JSON");
    let clock = serde_json::to_string(clock).expect("JSON");
    sandbox.policy(
        "users",
        &format!(
            "lifecycle:\n  - {{ name: hostile, dataset: {dataset}, clock: {clock}, delete: {{ after: 2 years }}, guard: {{ max_rows: 10, max_percent: 100 }} }}\n"
        ),
    );
    assert_eq!(run(&sandbox, 0)["removed"], 1);
    assert_eq!(graph.ask("MATCH (n:Other{{graph}}) RETURN count(n)"), ["1"]);
}

#[test]
fn a_misspelt_label_or_property_is_refused_with_the_near_one() {
    let sandbox = open();
    users(&sandbox, 2);
    policy(&sandbox, "");
    let text = std::fs::read_to_string(sandbox.path("policies/users.yaml")).expect("the policy");
    sandbox.policy("users", &text.replace("graph.User_", "graph.user_"));
    let ended = sandbox.steward(["run-job", "clean-graph"]).must_end(4);
    assert!(ended.stdout.contains("did you mean `User_"), "{ended}");
    sandbox.policy("users", &text.replace("clock: created_at", "clock: craeted_at"));
    let ended = sandbox.steward(["run-job", "clean-graph"]).must_end(4);
    assert!(ended.stdout.contains("did you mean `created_at`?"), "{ended}");
    sandbox.policy("users", &text.replace("graph.User_", "graph.sub.User_"));
    let ended = sandbox.steward(["run-job", "clean-graph"]).must_end(4);
    assert!(ended.stdout.contains("a label has none"), "{ended}");
    assert_eq!(count(&sandbox), 5);
}

#[test]
fn a_label_of_which_all_nodes_went_is_no_error_the_next_night() {
    let sandbox = open();
    policy(&sandbox, "");
    graph(&sandbox).seed("CREATE (:User{{graph}} {id: 1, created_at: date('2020-01-01')});");
    assert_eq!(run(&sandbox, 0)["removed"], 1);
    let report = run(&sandbox, 0);
    assert_eq!((&report["due"], &report["total"]), (&0.into(), &0.into()), "{report:#}");
}

#[test]
fn an_archive_of_nodes_is_refused_before_anything_is_read() {
    let sandbox = open();
    let label = graph(&sandbox).label("User");
    sandbox.policy(
        "users",
        &format!("lifecycle:\n  - {{ dataset: graph.{label}, clock: created_at, archive: {{ after: 1 year, to: graph.Old{label} }} }}\n"),
    );
    let ended = sandbox.steward(["validate"]).must_end(78);
    assert!(ended.stderr.contains("SW2005") && ended.stderr.contains("nothing could prove the copy"), "{ended}");
}
