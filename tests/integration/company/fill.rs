//! Fills the five stores with what the plan says.

use super::plan::Plan;
use super::stores::Five;
use std::fmt::Write;

/// How a domain reads in Unicode, and in the form that mail servers use.
const DOMAIN: (&str, &str) = ("bücher-büro.example", "xn--bcher-bro-q9ag.example");

impl Five {
    /// Fills everything.
    pub fn fill(&self, plan: &Plan) {
        self.core.sql(&core(plan));
        self.platform.sql(&platform(plan));
        self.small.sql(&small(plan));
        self.cache.seed(&cache(plan));
        self.graph.seed(&graph(plan));
    }
}

fn core(plan: &Plan) -> String {
    let mut sql = include_str!("../../company/schema.core.sql").to_owned();
    let emails = emails(plan);
    let rows = (1..=plan.users).map(|id| {
        let email = emails[id as usize - 1].as_ref().map_or("NULL".to_owned(), |email| format!("'{email}'"));
        let status = if id > plan.users - plan.disabled { "deleted" } else { "active" };
        format!("({id}, {email}, '{status}', '2024-01-01 00:00:00')")
    });
    insert(&mut sql, "users (id, email, status, created_at)", rows);
    let expired = plan.expired_sessions + plan.held_sessions;
    let rows = (1..=expired + plan.live_sessions).map(|id| {
        let user = if id <= plan.held_sessions { 1 + id % 3 } else { 4 + id % 100 };
        let when = if id <= expired { "NOW() - INTERVAL 2 DAY" } else { "NOW() + INTERVAL 2 DAY" };
        format!("({id}, {user}, 'token-{id}', {when})")
    });
    insert(&mut sql, "user_sessions (id, user_id, session_token, expires_at)", rows);
    let roles = [
        (plan.expired_roles, "NOW() - INTERVAL 1 DAY", 1, false),
        (plan.ended_roles, "NOW() - INTERVAL 1 DAY", 0, false),
        (plan.live_roles, "NOW() + INTERVAL 30 DAY", 1, false),
        (plan.lost_roles, "NULL", 1, true),
    ];
    let mut id = 0;
    let mut rows = vec![];
    for (count, when, active, lost) in roles {
        for _ in 0..count {
            id += 1;
            let user = if lost { 900_000 + id } else { 1 + id % 100 };
            rows.push(format!("({id}, {user}, 1, {when}, {active})"));
        }
    }
    insert(&mut sql, "user_roles (id, user_id, role_id, expires_at, is_active)", rows.into_iter());
    let rows = (1..=plan.stale_ai + plan.fresh_ai).map(|id| {
        let when = if id <= plan.stale_ai { "NOW() - INTERVAL 1 HOUR" } else { "NOW() + INTERVAL 1 HOUR" };
        format!("({id}, 'key-{id}', '{{}}', {when})")
    });
    insert(&mut sql, "ai_cache (id, cache_key, cache_data, expires_at)", rows);
    sql
}

/// Each person's email. The second of a pair stands right behind the first.
fn emails(plan: &Plan) -> Vec<Option<String>> {
    let mut emails: Vec<Option<String>> = vec![];
    for pair in 0..plan.same_but_case {
        emails.extend([Some(format!("li.wei{pair}@example.com")), Some(format!("Li.Wei{pair}@EXAMPLE.com"))]);
    }
    for pair in 0..plan.same_but_form {
        emails.extend([Some(format!("anna{pair}@{}", DOMAIN.0)), Some(format!("anna{pair}@{}", DOMAIN.1))]);
    }
    for pair in 0..plan.plus_tags {
        emails.extend([Some(format!("mai{pair}@example.com")), Some(format!("mai{pair}+news@example.com"))]);
    }
    emails.extend((0..plan.no_email).map(|_| None));
    // Letters that some collations take for others, and that are other addresses all the same.
    emails.extend(
        ["josé@example.com", "jose@example.com", "straße@example.com", "strasse@example.com"].map(|one| Some(one.to_owned())),
    );
    let left = plan.users as usize - emails.len();
    emails.extend((0..left).map(|id| Some(format!("user{id}@example.com"))));
    emails
}

fn platform(plan: &Plan) -> String {
    let mut sql = include_str!("../../company/schema.platform.sql").to_owned();
    let rows = (1..=plan.old_records + plan.young_records).map(|id| {
        let when = if id <= plan.old_records { "now() - interval '8 months'" } else { "now() - interval '2 months'" };
        format!("({id}, {}, {}.25, {when})", 1 + id % 7, id % 90)
    });
    insert(&mut sql, "financial_management.consumption_record (id, workspace_id, amount, created_at)", rows);
    let lost = (1..=plan.lost_vectors).map(|id| plan.users + 1000 + id);
    let rows = (1..=plan.users).step_by(2).chain(lost).map(|id| format!("({id}, '[0.25, 0.5]')"));
    insert(&mut sql, "user_embeddings (user_id, embedding_vector)", rows);
    sql
}

fn small(plan: &Plan) -> String {
    let mut sql = include_str!("../../company/schema.small.sql").to_owned();
    let young = plan.old_grades + plan.young_grades;
    let rows = (1..=young + plan.wrong_grades).map(|id| {
        let when = if id <= plan.old_grades { "-200 days" } else { "-10 days" };
        let score = if id > young { 101 + id % 50 } else { id % 101 };
        format!("({id}, 'class-{}', {score}, strftime('%Y-%m-%d %H:%M:%S', 'now', '{when}'))", id % 4)
    });
    insert(&mut sql, "grading_results (id, class, score, created_at)", rows);
    sql
}

