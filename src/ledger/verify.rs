//! Whether the evidence is whole: the chain by itself, and the tables against the chain.

use super::chain::{GENESIS, Head, Link, sha256, stamp};
use super::event::{Event, ReportFile};
use super::fault::{Expected, Fault, Table, Verification};
use super::finding::{self, FindingText};
use super::hold::LedgerHold;
use super::run::RunRow;
use std::collections::BTreeMap;
use std::path::Path;

/// The shortest part of a head that is looked for; less could fit by chance.
const SHORTEST_HEAD: usize = 12;

/// A row as text, by column.
pub type RowText = BTreeMap<String, Option<String>>;

/// Reads the chain once, link by link, and then the rows that should follow from it. Knows no database.
#[derive(Debug, Default)]
pub struct Verifier {
    expected: Option<String>,
    found: Option<i64>,
    events: u64,
    runs: u64,
    first: Option<String>,
    last: Option<Link>,
    faults: Vec<Fault>,
    rows: BTreeMap<(Table, String), RowText>,
    findings: BTreeMap<String, Vec<FindingText>>,
    damaged: bool,
    /// Only what runs trust: holds and open batches.
    trusted_only: bool,
    reports: Vec<ReportFile>,
    unchecked_reports: u64,
    /// The jobs of runs, and what the open batches are about: what an outcome's pass is a pass of.
    jobs: BTreeMap<String, String>,
    batches: BTreeMap<String, (String, String)>,
    passes: BTreeMap<String, Option<String>>,
}

impl Verifier {
    /// A verifier that looks for a head, too: 64 hex digits, or their first twelve and more.
    pub fn new(expected: Option<&str>) -> Self {
        Self { expected: expected.map(|head| head.trim().to_ascii_lowercase()), ..Self::default() }
    }

    /// A verifier of what runs trust, which may be shown more and more of a chain that grows.
    pub fn of_what_runs_trust() -> Self {
        Self { trusted_only: true, ..Self::default() }
    }

    /// The last event that was seen.
    pub fn seen(&self) -> Option<Head> {
        self.last.as_ref().map(Link::head)
    }

    /// The first thing wrong in the chain, or in all rows of a table.
    pub fn first_fault(&self, table: Table, rows: &[RowText]) -> Option<Fault> {
        if let Some(fault) = self.faults.first() {
            return Some(fault.clone());
        }
        for row in rows {
            let id = row.get("id").cloned().flatten().unwrap_or_default();
            let Some(expected) = self.rows.get(&(table, id.clone())) else { return Some(Fault::RowForeign { table, id }) };
            if let Some(column) = difference(expected, row) {
                return Some(Fault::Row { table, id, column });
            }
        }
        let is_there = |id: &String| rows.iter().any(|row| row.get("id").and_then(Option::as_ref) == Some(id));
        let gone = self.rows.keys().find(|(of, id)| *of == table && !is_there(id));
        gone.map(|(table, id)| Fault::RowGone { table: *table, id: id.clone() })
    }

    /// The file's own tables are not, or not only, ours.
    pub fn schema(&mut self, place: String) {
        self.faults.push(Fault::Schema { place });
    }

    /// Looks at the files of reports in their folder.
    pub fn look_at_reports(&mut self, folder: &Path) {
        for ReportFile { name, sha256: expected } in std::mem::take(&mut self.reports) {
            match std::fs::read(folder.join(&name)) {
                Err(_) => self.faults.push(Fault::ReportGone { file: name }),
                Ok(bytes) if sha256(&bytes) != expected => self.faults.push(Fault::ReportEdited { file: name }),
                Ok(_) => {}
            }
        }
    }

    /// Takes the next event.
    pub fn see(&mut self, link: Link) {
        let (seq, hash) = self.last.as_ref().map_or((0, GENESIS), |last| (last.seq, &last.hash));
        if link.seq != seq + 1 {
            self.faults.push(Fault::Gap { after: seq, next: link.seq });
        } else if link.prev != hash {
            self.faults.push(Fault::Unlinked { seq: link.seq });
        }
        if link.computed() != link.hash {
            self.faults.push(Fault::Edited { seq: link.seq });
        }
        if self.expected.as_ref().is_some_and(|head| head.len() >= SHORTEST_HEAD && link.hash.starts_with(head.as_str())) {
            self.found = Some(link.seq);
        }
        self.events += 1;
        self.first.get_or_insert_with(|| link.at.clone());
        self.replay(&link);
        self.last = Some(link);
    }

