//! `steward audit`: whether the evidence is whole, and all of it for whoever wants to look elsewhere.

use super::app::{App, ledger_if_any, no_ledger};
use super::{Ended, Globals, exit::Exit, out};
use crate::job::outcome::Outcome;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::fault::{Expected, Verification};
use crate::report::format::plural;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;

/// The shortest part of a head that the ledger looks for; less could fit by rng.
const SHORTEST_HEAD: usize = 12;
/// Faults told as text; all of them are in the JSON.
const TOLD: usize = 50;
/// Events read at once.
const PAGE: u32 = 1_000;

/// Verify or export the evidence
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(VerifyChain),
    Export(ExportEvents),
}

/// Find any edit, gap or cut tail; exits with 1 when there is one
#[derive(Debug, Args)]
struct VerifyChain {
    /// The ledger head of a mailed report: proves that nothing up to it was cut off or rewritten
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Print every event as a line of JSON, as it was hashed
#[derive(Debug, Args)]
struct ExportEvents {
    /// Only what follows this event
    #[arg(long, value_name = "EVENT", default_value_t = 0)]
    after: i64,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        match self.what {
            What::Verify(verify) => verify.run(&globals.config).await,
            What::Export(export) => export.run(&globals.config).await,
        }
    }
}

#[derive(Serialize)]
struct Verified<'a> {
    whole: bool,
    #[serde(flatten)]
    verification: &'a Verification,
}

impl VerifyChain {
    async fn run(self, path: &Path) -> Ended {
        let head = self.head.as_deref().map(hash).transpose()?;
        let config = App::config(path)?;
        let ledger = match Ledger::open_existing(&config.ledger).await {
            Ok(Some(ledger)) => ledger,
            Ok(None) => return self.nothing(&config.ledger.display().to_string()),
            Err(error) => return Err(broken(&error)),
        };
        let verification = ledger
            .verify_with_reports(head.as_deref(), Some(&config.state.join("reports")))
            .await
            .map_err(|error| broken(&error))?;
        if self.json {
            out::json(&Verified { whole: verification.is_whole(), verification: &verification })?;
        } else {
            out::say(&told(&verification))?;
        }
        Ok(if verification.is_whole() { Exit::quiet() } else { Exit::of(Outcome::Findings, &first(&verification)) })
    }

    /// No ledger is no proof, whoever removed it or never began one.
    fn nothing(&self, path: &str) -> Ended {
        let since = if self.head.is_some() { ", and a head of it is known" } else { "" };
        Err(Exit::of(Outcome::Findings, &format!("there is no ledger `{path}`{since}: nothing proves what was done"))
            .with_help("the first `run-job` makes it; one that was there is restored from a backup"))
    }
}

/// A head as people copy it from a mail.
fn hash(text: &str) -> Result<String, Exit> {
    let text = text.trim().to_lowercase();
    let hex = text.chars().all(|c| c.is_ascii_hexdigit());
    if hex && (SHORTEST_HEAD..=64).contains(&text.len()) {
        return Ok(text);
    }
    Err(Exit::usage("`--head` is 12 to 64 hexadecimal digits: the ledger head that a report ends with; nothing was verified"))
}

/// A ledger that cannot even be opened: damage is a finding, the rest is not for the chain to answer for.
fn broken(error: &LedgerError) -> Exit {
    use LedgerError::{Damaged, Garbled, NotADatabase, NotALedger};
    match error {
        Damaged { .. } | Garbled { .. } | NotADatabase { .. } | NotALedger { .. } => {
            Exit::of(Outcome::Findings, &error.to_string()).with_help(error.help())
        }
        other => no_ledger(other),
    }
}

fn told(verification: &Verification) -> String {
    let Verification { events, runs, first, last, head, expected, unchecked_reports, faults } = verification;
    let span = match (first, last) {
        (Some(first), Some(last)) => format!(", from {first} to {last}"),
        _ => String::new(),
    };
    let mut text = format!("{} of {}{span}\n", plural(*events, "event"), plural(*runs, "run"));
    text.extend(head.iter().map(|head| format!("head {} (event {})\n", head.hash, head.seq)));
    match expected {
        Some(Expected::Found { seq, since }) => {
            text += &format!("the head that was asked for is event {seq}, {} came since\n", plural(*since, "event"));
        }
        Some(Expected::Missing) => {
            text += "the head that was asked for is not in the chain: its tail was cut off, or it was rewritten\n"
        }
        None => {}
    }
    text.extend(faults.iter().take(TOLD).map(|fault| format!("broken: {fault}\n")));
    if faults.len() > TOLD {
        text += &format!("broken: and {} more\n", faults.len() - TOLD);
    }
    if *unchecked_reports > 0 {
        let many = plural(*unchecked_reports, "run");
        text += &format!("the report files of {many} were not checked: an older steward did not write down their hashes\n");
    }
    if verification.is_whole() {
        text += "whole: nothing was edited, removed, moved or put there\n";
        if expected.is_none() {
            text += "a tail that was cut off shows only against a head kept elsewhere: `--head HASH`, from any mailed report\n";
        }
    }
    text
}

/// The place that the last line names.
fn first(verification: &Verification) -> String {
    let missing =
        (verification.expected == Some(Expected::Missing)).then(|| "the head that was asked for is not in the chain".to_owned());
    let mut faults = verification.faults.iter().map(ToString::to_string).chain(missing);
    let first = faults.next().unwrap_or_default();
    match faults.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}

impl ExportEvents {
    async fn run(self, path: &Path) -> Ended {
        let config = App::config(path)?;
        let ledger = ledger_if_any(&config).await?;
        let mut after = self.after;
        let mut count = 0_u64;
        out::say(if self.json { "{ \"events\": [" } else { "" })?;
        while let Some(ledger) = &ledger {
            let page = ledger.events_after(after, PAGE).await.map_err(|error| no_ledger(&error))?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            let mut lines = String::new();
            for link in &page {
                let line = serde_json::to_string(link).map_err(|error| Exit::of(Outcome::Partial, &error.to_string()))?;
                lines += &match (self.json, count) {
                    (false, _) => line + "\n",
                    (true, 0) => format!("\n{line}"),
                    (true, _) => format!(",\n{line}"),
                };
                count += 1;
            }
            out::say(&lines)?;
        }
        out::say(if self.json { "\n] }\n" } else { "" })?;
        Ok(Exit::quiet())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fault::Fault;

    #[test]
    fn a_head_is_hexadecimal_and_long_enough_not_to_fit_by_chance() {
        assert_eq!(hash(" 0123456789AB "), Ok("0123456789ab".to_owned()));
        for text in ["", "0123", "x123456789ab", &"a".repeat(65)] {
            assert_eq!(hash(text).unwrap_err().code(), 2, "{text}");
        }
    }

    #[test]
    fn the_last_line_names_the_first_place_and_how_many_more() {
        let faults = vec![Fault::Edited { seq: 3 }, Fault::Gap { after: 4, next: 6 }];
        let verification = Verification {
            events: 9,
            runs: 1,
            first: None,
            last: None,
            head: None,
            expected: Some(Expected::Missing),
            unchecked_reports: 0,
            faults,
        };
        assert_eq!(first(&verification), "event 3 was edited: its content is not what was hashed (and 2 more)");
        assert!(told(&verification).contains("broken: event 5 is missing\n"));
    }
}