fn insert(sql: &mut String, into: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    if !rows.is_empty() {
        let _ = write!(sql, "\nINSERT INTO {into} VALUES {};", rows.join(",\n"));
    }
}

/// Keys. No person has two in one pattern.
fn cache(plan: &Plan) -> String {
    let mut script = String::new();
    let mut person = 0;
    let mut set = |key: &dyn Fn(u64) -> (String, String), count: u64, ttl: Option<u64>| {
        for _ in 0..count {
            person += 1;
            let (key, value) = key(person);
            let _ = writeln!(script, "SET {key} {value}{}", ttl.map(|ttl| format!(" EX {ttl}")).unwrap_or_default());
        }
    };
    let gone = plan.users + 5_000;
    let cached = |id: u64| (format!("cache:user:{id}"), format!("copy-{id}"));
    set(&cached, plan.cached, Some(1_500));
    set(&cached, plan.cached_without_ttl, None);
    set(&cached, plan.cached_too_long, Some(86_400));
    set(&|id| cached(gone + id), plan.cached_of_nobody, Some(1_500));
    let resume = |id: u64| (format!("cache:resume:{id}"), "cv".to_owned());
    set(&resume, plan.resumes, Some(3_000));
    set(&resume, plan.resumes_without_ttl, None);
    set(&|id| (format!("analytics:daily:{id}"), "1".to_owned()), plan.analytics_without_ttl, None);
    let active = plan.users - plan.disabled;
    let session = |id: u64| (format!("user:session:{id}"), "state".to_owned());
    // People 1 to `session_keys` have a session.
    for id in 1..=plan.session_keys {
        let (key, value) = session(id);
        let _ = writeln!(script, "SET {key} {value} EX 3000");
    }
    let off: Vec<u64> = (active + 1..=plan.users).collect();
    for id in off.iter().take(plan.session_keys_of_disabled as usize) {
        let (key, value) = session(*id);
        let _ = writeln!(script, "SET {key} {value} EX 3000");
    }
    let mut tokens = |count: u64, owner: &dyn Fn(u64) -> u64, ttl: &str, word: &str| {
        for at in 0..count {
            let _ = writeln!(script, "SET user:token:{word}{at} {}{ttl}", owner(at));
        }
    };
    tokens(plan.tokens, &|at| 1 + at % plan.session_keys, " EX 7000", "good");
    tokens(plan.tokens_without_ttl, &|at| 1 + at % plan.session_keys, "", "endless");
    tokens(plan.tokens_of_nobody, &|at| gone + at, " EX 7000", "lost");
    tokens(plan.tokens_without_session, &|at| plan.session_keys + 1 + at, " EX 7000", "ended");
    for at in 0..plan.strays {
        let _ = writeln!(script, "SET queue:mail:{at} x EX 600");
    }
    script
}

fn graph(plan: &Plan) -> String {
    // People with nodes are 1 to `known`; the first of them are lonely.
    let known = plan.users - plan.no_node;
    let first_level_fault = plan.lonely_people + 1;
    let last_level_fault = plan.lonely_people + plan.out_of_range;
    let extra = plan.users + 7_000;
    format!(
        "CREATE CONSTRAINT person{{{{graph}}}} FOR (n:User{{{{graph}}}}) REQUIRE n.id IS UNIQUE;\n\
         UNWIND range(1, {known}) AS id CREATE (:User{{{{graph}}}} {{id: id, silicon_level: CASE WHEN id >= {first_level_fault} AND id <= {last_level_fault} THEN 9 ELSE id % 6 END}});\n\
         UNWIND range(1, {}) AS id CREATE (:User{{{{graph}}}} {{id: {extra} + id, silicon_level: 1}});\n\
         UNWIND range(1, 5) AS id CREATE (:Skill{{{{graph}}}} {{id: 's' + id}});\n\
         UNWIND range(1, {}) AS id CREATE (:Skill{{{{graph}}}} {{id: 'unused' + id}});\n\
         MATCH (n:User{{{{graph}}}}), (s:Skill{{{{graph}}}} {{id: 's' + (1 + n.id % 5)}}) WHERE n.id > {} CREATE (n)-[:HAS_SKILL{{{{graph}}}}]->(s);\n\
         MATCH (n:User{{{{graph}}}})-[:HAS_SKILL{{{{graph}}}}]->(s:Skill{{{{graph}}}}) WHERE n.id > {} AND n.id <= {} CREATE (n)-[:HAS_SKILL{{{{graph}}}}]->(s);\n\
         UNWIND range(1, {}) AS id CREATE (:Event{{{{graph}}}} {{id: id, created_at: datetime() - duration('P60D')}});\n\
         UNWIND range(1, {}) AS id CREATE (:Event{{{{graph}}}} {{id: 1000 + id, created_at: datetime() - duration('P5D')}});\n",
        plan.no_person,
        plan.lonely_skills,
        plan.lonely_people,
        plan.lonely_people,
        plan.lonely_people + plan.doubled,
        plan.old_events,
        plan.young_events,
    )
}

#[test]
fn the_two_forms_of_the_domain_are_one() {
    assert_eq!(idna::domain_to_ascii(DOMAIN.0).unwrap(), DOMAIN.1);
}