    /// Takes a row, and holds it against what the events say.
    pub fn compare(&mut self, table: Table, mut row: RowText) {
        let id = row.get("id").cloned().flatten().unwrap_or_default();
        if table == Table::Finding {
            let text = |column| row.remove(column).flatten().unwrap_or_default();
            self.findings.entry(id).or_default().push(["run", "check_name", "outcome", "body"].map(text));
            return;
        }
        if table == Table::Pass {
            return self.compare_checkpoint(id, &row);
        }
        match self.rows.remove(&(table, id.clone())) {
            // Locks that only an older steward took stand in no event.
            None if table == Table::Lease => {}
            None => self.faults.push(Fault::RowForeign { table, id }),
            Some(expected) => self.faults.extend(difference(&expected, &row).map(|column| Fault::Row { table, id, column })),
        }
    }

    /// A pass is what the outcome of its last batch says; one that an older steward left says nothing, and no run goes on with it.
    fn compare_checkpoint(&mut self, id: String, row: &RowText) {
        let digest = row.get("digest").cloned().flatten();
        match self.passes.get(&id) {
            None => self.faults.push(Fault::RowForeign { table: Table::Pass, id }),
            Some(Some(bound)) if Some(bound) != digest.as_ref() => {
                self.faults.push(Fault::Row { table: Table::Pass, id, column: "cursor, as_of or fingerprint".into() });
            }
            Some(_) => {}
        }
    }

    /// The file could not be read to its end.
    pub fn damaged(&mut self, why: String) {
        self.damaged = true;
        self.faults.push(Fault::Damaged { after: self.last.as_ref().map_or(0, |last| last.seq), why });
    }

    /// The verdict.
    pub fn verdict(mut self) -> Verification {
        for (seq, rows) in std::mem::take(&mut self.findings) {
            let run = rows.first().map(|[run, ..]| run.clone());
            let told = [("id", Some(seq)), ("run", run), ("count", Some(rows.len().to_string()))];
            let mut told: RowText = told.map(|(column, value)| (column.to_owned(), value)).into();
            told.insert("sha256".to_owned(), Some(finding::digest(&rows)));
            self.compare_findings(told);
        }
        if !self.damaged {
            // A lock is given to the next run without a word.
            let gone = std::mem::take(&mut self.rows).into_keys();
            self.faults.extend(gone.map(|(table, id)| Fault::RowGone { table, id }));
        }
        let newest = self.last.as_ref().map_or(0, |last| last.seq);
        let found = |seq: i64| Expected::Found { seq, since: u64::try_from(newest - seq).unwrap_or_default() };
        Verification {
            events: self.events,
            runs: self.runs,
            first: self.first,
            last: self.last.as_ref().map(|last| last.at.clone()),
            head: self.last.as_ref().map(Link::head),
            expected: self.expected.map(|_| self.found.map_or(Expected::Missing, found)),
            unchecked_reports: self.unchecked_reports,
            faults: self.faults,
        }
    }

    fn compare_findings(&mut self, told: RowText) {
        let (table, id) = (Table::Finding, told.get("id").cloned().flatten().unwrap_or_default());
        match self.rows.remove(&(table, id.clone())) {
            None => self.faults.push(Fault::RowForeign { table, id }),
            Some(expected) => self.faults.extend(difference(&expected, &told).map(|column| Fault::Row { table, id, column })),
        }
    }

    /// Does again, in memory, what the ledger did to its tables when it recorded the event.
    fn replay(&mut self, link: &Link) {
        let (Some(event), Some(at)) = (link.event(), link.instant()) else { return };
        let run = link.run.as_deref().unwrap_or_default();
        if !self.trusted_only {
            self.replay_rest(link, &event, run);
        }
        if let Some(begun) = RunRow::begun(&event, link.seq, at, run).filter(|_| !self.trusted_only) {
            self.runs += 1;
            self.rows.insert((Table::Run, begun.id.clone()), run_text(&begun));
        }
        if let Some(hold) = LedgerHold::of(&event, link.seq, at) {
            self.rows.insert((Table::Hold, hold.id.clone()), hold_text(&hold));
        }
        if let Some(batch) = event.closes() {
            self.rows.remove(&(Table::OpenIntent, batch.to_owned()));
        }
        match event {
            Event::Intent { batch, .. } => {
                let told = [("id", &batch), ("seq", &link.seq.to_string()), ("run", &run.to_owned())];
                let told = told.map(|(column, value)| (column.to_owned(), Some(value.clone()))).into();
                self.rows.insert((Table::OpenIntent, batch), told);
            }
            Event::Findings { count, sha256 } if count > 0 && !self.trusted_only => {
                let told =
                    [("id", link.seq.to_string()), ("run", run.to_owned()), ("count", count.to_string()), ("sha256", sha256)];
                let told = told.map(|(column, value)| (column.to_owned(), Some(value))).into();
                self.rows.insert((Table::Finding, link.seq.to_string()), told);
            }
            Event::RunEnded { outcome, exit, report_sha256, .. } => {
                if let Some(told) = self.rows.get_mut(&(Table::Run, run.to_owned())) {
                    told.insert("ended".to_owned(), Some(link.at.clone()));
                    told.insert("outcome".to_owned(), Some(outcome.word().to_owned()));
                    told.insert("exit".to_owned(), Some(exit.to_string()));
                    told.insert("report".to_owned(), Some(report_sha256));
                }
            }
            Event::HoldReleased { name, by, why } => self.release(&name, &link.at, &by, &why),
            _ => {}
        }
    }

