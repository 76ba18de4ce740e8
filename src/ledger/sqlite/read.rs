//! Reads the ledger.

use super::open::Sqlite;
use super::write::{holds, newest};
use crate::job::origin::StartedBy;
use crate::job::outcome::Outcome;
use crate::ledger::chain::{Head, Link, instant, stamp};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::error::LedgerError;
use crate::ledger::event::{Event, OpenIntent};
use crate::ledger::finding::{FindingRow, PastFinding};
use crate::ledger::hold::{LedgerHold, Origin, Release};
use crate::ledger::holder::Holder;
use crate::ledger::run::{DryRuns, RunRow};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

macro_rules! runs {
    ($which:literal) => {
        concat!(
            "SELECT id, seq, job, action, mode, dry_run, as_of, started, ended, outcome, exit, report,
               (SELECT body FROM event WHERE event.seq = run.seq) AS begun FROM run ",
            $which
        )
    };
}

type Rows = Result<Vec<SqliteRow>, sqlx::Error>;

impl Sqlite {
    /// The newest event's head; none before the first event.
    ///
    /// # Errors
    /// As for everything in this file: the ledger cannot be read, or holds what this steward does not write.
    pub async fn head(&self) -> Result<Option<Head>, LedgerError> {
        let mut connection = self.read.acquire().await.map_err(|error| self.reading(error))?;
        newest(&mut connection).await.map_err(|error| self.reading(error))
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<RunRow>, LedgerError> {
        let runs = sqlx::query(runs!("WHERE ?1 IS NULL OR job = ?1 ORDER BY seq DESC LIMIT ?2"));
        self.each(runs.bind(job).bind(limit).fetch_all(&self.read).await, |row| self.run_row(row))
    }

    /// The runs whose id begins or ends with `part`; the one whose id it is, alone.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn runs_named(&self, part: &str) -> Result<Vec<RunRow>, LedgerError> {
        let runs = sqlx::query(runs!(
            "WHERE id = ?1 OR (NOT EXISTS (SELECT 1 FROM run WHERE id = ?1)
               AND (substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1)) ORDER BY seq DESC"
        ));
        self.each(runs.bind(part).fetch_all(&self.read).await, |row| self.run_row(row))
    }

    /// The newest run of the job that ended and began before the run named.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn last_ended(&self, job: &str, before: &str, dry_runs: DryRuns) -> Result<Option<RunRow>, LedgerError> {
        let runs = sqlx::query(runs!(
            "WHERE job = ?1 AND seq < (SELECT seq FROM run WHERE id = ?2) AND ended IS NOT NULL AND (?3 OR dry_run = 0)
             ORDER BY seq DESC LIMIT 1"
        ));
        let rows = runs.bind(job).bind(before).bind(dry_runs == DryRuns::Counted).fetch_all(&self.read).await;
        Ok(self.each(rows, |row| self.run_row(row))?.pop())
    }

    /// The runs of the job in a row, right before the run named, that did not end well: since when, and how many.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn failing_before(&self, job: &str, run: &str) -> Result<Option<(DateTime<Utc>, u64)>, LedgerError> {
        let failing = "WITH here AS (SELECT seq FROM run WHERE id = ?2),
              well AS (SELECT seq FROM run WHERE job = ?1 AND dry_run = 0 AND seq < (SELECT seq FROM here)
                AND outcome IN ('done', 'due', 'undelivered') ORDER BY seq DESC LIMIT 1)
            SELECT min(started) AS since, count(*) AS runs FROM run WHERE job = ?1 AND dry_run = 0 AND ended IS NOT NULL
              AND seq < (SELECT seq FROM here) AND seq > coalesce((SELECT seq FROM well), 0)";
        let mut rows = self.each(sqlx::query(failing).bind(job).bind(run).fetch_all(&self.read).await, |row| {
            let since = self.get::<Option<String>>(row, "since")?.map(|since| self.time(&since)).transpose()?;
            let runs = u64::try_from(self.get::<i64>(row, "runs")?).unwrap_or_default();
            Ok(since.map(|since| (since, runs)))
        })?;
        Ok(rows.pop().flatten())
    }

    /// Whether a mail about the job was sent, or kept to be sent, by a run that began after `since` and before the run named.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn mailed_since(&self, job: &str, run: &str, since: DateTime<Utc>) -> Result<bool, LedgerError> {
        let mailed = "SELECT count(*) AS mails FROM run WHERE job = ?1 AND dry_run = 0 AND started > ?3
            AND seq < (SELECT seq FROM run WHERE id = ?2) AND json_extract(report, '$.report.mail') IN ('sent', 'spooled')";
        let rows = sqlx::query(mailed).bind(job).bind(run).bind(stamp(since)).fetch_all(&self.read).await;
        Ok(self.each(rows, |row| self.get::<i64>(row, "mails"))?.pop().unwrap_or_default() > 0)
    }

    /// The newest run of the job, whether it ended or not; `--dry-run` left out.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn last_run(&self, job: &str) -> Result<Option<RunRow>, LedgerError> {
        let runs = sqlx::query(runs!("WHERE job = ? AND dry_run = 0 ORDER BY seq DESC LIMIT 1"));
        Ok(self.each(runs.bind(job).fetch_all(&self.read).await, |row| self.run_row(row))?.pop())
    }

    /// When the newest run of the job began that nobody needs to repeat: it ended, and not for a temporary reason.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn last_concluded(&self, job: &str) -> Result<Option<DateTime<Utc>>, LedgerError> {
        let runs = sqlx::query(
            "SELECT started FROM run WHERE job = ? AND dry_run = 0 AND ended IS NOT NULL AND outcome <> ? ORDER BY seq DESC LIMIT 1",
        );
        let rows = runs.bind(job).bind(Outcome::Temporary.word()).fetch_all(&self.read).await;
        Ok(self.each(rows, |row| self.get::<String>(row, "started").and_then(|text| self.time(&text)))?.pop())
    }

    /// Whether a batch of the job was recorded together with a pass of that digest.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn outcome_with_pass(&self, job: &str, digest: &str) -> Result<bool, LedgerError> {
        let found = "SELECT EXISTS (SELECT 1 FROM run JOIN event ON event.run = run.id
            WHERE run.job = ? AND event.kind = 'outcome' AND json_extract(event.body, '$.pass') = ?)";
        let found = sqlx::query_scalar(found).bind(job).bind(digest).fetch_one(&self.read).await;
        found.map_err(|error| self.reading(error))
    }

    /// The first run of the job that began a batch under a plan.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn run_under_plan(&self, plan: &str, job: &str) -> Result<Option<String>, LedgerError> {
        let run = "SELECT approved.run FROM event AS approved JOIN run ON run.id = approved.run
            WHERE approved.kind = 'approved' AND json_extract(approved.body, '$.plan') = ? AND run.job = ?
              AND EXISTS (SELECT 1 FROM event WHERE event.run = approved.run AND event.kind = 'intent')
            ORDER BY approved.seq LIMIT 1";
        let run = sqlx::query_scalar(run).bind(plan).bind(job).fetch_optional(&self.read).await;
        run.map_err(|error| self.reading(error))
    }

    /// The batches of a job whose intent stands alone, oldest first.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn open_intents(&self, job: &str) -> Result<Vec<OpenIntent>, LedgerError> {
        let open = "SELECT event.* FROM open_intent JOIN run ON run.id = open_intent.run
            JOIN event ON event.seq = open_intent.seq WHERE run.job = ? ORDER BY event.seq";
        self.each(sqlx::query(open).bind(job).fetch_all(&self.read).await, |row| {
            let link = self.link(row)?;
            let at = self.time(&link.at)?;
            let open =
                link.event().and_then(|event| OpenIntent::of(event, link.seq, at, link.run.as_deref().unwrap_or_default()));
            open.ok_or_else(|| self.garbled("intent", &link.body))
        })
    }

    /// A page of the chain, oldest first: what follows event `after`.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn events(&self, run: Option<&str>, after: i64, limit: u32) -> Result<Vec<Link>, LedgerError> {
        let events = match run {
            Some(run) => sqlx::query("SELECT * FROM event WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?").bind(run),
            None => sqlx::query("SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT ?"),
        };
        self.each(events.bind(after).bind(limit).fetch_all(&self.read).await, |row| self.link(row))
    }

    /// How far a pass got.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn checkpoint(&self, job: &str, dataset: &str, policy: &str) -> Result<Option<Checkpoint>, LedgerError> {
        let pass = sqlx::query("SELECT * FROM pass WHERE job = ? AND dataset = ? AND policy = ?");
        let rows = pass.bind(job).bind(dataset).bind(policy).fetch_all(&self.read).await;
        let mut passes = self.each(rows, |row| {
            Ok(Checkpoint {
                job: self.get(row, "job")?,
                dataset: self.get(row, "dataset")?,
                policy: self.get(row, "policy")?,
                fingerprint: self.get(row, "fingerprint")?,
                as_of: self.time(&self.get::<String>(row, "as_of")?)?,
                cursor: self.json(row, "cursor")?,
            })
        })?;
        Ok(passes.pop())
    }

    /// Every hold, released ones too, oldest first.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn holds(&self) -> Result<Vec<LedgerHold>, LedgerError> {
        let rows = sqlx::query("SELECT * FROM hold ORDER BY seq").fetch_all(&self.read).await;
        self.each(rows, |row| self.hold_row(row))
    }

    /// For each check of the job, what it saw last before the run named; `--dry-run` left out.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn last_findings(&self, job: &str, before: &str) -> Result<Vec<FindingRow>, LedgerError> {
        let last = "SELECT finding.* FROM finding JOIN
              (SELECT check_name, max(finding.seq) AS seq FROM finding JOIN run ON run.id = finding.run
               WHERE run.job = ?1 AND run.dry_run = 0 AND run.seq < (SELECT seq FROM run WHERE id = ?2) GROUP BY check_name)
              AS last ON last.check_name = finding.check_name AND last.seq = finding.seq
            ORDER BY finding.check_name, finding.position";
        self.each(sqlx::query(last).bind(job).bind(before).fetch_all(&self.read).await, |row| {
            let (check, outcome) = (self.get(row, "check_name")?, self.get(row, "outcome")?);
            let text: String = self.get(row, "body")?;
            let body = serde_json::from_str(&text).map_err(|_| self.garbled("finding", &text))?;
            Ok(FindingRow { check, outcome, body })
        })
    }

    /// What the checks of the job saw in its newest runs before the run named, newest first; `--dry-run` left out.
    ///
    /// By way of the runs' own events, which an index finds: however long the ledger is, only those runs are read.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn past_findings(&self, job: &str, before: &str, runs: u32) -> Result<Vec<PastFinding>, LedgerError> {
        let past = "WITH last AS MATERIALIZED (SELECT id, seq, started FROM run
               WHERE job = ?1 AND dry_run = 0 AND seq < (SELECT seq FROM run WHERE id = ?2) ORDER BY seq DESC LIMIT ?3)
            SELECT finding.check_name, finding.outcome, last.started,
                   CAST(json_extract(finding.body, '$.value') AS INTEGER) AS value, json_extract(finding.body, '$.since') AS since
            FROM last CROSS JOIN event ON event.run = last.id AND event.kind = 'findings'
              CROSS JOIN finding ON finding.seq = event.seq
            ORDER BY last.seq DESC";
        let rows = sqlx::query(past).bind(job).bind(before).bind(runs).fetch_all(&self.read).await;
        self.each(rows, |row| {
            Ok(PastFinding {
                check: self.get(row, "check_name")?,
                outcome: self.get(row, "outcome")?,
                value: self.get::<Option<i64>>(row, "value")?.and_then(|value| u64::try_from(value).ok()),
                since: self.json(row, "since")?,
                at: self.time(&self.get::<String>(row, "started")?)?,
            })
        })
    }

    /// Who last took the job's lock and has not given it back; dead, perhaps: the lock file knows.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn holder(&self, job: &str) -> Result<Option<Holder>, LedgerError> {
        let rows = sqlx::query("SELECT * FROM lease WHERE job = ? AND released = 0").bind(job).fetch_all(&self.read).await;
        let mut holders = self.each(rows, |row| {
            let since = self.time(&self.get::<String>(row, "since")?)?;
            Ok(Holder { run: self.get(row, "run")?, since, host: self.get(row, "host")?, pid: self.get(row, "pid")? })
        })?;
        Ok(holders.pop())
    }

    /// Whether the lease of that token is still in force.
    ///
    /// # Errors
    /// See [`Sqlite::head`].
    pub async fn holds_lease(&self, job: &str, token: i64) -> Result<bool, LedgerError> {
        let mut connection = self.read.acquire().await.map_err(|error| self.reading(error))?;
        holds(&mut connection, job, token).await.map_err(|error| self.reading(error))
    }

    fn run_row(&self, row: &SqliteRow) -> Result<RunRow, LedgerError> {
        let time = |column| self.get::<String>(row, column).and_then(|text| self.time(&text));
        Ok(RunRow {
            id: self.get(row, "id")?,
            seq: self.get(row, "seq")?,
            job: self.get(row, "job")?,
            action: self.get(row, "action")?,
            mode: self.word("mode", Some(self.get(row, "mode")?))?.ok_or_else(|| self.garbled("mode", ""))?,
            dry_run: self.get(row, "dry_run")?,
            as_of: time("as_of")?,
            started: time("started")?,
            started_by: self.begun_by(row)?,
            ended: self.get::<Option<String>>(row, "ended")?.map(|text| self.time(&text)).transpose()?,
            outcome: self.word("outcome", self.get(row, "outcome")?)?,
            exit: self.get(row, "exit")?,
            report: self.json(row, "report")?,
        })
    }

    /// Who started a run: its first event says it.
    fn begun_by(&self, row: &SqliteRow) -> Result<Option<StartedBy>, LedgerError> {
        let begun: Option<String> = self.get(row, "begun")?;
        Ok(match begun.and_then(|body| Event::read("run_started", &body)) {
            Some(Event::RunStarted { started_by, .. }) => started_by,
            _ => None,
        })
    }

    fn hold_row(&self, row: &SqliteRow) -> Result<LedgerHold, LedgerError> {
        let origin: String = self.get(row, "origin")?;
        let released: Option<String> = self.get(row, "released")?;
        let released = match released {
            None => None,
            Some(at) => {
                Some(Release { at: self.time(&at)?, by: self.get(row, "released_by")?, why: self.get(row, "released_why")? })
            }
        };
        Ok(LedgerHold {
            id: self.get(row, "id")?,
            seq: self.get(row, "seq")?,
            name: self.get(row, "name")?,
            dataset: self.get(row, "dataset")?,
            condition: self.get(row, "condition")?,
            because: self.get(row, "because")?,
            owner: self.get(row, "owner")?,
            origin: Origin::read(&origin).ok_or_else(|| self.garbled("hold's origin", &origin))?,
            noted: self.get(row, "noted")?,
            since: self.time(&self.get::<String>(row, "since")?)?,
            released,
        })
    }

    fn link(&self, row: &SqliteRow) -> Result<Link, LedgerError> {
        Ok(Link {
            seq: self.get(row, "seq")?,
            at: self.get(row, "at")?,
            run: self.get(row, "run")?,
            kind: self.get(row, "kind")?,
            body: self.get(row, "body")?,
            prev: self.get(row, "prev")?,
            hash: self.get(row, "hash")?,
        })
    }

    fn each<T>(&self, rows: Rows, read: impl Fn(&SqliteRow) -> Result<T, LedgerError>) -> Result<Vec<T>, LedgerError> {
        rows.map_err(|error| self.reading(error))?.iter().map(read).collect()
    }

    fn get<'r, T>(&self, row: &'r SqliteRow, column: &'static str) -> Result<T, LedgerError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        row.try_get(column).map_err(|error| self.reading(error))
    }

    fn json<T: DeserializeOwned>(&self, row: &SqliteRow, column: &'static str) -> Result<Option<T>, LedgerError> {
        let text: Option<String> = self.get(row, column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| self.garbled(column, &text))).transpose()
    }

    /// A word that stands for one of a ground type's values.
    fn word<T: DeserializeOwned>(&self, what: &'static str, word: Option<String>) -> Result<Option<T>, LedgerError> {
        let read = |word: String| serde_json::from_value(word.clone().into()).map_err(|_| self.garbled(what, &word));
        word.map(read).transpose()
    }

    fn time(&self, text: &str) -> Result<DateTime<Utc>, LedgerError> {
        instant(text).ok_or_else(|| self.garbled("time", text))
    }

    fn garbled(&self, what: &'static str, text: &str) -> LedgerError {
        LedgerError::Garbled { path: self.path.to_path_buf(), what, text: text.chars().take(80).collect() }
    }
}
