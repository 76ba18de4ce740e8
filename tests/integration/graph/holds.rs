//! A hold is honoured on nodes too, by construction.

use super::users_fixture::{count, graph, ids, open, policy, run, users};
use crate::support::sandbox::Sandbox;

fn hold(sandbox: &Sandbox, label: &str, more: &str) {
    let label = graph(sandbox).label(label);
    sandbox.policy("holds", &format!("holds:\n  - {{ name: case-1, dataset: graph.{label}, because: litigation{more} }}\n"));
}

#[test]
fn held_nodes_stay_those_of_which_the_condition_knows_nothing_too() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 10);
    graph(&sandbox).seed("MATCH (n:User{{graph}}) WHERE n.id <> 4 SET n.note = CASE n.id WHEN 3 THEN 'keep' ELSE 'go' END;");
    hold(&sandbox, "User", ", where: \"n.note = 'keep'\"");
    let report = run(&sandbox, 0);
    assert_eq!((&report["left"]["held"], &report["removed"]), (&2.into(), &8.into()), "{report:#}");
    assert_eq!((&report["holds"][0]["hold"], &report["holds"][0]["rows"]), (&"case-1".into(), &2.into()), "{report:#}");
    assert_eq!(ids(&sandbox)[..2], ["3", "4"]);
}

#[test]
fn a_hold_on_everything_keeps_everything() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 10);
    hold(&sandbox, "User", "");
    assert_eq!(run(&sandbox, 0)["left"]["held"], 10);
    assert_eq!(count(&sandbox), 13);
}

#[test]
fn a_hold_on_another_label_keeps_a_node_that_bears_both() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 10);
    graph(&sandbox).seed("MATCH (n:User{{graph}}) WHERE n.id IN [3, 4] SET n:Admin{{graph}};");
    hold(&sandbox, "Admin", ", where: \"n.id <> 4\"");
    let report = run(&sandbox, 0);
    assert_eq!((&report["left"]["held"], &report["removed"]), (&1.into(), &9.into()), "{report:#}");
    assert_eq!(ids(&sandbox)[0], "3");
}

#[test]
fn a_hold_on_a_neighbour_that_would_lose_its_relation_refuses_the_dataset() {
    let sandbox = open();
    policy(&sandbox, "cascade: allow");
    users(&sandbox, 4);
    graph(&sandbox).seed("MATCH (a:User{{graph}} {id: 1}) CREATE (a)-[:HAS_SKILL]->(:Skill{{graph}} {id: 7});");
    hold(&sandbox, "Skill", "");
    let before = graph(&sandbox).dump();
    let ended = sandbox.steward(["run-job", "clean-graph", "--as-of", "2026-05-01"]).must_end(4);
    assert!(ended.stdout.contains("case-1"), "{ended}");
    assert_eq!(graph(&sandbox).dump(), before);
}

#[test]
fn a_hold_that_cannot_be_evaluated_refuses_the_dataset() {
    // What is no condition by its letters is refused where it stands, and stops all jobs until it is put right.
    let cases = [
        ("n.id = ", 4),
        ("m.id = 1", 4),
        ("EXISTS { CALL db.labels() YIELD label RETURN label }", 78),
        ("true) OR (true", 78),
        ("true // AND n.id = 1", 78),
        ("n.id = $id", 78),
    ];
    for (condition, code) in cases {
        let sandbox = open();
        policy(&sandbox, "");
        users(&sandbox, 3);
        hold(&sandbox, "User", &format!(", where: \"{condition}\""));
        let ended = sandbox.steward(["run-job", "clean-graph", "--as-of", "2026-05-01"]).must_end(code);
        let told = if code == 4 { &ended.stdout } else { &ended.stderr };
        assert!(told.contains(if code == 4 { "case-1" } else { "SW2510" }), "{condition}: {ended}");
        assert_eq!(count(&sandbox), 6);
    }
}

#[test]
fn a_hold_is_put_down_by_command_once_the_store_took_its_condition() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 3);
    let dataset = format!("graph.{}", graph(&sandbox).label("User"));
    let add = |condition: &str| {
        sandbox.steward(["hold", "add", "case-2", "--dataset", &dataset, "--where", condition, "--because", "x", "--json"])
    };
    let refused = add("n.id = 1 SET n.x = 1").must_end(4);
    assert!(refused.stderr.contains("SW4007"), "{refused}");
    assert_eq!(add("n.id = 1").must_end(0).json()["checked"], true);
    assert_eq!(run(&sandbox, 0)["removed"], 2);
    assert_eq!(ids(&sandbox)[0], "1");
}
