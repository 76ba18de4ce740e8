//! `steward doctor`: whether everything a run needs is there, before a run needs it.

use super::app::{App, Closed, address};
use super::exit::Exit;
use super::health::{Check, Verdict, mark};
use super::table::listing;
use super::{Ended, Globals, out};
use super::{health_jobs, health_mail};
use crate::actions::expire::{rights, uncovered};
use crate::config::settings::Config;
use crate::config::store::StoreConfig;
use crate::file_owner;
use crate::job::outcome::Outcome;
use crate::ledger::Ledger;
use crate::policy::dataset::DatasetName;
use crate::policy::expiry::Expiring;
use crate::policy::policies::Policies;
use crate::report::format::plural;
use crate::store::address::StoreLocation;
use crate::store::answer::Ping;
use crate::store::error::StoreFailure;
use crate::store::file_access::UNWRITABLE;
use crate::store::neo4j::store::GraphStore;
use crate::store::redis::store::KeyStore;
use crate::store::registry::{AnyStore, Stores};
use crate::store::sql::batch::grants::Use;
use crate::store::sql::session::store::Store;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A clock further off than this makes "older than" mean something else there than here.
const SKEW_SECONDS: i64 = 5;

/// Check what runs need: stores, rights, clocks, ledger, state folder, mail
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Say hello to the mail server too, without sending
    #[arg(long)]
    mail: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Checked<'a> {
    outcome: Outcome,
    checks: &'a [Check],
}

impl Doctor {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        let config = App::config(&globals.config)?;
        let (declared, known) = declarations(&globals.config).await;
        let receivers = known.as_ref().map(|app| health_mail::receivers(&app.declarations)).unwrap_or_default();
        let policies = known.as_ref().map(|app| &app.declarations.policies);
        let mut checks = vec![declared];
        for store in &config.stores {
            checks.extend(of_store(store, &config, policies).await);
        }
        if let Some(app) = &known {
            checks.extend(Box::pin(health_jobs::jobs(app)).await);
        }
        checks.push(state(&config.state));
        checks.extend(left_behind(&config));
        checks.extend(ledger(&config.ledger).await);
        checks.extend(health_mail::waiting(&config.state));
        if self.mail {
            checks.extend(health_mail::server(&config, &receivers).await);
        }
        self.end(&checks)
    }

    fn end(&self, checks: &[Check]) -> Ended {
        let outcome = outcome(checks);
        if self.json {
            out::json(&Checked { outcome, checks })?;
        } else {
            out::say(&told(checks))?;
        }
        let wrong = checks.iter().filter(|check| matches!(check.verdict, Verdict::Away | Verdict::Fail)).count() as u64;
        Ok(if wrong == 0 { Exit::quiet() } else { Exit::of(outcome, &format!("{} failed", plural(wrong, "check"))) })
    }
}

/// 75 when everything that fails may pass by itself, 3 otherwise.
fn outcome(checks: &[Check]) -> Outcome {
    let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
    match (any(Verdict::Fail), any(Verdict::Away)) {
        (true, _) => Outcome::Partial,
        (false, true) => Outcome::Temporary,
        (false, false) => Outcome::Done,
    }
}

fn told(checks: &[Check]) -> String {
    let lines = checks.iter().flat_map(|check| {
        let first = [mark(check.verdict).to_owned(), check.what.clone(), check.told.clone()];
        let help = check.help.iter().map(|help| [String::new(), String::new(), format!("help: {help}")]);
        std::iter::once(first).chain(help).collect::<Vec<_>>()
    });
    listing(["", "CHECK", "STATUS"], lines)
}

/// All declarations, policy tables included; a store that keeps them and is away fails its own check too.
async fn declarations(path: &Path) -> (Check, Option<App>) {
    const WHAT: &str = "declarations";
    match App::look(path).await {
        Ok((app, warnings)) => {
            let (policies, jobs) = (&app.declarations.policies, &app.declarations.jobs);
            let told = format!("lifecycle policies: {}, jobs: {}", policies.lifecycle.len(), jobs.len());
            let check = match warnings.warnings().count() as u64 {
                0 => Check::ok(WHAT, told),
                some => Check::not(
                    WHAT,
                    Verdict::Warn,
                    format!("{told}, {}", plural(some, "warning")),
                    "`steward validate` shows them",
                ),
            };
            (check, Some(app))
        }
        Err(Closed::Wrong(diagnosis)) => {
            let told = format!("{}: no run begins", plural(diagnosis.errors() as u64, "error"));
            (Check::not(WHAT, Verdict::Fail, told, "`steward validate` shows them"), None)
        }
        Err(Closed::Away(end)) => {
            let verdict = if end.code() == Outcome::Temporary.exit() { Verdict::Away } else { Verdict::Fail };
            (Check::not(WHAT, verdict, end.why(), ""), None)
        }
    }
}

