//! Reports to look at: what the forms are tested on. They are built here by hand, so that a form can be judged without a store.

use super::finding::{Before, Finding, FindingOutcome, Since, Unit};
use super::presentation::{Age, Layout, Presentation};
use super::run::*;
use crate::counter::{Counter, Counts, Effect};
use crate::job::origin::{Origin, StartedBy};
use crate::job::outcome::Outcome;
use crate::job::spec::Mode;
use chrono::{DateTime, Utc};

/// A hash as the ledger writes it.
const HEAD: &str = "5f1c9e0b7a2d4c68e3b09f7d1a6c2e84b5d3f0917c8e6a4b2d1f0e9c8b7a6d5c";

const REMOVED: Counter = Counter {
    key: "removed",
    done: "removed",
    would: "would be removed",
    column: "removed",
    effect: Effect::Rows,
    note: None,
    told_by: &["archived", "already_archived"],
    stays: false,
};
const ARCHIVED: Counter = Counter {
    key: "archived",
    done: "archived",
    would: "would be archived",
    column: "archived",
    effect: Effect::Store,
    told_by: &[],
    ..REMOVED
};
const BEFORE: Counter = Counter {
    key: "already_archived",
    done: "archived before",
    effect: Effect::None,
    note: Some("the archive held the same content"),
    ..ARCHIVED
};
const SWEPT: Counter = Counter { key: "swept", done: "swept", would: "would be swept", column: "swept", told_by: &[], ..REMOVED };
const TTL_SET: Counter = Counter {
    key: "ttl_set",
    done: "given a time to live",
    would: "would be given a time to live",
    column: "ttl set",
    stays: true,
    ..SWEPT
};
const REFRESHED: Counter =
    Counter { key: "refreshed", done: "refreshed", column: "refreshed", would: "would be refreshed", ..ARCHIVED };
const ARCHIVING: Presentation =
    Presentation { main: Some(&ARCHIVED), counters: &[&ARCHIVED, &BEFORE, &REMOVED], layout: Layout::Rows, age: Age::OlderThan };
/// What removes without an archive.
pub const REMOVING: Presentation = Presentation { main: Some(&REMOVED), counters: &[&REMOVED], ..ARCHIVING };
const SWEEPING: Presentation =
    Presentation { main: Some(&SWEPT), counters: &[&TTL_SET, &SWEPT], age: Age::PastItsTime, ..ARCHIVING };
const REFRESHING: Presentation =
    Presentation { main: Some(&REFRESHED), counters: &[&REFRESHED], layout: Layout::Views, ..ARCHIVING };