    /// What only a whole verification asks for: reports, locks, passes.
    fn replay_rest(&mut self, link: &Link, event: &Event, run: &str) {
        match event {
            Event::RunStarted { job, .. } => drop(self.jobs.insert(run.to_owned(), job.clone())),
            Event::Intent { batch, dataset, policy, .. } => {
                self.batches.insert(batch.clone(), (dataset.clone(), policy.clone()));
            }
            Event::Outcome { batch, pass, .. } => {
                if let (Some((dataset, policy)), Some(job)) = (self.batches.get(batch), self.jobs.get(run)) {
                    self.passes.insert(checkpoint_id(job, dataset, policy), pass.clone());
                }
            }
            Event::RunEnded { files: Some(files), .. } => self.reports.extend(files.iter().cloned()),
            Event::RunEnded { files: None, .. } => self.unchecked_reports += 1,
            Event::LeaseTaken { job, token, host, pid } => {
                let told = [
                    ("id", job.clone()),
                    ("token", token.to_string()),
                    ("run", run.to_owned()),
                    ("since", link.at.clone()),
                    ("host", host.clone()),
                    ("pid", pid.to_string()),
                ];
                let told = told.map(|(column, value)| (column.to_owned(), Some(value))).into();
                self.rows.insert((Table::Lease, job.clone()), told);
            }
            _ => {}
        }
        if let Some(batch) = event.closes() {
            self.batches.remove(batch);
        }
    }

    fn release(&mut self, name: &str, at: &str, by: &str, why: &str) {
        let holds = self.rows.iter_mut().filter(|((table, _), _)| *table == Table::Hold).map(|(_, told)| told);
        let named = |told: &&mut RowText| told.get("name").is_some_and(|told| told.as_deref() == Some(name));
        for told in holds.filter(named).filter(|told| told.get("released").is_some_and(Option::is_none)) {
            for (column, value) in [("released", at), ("released_by", by), ("released_why", why)] {
                told.insert(column.to_owned(), Some(value.to_owned()));
            }
        }
    }
}

/// How a pass is named.
pub fn checkpoint_id(job: &str, dataset: &str, policy: &str) -> String {
    format!("{job} {dataset} {policy}")
}

/// The first column in which two rows differ.
fn difference(expected: &RowText, row: &RowText) -> Option<String> {
    expected.iter().find(|(column, value)| row.get(*column) != Some(*value)).map(|(column, _)| column.clone())
}

fn run_text(run: &RunRow) -> RowText {
    let some = |text: &str| Some(text.to_owned());
    let told = [
        ("id", some(&run.id)),
        ("seq", Some(run.seq.to_string())),
        ("job", some(&run.job)),
        ("action", some(&run.action)),
        ("mode", some(run.mode_word())),
        ("dry_run", some(if run.dry_run { "1" } else { "0" })),
        ("as_of", Some(stamp(run.as_of))),
        ("started", Some(stamp(run.started))),
        ("ended", None),
        ("outcome", None),
        ("exit", None),
        ("report", None),
    ];
    told.map(|(column, value)| (column.to_owned(), value)).into()
}

fn hold_text(hold: &LedgerHold) -> RowText {
    let told = [
        ("id", Some(hold.id.clone())),
        ("seq", Some(hold.seq.to_string())),
        ("name", Some(hold.name.clone())),
        ("dataset", Some(hold.dataset.clone())),
        ("condition", hold.condition.clone()),
        ("because", Some(hold.because.clone())),
        ("owner", hold.owner.clone()),
        ("origin", Some(hold.origin.word().to_owned())),
        ("noted", hold.noted.clone()),
        ("since", Some(stamp(hold.since))),
        ("released", None),
        ("released_by", None),
        ("released_why", None),
    ];
    told.map(|(column, value)| (column.to_owned(), value)).into()
}