/// Reached, in time, over what, and allowed what the policies need.
async fn of_store(declared: &StoreConfig, config: &Config, policies: Option<&Policies>) -> Vec<Check> {
    let what = format!("store {}", declared.name);
    let stores = match address(declared, &config.base) {
        Ok(address) => Stores::new([address]),
        Err(end) => return vec![Check::not(&what, Verdict::Fail, end.why(), "")],
    };
    let store = match stores.as_ref().map(|stores| stores.any(&declared.name)) {
        Ok(Ok(AnyStore::Graph(store))) => return of_graph(&what, store, policies).await,
        Ok(Ok(AnyStore::Keys(store))) => return of_keys(&what, store, policies).await,
        Ok(Ok(_)) => stores.as_ref().map(|stores| stores.get(&declared.name)),
        Ok(Err(failure)) => Ok(Err(failure)),
        Err(failure) => Err(failure),
    };
    let store = match store {
        Ok(Ok(store)) => store,
        Ok(Err(failure)) => return vec![Check::failure(&what, &failure)],
        Err(failure) => return vec![Check::failure(&what, failure)],
    };
    let ping = match store.ping().await {
        Ok(ping) => ping,
        Err(failure) => return vec![Check::failure(&what, &failure)],
    };
    let mut checks = vec![reached(&what, &ping)];
    checks.extend(clock(&what, &ping));
    if let StoreLocation::Server { .. } = store.location() {
        checks.push(in_clear(&what, &ping, store.is_here()));
    }
    if let Some(policies) = policies {
        if changes(policies, store.name()) {
            checks.push(writes(&format!("{what}: writes"), store.refuse_unfit("doctor").await));
        }
        let used = uses(policies, store.name());
        checks.push(rights(&what, store, &used).await);
        checks.extend(marks(&format!("{what}: marks"), store, &used).await);
    }
    checks
}

/// Whether what runs would do is done at all.
fn writes(what: &str, answer: Result<(), StoreFailure>) -> Check {
    match answer {
        Ok(()) => Check::ok(what, "taken, under settings that leave their meaning alone"),
        Err(failure) => Check::failure(what, &failure),
    }
}

/// The same for a store with nodes. What its user may do is not asked: Neo4j Community knows no privileges.
async fn of_graph(what: &str, store: &GraphStore, policies: Option<&Policies>) -> Vec<Check> {
    match store.ping().await {
        Ok(ping) => {
            let mut checks = vec![reached(what, &ping)];
            checks.extend(clock(what, &ping));
            checks.push(in_clear(what, &ping, store.is_here()));
            if policies.is_some_and(|policies| changes(policies, store.name())) {
                checks.push(writes(&format!("{what}: writes"), store.refuse_read_only("doctor").await));
            }
            checks
        }
        Err(failure) => vec![Check::failure(what, &failure)],
    }
}

/// The same for a store with keys.
async fn of_keys(what: &str, store: &KeyStore, policies: Option<&Policies>) -> Vec<Check> {
    let ping = match store.ping().await {
        Ok(ping) => ping,
        Err(failure) => return vec![Check::failure(what, &failure)],
    };
    let user = store.user().map(|user| format!(" as {user}")).unwrap_or_default();
    let servers = if ping.servers > 1 { format!(", {} servers", ping.servers) } else { String::new() };
    let latency = ping.latency.as_secs_f64() * 1000.0;
    let told = format!("{}{user}{servers}, `maxmemory-policy` {}, answers in {latency:.1} ms", ping.version, ping.eviction);
    let tls = match (store.is_sealed(), store.is_here()) {
        (true, _) => Check::ok(&format!("{what}: TLS"), "yes, and the server's certificate is checked"),
        (false, true) => Check::ok(&format!("{what}: TLS"), "none, and none is needed: the store is on this machine"),
        (false, false) => Check::not(
            &format!("{what}: TLS"),
            Verdict::Warn,
            "none: what travels there can be read on the way",
            "write `rediss://` in the url, and name a private authority with `ca`",
        ),
    };
    let mut checks = vec![Check::ok(what, told), tls];
    if let Some(policies) = policies {
        checks.push(rights_on_keys(&format!("{what}: rights"), store, policies).await);
    }
    checks
}

async fn rights_on_keys(what: &str, store: &KeyStore, policies: &Policies) -> Check {
    let patterns = uncovered::ended(policies, store.name());
    match store.lacks(&patterns, &rights::asked_for(policies, store.name())).await {
        Ok(Some(lacks)) if lacks.is_empty() => {
            Check::ok(what, format!("enough for {}", plural(patterns.len() as u64, "pattern")))
        }
        Ok(Some(lacks)) => {
            let help = "`steward plan --sql` prints the commands that jobs need";
            Check::not(what, Verdict::Fail, format!("missing: {}", lacks.join(", ")), help)
        }
        Ok(None) => Check::ok(what, "not known: the account may not ask for them (`ACL WHOAMI`, `ACL DRYRUN`)"),
        Err(failure) => Check::failure(what, &failure),
    }
}

