//! A check touches nothing, on any store; a dry run of any job neither (promise 3).

use super::plan::Plan;
use super::stores::Five;

/// Everything in the five stores: every row, key and node, what views show, and to the millisecond when keys end.
fn everything(five: &Five) -> Vec<(String, String)> {
    let core = ["users", "user_sessions", "user_roles", "ai_cache"].map(|table| (table, five.core.dump(table)));
    let platform = [
        "financial_management.consumption_record",
        "archive.consumption_record_archive",
        "user_embeddings",
        "mv_workspace_analytics",
        "mv_workspace_totals",
    ];
    let platform = platform.map(|table| (table, five.platform.dump(table)));
    let small = ["grading_results", "class_averages"].map(|table| (table, five.small.dump(table)));
    let ends = "local r = {} for _, k in ipairs(redis.call('KEYS', '*')) do r[#r + 1] = k .. ' ' .. redis.call('PEXPIRETIME', k) end table.sort(r) return r";
    let ends: Vec<String> = five.cache.ask(&format!("EVAL \"{ends}\" 0"));
    let rest = [
        ("tables of core", format!("{:?}", five.core.rows("SHOW TABLES"))),
        ("tables of platform", format!("{:?}", five.platform.rows("SELECT relname::text FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'archive'::regnamespace, 'financial_management'::regnamespace) ORDER BY 1"))),
        ("tables of small", format!("{:?}", five.small.rows("SELECT name FROM sqlite_master ORDER BY name"))),
        ("keys", five.cache.dump()),
        ("ends of keys", ends.join("\n")),
        ("nodes", five.graph.dump()),
    ];
    let all = core.into_iter().chain(platform).chain(small).chain(rest);
    all.map(|(what, text)| (what.to_owned(), text)).collect()
}

#[test]
fn checks_and_dry_runs_touch_none_of_the_five_stores() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Plan::of(7);
    let five = Five::new(folder.path());
    five.fill(&plan);
    let before = everything(&five);
    // Looking at a key must not make it look used.
    std::thread::sleep(std::time::Duration::from_secs(3));
    five.steward(["run-job", "check-quality", "--json"]).must_end(1);
    let idle: u64 = five.cache.ask("OBJECT IDLETIME cache:user:1");
    assert!(idle >= 2, "a check made a key look used: {idle} s");
    let same = |what: &str| {
        for ((name, was), (_, is)) in before.iter().zip(everything(&five)) {
            assert!(*was == is, "{what} touched {name}");
        }
    };
    same("check-quality");
    for job in five.jobs() {
        let ended = five.steward(["run-job", job, "--dry-run", "--json"]);
        assert!(matches!(ended.code, Some(0 | 1)), "{job}: {ended}");
        same(&format!("a dry run of {job}"));
    }
}