/// Rows that were archived, had been before, and were removed.
pub fn archived(archived: u64, before: u64, removed: u64) -> Counts {
    Counts::of([(&ARCHIVED, archived), (&BEFORE, before), (&REMOVED, removed)])
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn dataset(name: &str, policy: &str, due: u64) -> DatasetReport {
    DatasetReport {
        dataset: name.into(),
        policy: policy.into(),
        owner: Some("finance@example.com".into()),
        outcome: Some(Outcome::Done),
        cutoff: Some(at("2024-11-20T16:00:00Z")),
        period: Some("2 years".into()),
        due: Some(due),
        total: Some(48_211),
        total_is_estimate: false,
        oldest: Some("2021-03-02 08:14:55".into()),
        counts: archived(due, 0, due),
        refresh: None,
        underneath: None,
        causes: vec![],
        to_be_given_ttl: None,
        archive: Some(format!("{name}_archive")),
        left: Left::default(),
        not_reached: None,
        holds: vec![],
        debt: Some(Debt::default()),
        batches: 3,
        index: Some("idx_created_at".into()),
        reasons: vec![],
        query: Some(format!("SELECT count(*) FROM {name}\nWHERE created_at < '2024-11-20 16:00:00'")),
    }
}

fn report(job: &str, outcome: Outcome, datasets: Vec<DatasetReport>) -> RunReport {
    RunReport {
        run: Some("019aa4a2-1111-7c3e-8f2c-5d0c1e2fbeef".into()),
        job: job.into(),
        action: "archive".into(),
        mode: Mode::Enforce,
        dry_run: false,
        outcome: Some(outcome),
        exit: Some(outcome.exit()),
        as_of: at("2026-11-20T18:15:00Z"),
        started: Some(at("2026-11-20T18:15:00Z")),
        ended: Some(at("2026-11-20T18:15:04.230Z")),
        started_by: None,
        approval: None,
        datasets,
        findings: vec![],
        reasons: vec![],
        settled: vec![],
        report: None,
        ledger_head: Some(HEAD.into()),
        presentation: &ARCHIVING,
    }
}

pub fn reason(weight: Weight, text: &str, help: Option<&str>) -> Reason {
    Reason { weight, code: None, text: text.into(), help: help.map(Into::into) }
}

/// All is well: archived, some kept by a hold, some without a date.
pub fn done() -> RunReport {
    let mut orders = dataset("core.orders", "orders", 1_216);
    orders.counts = archived(1_204, 0, 1_204);
    orders.left = Left { held: 12, undated: 4, ..Left::default() };
    orders.holds = vec![HeldBy { hold: "case-114".into(), rows: 12 }];
    let started_by =
        StartedBy { actor: "li (uid 1000)".into(), origin: Origin::ByHand, host: "host-a".into(), version: "1.2.3".into() };
    let approval = Approval {
        plan: HEAD.into(),
        by: "li (uid 1000) on host-a".into(),
        made: at("2026-11-20T17:00:00Z"),
        made_by: Some("wang (uid 1001) on host-b".into()),
    };
    RunReport {
        started_by: Some(started_by),
        approval: Some(approval),
        ..report("archive-orders", Outcome::Done, vec![orders, dataset("core.order_items", "order-items", 0)])
    }
}

/// Rows that are due and may not go without a person.
pub fn guarded() -> RunReport {
    let mut records = dataset("platform.financial_management.consumption_record", "consumption-records", 1_204_112);
    (records.counts, records.outcome) = (archived(0, 0, 0), Some(Outcome::Refused));
    records.total = Some(1_300_000);
    records.total_is_estimate = true;
    records.left.guarded = 1_204_112;
    records.debt = Some(Debt { rows: 1_204_112, oldest: Some("2019-01-01 00:00:07+08".into()) });
    let text = "`platform.financial_management.consumption_record` has 1,204,112 due rows and its guard allows 500,000; nothing was removed from it";
    records.reasons = vec![Reason {
        code: Some("SW4101".into()),
        ..reason(Weight::Refused, text, Some("`steward explain SW4101` says where the bound is set"))
    }];
    report("archive-consumption", Outcome::Refused, vec![records])
}

/// Some steps done, some in conflict, some failed, some out of time.
pub fn partial() -> RunReport {
    let mut orders = dataset("core.orders", "orders", 9_000);
    orders.counts = archived(6_480, 20, 6_500);
    orders.left = Left { held: 30, undated: 4, changed: 3, conflict: 2, failed: 1_000, over_budget: 1_465, ..Left::default() };
    orders.holds = vec![HeldBy { hold: "case-114".into(), rows: 12 }, HeldBy { hold: "tax-2023".into(), rows: 20 }];
    orders.outcome = Some(Outcome::Partial);
    orders.debt = Some(Debt { rows: 2_470, oldest: Some("2021-08-14 11:02:00".into()) });
    orders.reasons = vec![
        reason(
            Weight::Failed,
            "archive `orders-2f91` does not read back as it was sent; nothing was removed",
            Some("a trigger on `core.orders_archive` may change rows as they arrive"),
        ),
        reason(
            Weight::Warning,
            "no index starts with `created_at`: the key is walked",
            Some("CREATE INDEX idx_orders_created_at ON orders (created_at)"),
        ),
    ];
    let mut sessions = dataset("platform.public.user_sessions", "web-sessions", 0);
    (sessions.due, sessions.counts, sessions.total) = (None, Counts::default(), None);
    sessions.debt = None;
    sessions.outcome = Some(Outcome::Temporary);
    sessions.reasons = vec![reason(
        Weight::Temporary,
        "store `platform` does not answer: connection refused; its datasets were not looked at",
        None,
    )];
    report("archive-orders", Outcome::Partial, vec![orders, sessions])
}

/// A job nobody has allowed to act yet.
pub fn observed() -> RunReport {
    let mut orders = dataset("core.orders", "orders", 1_216);
    orders.counts = Counts::default();
    orders.left = Left { held: 12, ..Left::default() };
    orders.holds = vec![HeldBy { hold: "case-114".into(), rows: 12 }];
    orders.debt = Some(Debt { rows: 1_204, oldest: Some("2021-03-02 08:14:55".into()) });
    RunReport { mode: Mode::Observe, dry_run: true, ..report("archive-orders", Outcome::Done, vec![orders]) }
}

/// Nothing was due.
pub fn quiet() -> RunReport {
    report("archive-orders", Outcome::Done, vec![dataset("core.orders", "orders", 0)])
}

/// The run before died in the middle of a batch.
pub fn settled() -> RunReport {
    let batch = |batch: &str, rows, verdict| Settled {
        run: "019aa47f-0000-7c3e-8f2c-5d0c1e2f0a0a".into(),
        batch: batch.into(),
        dataset: "core.orders".into(),
        rows,
        verdict,
    };
    let settled = vec![
        batch("orders-2f91", 500, Verdict::Applied),
        batch("orders-2f92", 500, Verdict::RolledBack),
        batch("orders-2f93", 7, Verdict::Unclear),
    ];
    RunReport { settled, ..report("archive-orders", Outcome::Done, vec![dataset("core.orders", "orders", 716)]) }
}

/// A signal came between two batches.
pub fn stopped() -> RunReport {
    let mut orders = dataset("core.orders", "orders", 9_000);
    (orders.counts, orders.outcome) = (archived(4_000, 0, 4_000), Some(Outcome::Temporary));
    orders.left.over_budget = 5_000;
    orders.debt = Some(Debt { rows: 5_000, oldest: Some("2022-06-01 00:00:00".into()) });
    let why =
        reason(Weight::Temporary, "stopped by a signal after 8 batches", Some("the next run goes on where this one stopped"));
    RunReport { reasons: vec![why], ..report("archive-orders", Outcome::Temporary, vec![orders]) }
}

/// A finding of which only this is known.
fn finding(check: &str, outcome: FindingOutcome, value: Option<u64>, of: Option<u64>) -> Finding {
    Finding {
        check: check.into(),
        kind: "duplicate".into(),
        dataset: "core.users".into(),
        owner: Some("dpo@example.com".into()),
        outcome,
        value,
        of,
        unit: Unit::Count,
        shown: value.map(|value| Unit::Count.say_of(value, of)),
        bound: None,
        samples: vec![],
        notes: vec![],
        query: Some("SELECT count(*) FROM core.users".into()),
        reason: None,
        stores: vec!["core".into()],
        silent: None,
        before: None,
        since: Some(Since { at: at("2026-11-20T18:15:00Z"), runs: 1 }),
        elapsed_ms: Some(84),
        history: vec![],
    }
}

/// Checks that saw something, and one whose store was away.
pub fn found() -> RunReport {
    let mut duplicates = finding("duplicate-emails", FindingOutcome::Warn, Some(3), Some(5_000));
    duplicates.bound = Some("> 0".into());
    duplicates.samples = vec!["li***.com".into(), "wa***.com".into()];
    let mut graph = finding("users-in-graph", FindingOutcome::Fail, Some(41), Some(5_000));
    graph.bound = Some("> 0".into());
    graph.kind = "reference".into();
    graph.dataset = "core.users.id → graph.User.id".into();
    graph.before = Some(Before { outcome: FindingOutcome::Fail, value: Some(38), at: at("2026-11-19T18:15:00Z") });
    graph.since = Some(Since { at: at("2026-11-17T18:15:00Z"), runs: 4 });
    graph.history = [0, 0, 2, 0, 12, 30, 38, 41].map(Some).to_vec();
    let mut memory = finding("cache-memory", FindingOutcome::Pass, Some(62), None);
    (memory.unit, memory.kind, memory.dataset, memory.owner) = (Unit::Percent, "memory".into(), "cache".into(), None);
    (memory.query, memory.notes) = (None, vec!["1.2 GB of 2 GB".into()]);
    memory.before = Some(Before { outcome: FindingOutcome::Warn, value: Some(91), at: at("2026-11-19T18:15:00Z") });
    memory.history = [70, 84, 88, 91, 62].map(Some).to_vec();
    let mut away = finding("orphan-nodes", FindingOutcome::Error, None, None);
    away.reason = Some(reason(Weight::Temporary, "store `graph` is away: connection refused", None));
    (away.silent, away.query, away.stores) = (Some("graph".into()), None, vec!["graph".into()]);
    let passed = finding("null-emails", FindingOutcome::Pass, Some(0), Some(5_000));
    let findings = vec![duplicates, graph, away, passed, memory];
    RunReport {
        action: "check-quality".into(),
        presentation: &Presentation::CHECKS,
        findings,
        ..report("check-users", Outcome::Partial, vec![])
    }
}

/// More checks than anybody reads: most pass, the others have much to say.
pub fn many_checks(number: usize) -> RunReport {
    let one = |at: usize| {
        let outcome = match at % 10 {
            0 => FindingOutcome::Fail,
            1 => FindingOutcome::Warn,
            2 => FindingOutcome::Error,
            _ => FindingOutcome::Pass,
        };
        let mut one = finding(&format!("check-{at}"), outcome, outcome.is_measured().then_some(at as u64), Some(5_000));
        one.owner = Some(format!("team-{}@example.com", at % 40));
        one.samples = vec!["<>&\"'".repeat(40); 10];
        one.notes = vec!["<>&\"'".repeat(100); 5];
        one.query = Some("<".repeat(1_400));
        one.history = (0..20).map(Some).collect();
        if outcome == FindingOutcome::Error {
            one.reason = Some(reason(Weight::Failed, &format!("there is no table `t{at}`"), Some("look for it")));
        }
        one
    };
    RunReport {
        action: "check-quality".into(),
        presentation: &Presentation::CHECKS,
        findings: (0..number).map(one).collect(),
        ..report("check-all", Outcome::Partial, vec![])
    }
}

/// An hour's sweep of a cache.
pub fn swept() -> RunReport {
    let mut cache = dataset("cache.cache:user:*", "user-cache", 150);
    (cache.counts, cache.archive, cache.period) = (Counts::of([(&TTL_SET, 30), (&SWEPT, 120)]), None, None);
    cache.to_be_given_ttl = Some(0);
    cache.causes = vec![DueTo { cause: "no TTL".into(), count: 30 }, DueTo { cause: "idle".into(), count: 120 }];
    RunReport { action: "sweep-cache".into(), presentation: &SWEEPING, ..report("sweep-cache", Outcome::Done, vec![cache]) }
}

/// A night's views: two refreshed, one left as it was, one refused.
pub fn refreshed() -> RunReport {
    let view = |name: &str, due: u64, refresh: Option<Refresh>| {
        let mut view = dataset(&format!("platform.public.{name}"), name, due);
        view.archive = None;
        (view.period, view.oldest, view.index, view.total) = (None, None, None, Some(1));
        (view.counts, view.refresh) = (Counts::of([(&REFRESHED, u64::from(refresh.is_some()))]), refresh);
        view.query = Some(format!("SELECT COUNT(*) FROM \"public\".\"{name}\""));
        view
    };
    let how = |how: &str, took_ms, rows_before, rows_after| Refresh { how: how.into(), took_ms, rows_before, rows_after };
    let analytics = view("mv_workspace_analytics", 1, Some(how("concurrently", 4_200, Some(48_002), Some(48_211))));
    let daily = view("daily_totals", 1, Some(how("by 2 statements", 310, Some(365), Some(366))));
    let mut skills = view("mv_skills", 0, None);
    skills.reasons = vec![reason(Weight::Note, "left as it is: nothing underneath changed since it was last refreshed", None)];
    let mut grades = view("mv_grades", 1, None);
    (grades.due, grades.total, grades.debt, grades.outcome) = (None, None, None, Some(Outcome::Refused));
    let why = "materialized view `platform.public.mv_grades` has no unique index over plain columns; nothing was refreshed";
    grades.reasons = vec![reason(Weight::Refused, why, Some("write `concurrently: false`"))];
    let views = vec![analytics, daily, skills, grades];
    RunReport { action: "refresh-views".into(), presentation: &REFRESHING, ..report("refresh-views", Outcome::Refused, views) }
}

/// Chinese names, quoted names.
pub fn chinese() -> RunReport {
    let mut records = dataset("平台.财务管理.\"消费 记录\"", "消费记录归档", 52_340);
    records.owner = Some("数据治理组 <dpo@example.com>".into());
    records.left.held = 8;
    records.counts = archived(52_332, 0, 52_332);
    records.holds = vec![HeldBy { hold: "案件-一一四".into(), rows: 8 }];
    report("archive-consumption", Outcome::Done, vec![records])
}

/// What an attacker would call a table.
pub const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&\u{202e}\u{1b}[31m\r\nBcc: evil@example.com";

/// Every string that others can choose is hostile.
pub fn hostile() -> RunReport {
    let mut bad = dataset(HOSTILE, HOSTILE, 10);
    bad.left = Left { held: 1, guarded: 3, conflict: 1, failed: 5, ..Left::default() };
    bad.holds = vec![HeldBy { hold: HOSTILE.into(), rows: 1 }];
    bad.debt = Some(Debt { rows: 9, oldest: Some(HOSTILE.into()) });
    for text in [&mut bad.owner, &mut bad.period, &mut bad.oldest, &mut bad.archive, &mut bad.index, &mut bad.query] {
        *text = Some(HOSTILE.into());
    }
    let why = Reason { weight: Weight::Refused, code: Some(HOSTILE.into()), text: HOSTILE.into(), help: Some(HOSTILE.into()) };
    bad.reasons = vec![why.clone()];
    let mut saw = finding(HOSTILE, FindingOutcome::Fail, Some(1), None);
    for text in [&mut saw.owner, &mut saw.bound, &mut saw.query, &mut saw.shown, &mut saw.silent] {
        *text = Some(HOSTILE.into());
    }
    (saw.kind, saw.dataset) = (HOSTILE.into(), HOSTILE.into());
    (saw.samples, saw.notes, saw.stores) = (vec![HOSTILE.into()], vec![HOSTILE.into()], vec![HOSTILE.into()]);
    let lost = Finding { outcome: FindingOutcome::Error, reason: Some(why.clone()), ..saw.clone() };
    let settled =
        Settled { run: HOSTILE.into(), batch: HOSTILE.into(), dataset: HOSTILE.into(), rows: 1, verdict: Verdict::Unclear };
    let other = dataset(HOSTILE, HOSTILE, 0);
    RunReport {
        run: Some(HOSTILE.into()),
        action: HOSTILE.into(),
        reasons: vec![why],
        findings: vec![saw, lost],
        settled: vec![settled],
        ledger_head: Some(HOSTILE.into()),
        ..report(HOSTILE, Outcome::Refused, vec![bad, other])
    }
}

/// Every string as long and every list as many as a bad day brings.
pub fn huge(datasets: usize, reasons: usize, findings: usize) -> RunReport {
    let why = |at| reason(Weight::Failed, &format!("row {at} was not archived: {}", "x".repeat(5_000)), Some("try again"));
    let mut all: Vec<DatasetReport> = (0..datasets).map(|at| dataset(&format!("core.table_{at}"), "all", at as u64)).collect();
    if let Some(first) = all.last_mut() {
        first.reasons = (0..reasons).map(why).collect();
    }
    let finding = |at| Finding {
        samples: vec!["li***.com".into(); 10],
        ..finding(&format!("check-{at}"), FindingOutcome::Warn, Some(at as u64), None)
    };
    RunReport {
        findings: (0..findings).map(finding).collect(),
        reasons: (0..reasons).map(why).collect(),
        ..report("archive-all", Outcome::Partial, all)
    }
}

/// A plan: what a run would meet.
pub fn planned() -> RunReport {
    let mut plan = guarded();
    plan.datasets.insert(0, observed().datasets.remove(0));
    for dataset in &mut plan.datasets {
        dataset.counts = Counts::default();
    }
    plan.datasets[0].outcome = None;
    RunReport { run: None, outcome: None, exit: None, started: None, ended: None, ledger_head: None, ..plan }
}

/// Every sample by name.
pub fn all() -> Vec<(&'static str, RunReport)> {
    vec![
        ("done", done()),
        ("guarded", guarded()),
        ("partial", partial()),
        ("observed", observed()),
        ("quiet", quiet()),
        ("settled", settled()),
        ("stopped", stopped()),
        ("found", found()),
        ("many-checks", many_checks(5_000)),
        ("swept", swept()),
        ("refreshed", refreshed()),
        ("chinese", chinese()),
        ("hostile", hostile()),
        ("huge", huge(10_000, 5_000, 5_000)),
    ]
}