fn reached(what: &str, ping: &Ping) -> Check {
    let user = ping.user.as_ref().map(|user| format!(" as {user}")).unwrap_or_default();
    let told = format!("{}{user}, answers in {:.1} ms", ping.version, ping.latency.as_secs_f64() * 1000.0);
    match &ping.unwritable {
        None => Check::ok(what, told),
        Some(why) => Check::not(what, Verdict::Fail, format!("{told}; {why}"), UNWRITABLE),
    }
}

fn clock(what: &str, ping: &Ping) -> Option<Check> {
    let ahead = ping.ahead?;
    let what = format!("{what}: clock");
    let seconds = ahead.as_seconds_f64().abs();
    let told = format!("{seconds:.1} s {} ours", if ahead.num_milliseconds() < 0 { "behind" } else { "ahead of" });
    let near = ahead.num_seconds().abs() < SKEW_SECONDS;
    let help = "rows are dated by the store's clock and cut by ours: let both follow the same time server";
    Some(if near { Check::ok(&what, told) } else { Check::not(&what, Verdict::Warn, told, help) })
}

fn in_clear(what: &str, ping: &Ping, is_here: bool) -> Check {
    let what = format!("{what}: TLS");
    if ping.is_behind {
        let seen = ping.tls.as_deref().map_or("the server sees none".to_owned(), |version| format!("the server sees {version}"));
        let told = format!("{seen}, and a pooler, a proxy or a mapped port stands between: of our side nothing is known");
        let help = "let both of its sides ask for TLS (PgBouncer: `client_tls_sslmode`, `server_tls_sslmode`)";
        return if is_here || ping.tls.is_some() { Check::ok(&what, told) } else { Check::not(&what, Verdict::Warn, told, help) };
    }
    match &ping.tls {
        Some(version) => Check::ok(&what, version.clone()),
        None if is_here => Check::ok(&what, "none, and none is needed: the store is on this machine"),
        None => {
            let help = "give the store a certificate, and name its authority with `ca`";
            Check::not(&what, Verdict::Warn, "none: what travels there can be read on the way", help)
        }
    }
}

async fn rights(what: &str, store: &Store, used: &[(DatasetName, Use)]) -> Check {
    let what = format!("{what}: rights");
    let (mut missing, mut absent) = (vec![], vec![]);
    for (dataset, used) in used {
        match store.lacks(dataset, *used).await {
            Ok(lacks) => missing.extend(lacks),
            Err(StoreFailure::Refused { text, .. }) => absent.push(text),
            Err(failure) => return Check::failure(&what, &failure),
        }
    }
    missing.sort();
    missing.dedup();
    let help = "`steward plan --sql` prints the grants that jobs need";
    match (missing.is_empty(), absent.is_empty()) {
        (true, true) => Check::ok(&what, format!("enough for {}", plural(used.len() as u64, "dataset"))),
        (false, _) => Check::not(&what, Verdict::Fail, format!("missing: {}", missing.join(", ")), help),
        (true, false) => Check::not(&what, Verdict::Fail, absent.join("; "), "`steward validate --connect` tells more"),
    }
}

/// True where active policies remove, change or refresh something in a store.
fn changes(policies: &Policies, store: &str) -> bool {
    !uses(policies, store).is_empty() || policies.views.iter().any(|view| view.dataset.store == store)
}

/// Whether batches can leave their mark; nothing where no rows are removed or changed.
async fn marks(what: &str, store: &Store, used: &[(DatasetName, Use)]) -> Option<Check> {
    let mut missing = vec![];
    let mut changed = used.iter().filter(|(_, used)| used.removes || used.marks).map(|(dataset, _)| dataset).peekable();
    changed.peek()?;
    for dataset in changed {
        match store.lacks_marks(dataset).await {
            Ok(lacks) => missing.extend(lacks),
            // The check of rights says so.
            Err(StoreFailure::Refused { .. }) => {}
            Err(failure) => return Some(Check::failure(what, &failure)),
        }
    }
    missing.sort();
    missing.dedup();
    Some(if missing.is_empty() {
        Check::ok(what, "batches leave one in `steward_batches`")
    } else {
        let told = format!("none are left, and an interrupted batch is settled as unclear; missing: {}", missing.join(", "));
        Check::not(what, Verdict::Warn, told, "`steward plan JOB --sql` prints the table and the grants that it needs")
    })
}

/// What active policies do with the datasets of a store.
fn uses(policies: &Policies, store: &str) -> Vec<(DatasetName, Use)> {
    let mut uses: Vec<(DatasetName, Use)> = vec![];
    let mut add = |dataset: &DatasetName, new: Use| match uses.iter_mut().find(|(known, _)| known == dataset) {
        Some((_, known)) => {
            known.removes |= new.removes;
            known.marks |= new.marks;
            known.fills |= new.fills;
            known.makes |= new.makes;
        }
        None => uses.push((dataset.clone(), new)),
    };
    for policy in policies.lifecycle.iter().filter(|policy| policy.active && policy.dataset.store == store) {
        let live = Use { removes: true, ..Use::default() };
        add(&policy.dataset, live);
        if let Some(step) = &policy.archive {
            add(&step.to, Use { removes: policy.delete.is_some(), fills: true, makes: step.create, ..Use::default() });
        }
    }
    for expiry in policies.sessions.iter().chain(&policies.cache) {
        if let Expiring::Rows(rows) = &expiry.of
            && rows.dataset.store == store
        {
            let removes = rows.set.is_empty();
            add(&rows.dataset, Use { removes, marks: !removes, ..Use::default() });
        }
    }
    uses
}

/// The folder that takes reports, spooled mail and the default ledger.
fn state(folder: &Path) -> Check {
    let probe = folder.join(format!(".steward-doctor-{}", std::process::id()));
    let tried = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, "doctor\n"))
        .and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Check::ok("state folder", format!("`{}` can be written", folder.display())),
        Err(error) => Check::not(
            "state folder",
            Verdict::Fail,
            format!("`{}`: {error}", folder.display()),
            "reports and mails that wait are kept there: let the user that runs steward write it",
        ),
    }
}

/// Files that whoever owns the state folder, or the ledger's, cannot write: jobs of the service would end there.
fn left_behind(config: &Config) -> Option<Check> {
    let ledger = config.ledger.parent().filter(|folder| !folder.starts_with(&config.state));
    // The ledger, what SQLite puts beside it, and the folder of its locks; other files there are none of ours.
    let of_ledger =
        |path: &PathBuf| path.as_os_str().as_encoded_bytes().starts_with(config.ledger.as_os_str().as_encoded_bytes());
    let of_ledger = ledger.map(file_owner::strangers).unwrap_or_default().into_iter().filter(of_ledger);
    let left: Vec<PathBuf> = file_owner::strangers(&config.state).into_iter().chain(of_ledger).collect();
    let first = left.first()?;
    let text = match left.len() as u64 {
        1 => format!("`{}` cannot be written by the owner of its folder", first.display()),
        some => {
            format!("{}, `{}` the first, cannot be written by the owner of their folder", plural(some, "file"), first.display())
        }
    };
    let folder = if first.starts_with(&config.state) { &config.state } else { ledger? };
    let folder = folder.display();
    let help = format!("another user left them there: `chown -R --reference='{folder}' '{folder}'`");
    Some(Check::not("state folder: files", Verdict::Fail, text, help))
}

/// Writable, and whole.
async fn ledger(path: &Path) -> Vec<Check> {
    const WHAT: &str = "ledger";
    let failed = |error: &crate::ledger::error::LedgerError| {
        let verdict = if error.is_busy() { Verdict::Away } else { Verdict::Fail };
        Check::not(WHAT, verdict, error.to_string(), error.help())
    };
    let opened = match Ledger::open(path).await {
        Ok(ledger) => ledger,
        Err(error) => return vec![failed(&error)],
    };
    let verified = opened.verify(None).await;
    opened.close().await;
    let chain = match verified {
        Err(error) => failed(&error),
        Ok(verification) if verification.is_whole() => {
            Check::ok("ledger: chain", format!("whole, {}", plural(verification.events, "event")))
        }
        Ok(verification) => {
            let first = verification.faults.first().map(ToString::to_string).unwrap_or_default();
            Check::not("ledger: chain", Verdict::Fail, first, "`steward audit verify` tells all")
        }
    };
    vec![Check::ok(WHAT, format!("`{}` can be written", path.display())), chain]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(verdicts: &[Verdict]) -> Vec<Check> {
        verdicts.iter().map(|verdict| Check::not("x", *verdict, "y", "")).collect()
    }

    #[test]
    fn what_may_pass_by_itself_is_temporary_and_anything_else_is_not() {
        use Verdict::{Away, Fail, Ok, Warn};
        assert_eq!(outcome(&checks(&[Ok, Warn])), Outcome::Done);
        assert_eq!(outcome(&checks(&[Ok, Away])), Outcome::Temporary);
        assert_eq!(outcome(&checks(&[Fail, Away])), Outcome::Partial);
    }

    #[test]
    fn every_line_says_in_a_word_how_it_is() {
        let text = told(&checks(&[Verdict::Ok, Verdict::Fail]));
        assert!(text.contains("✓ ok") && text.contains("✗ fail"), "{text}");
    }
}
