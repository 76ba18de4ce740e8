//! Whether the checks found what is wrong with the data, and nothing else: held against the tables, asked in other words.

use crate::report::finding::FindingOutcome;
use crate::report::run::RunReport;
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;

/// Each check of the demo, and how somebody would ask the table without it.
const ASKED: &[(&str, &str)] = &[
    ("duplicate-emails", "SELECT COUNT(*) FROM users WHERE email <> lower(email) AND lower(email) IN (SELECT email FROM users)"),
    ("missing-emails", "SELECT COUNT(*) - COUNT(email) FROM users"),
    ("sessions-of-nobody", "SELECT COUNT(*) FROM user_sessions LEFT JOIN users ON users.id = user_id WHERE users.id IS NULL"),
    ("unsealed", "SELECT SUM(email IS NOT NULL OR phone IS NOT NULL) FROM users"),
    ("undated-records", "SELECT COUNT(*) - COUNT(created_at) FROM consumption_record"),
    ("amounts", "SELECT SUM(amount_fen < 0) FROM consumption_record"),
];

/// What one check found, beside what the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    /// The check.
    pub(super) check: String,
    /// How it ended.
    pub(super) outcome: Option<FindingOutcome>,
    /// What it counted.
    pub(super) found: Option<u64>,
    /// What the table says.
    pub(super) there: u64,
}

impl Compared {
    /// True when both are one number.
    pub(super) fn is_right(&self) -> bool {
        self.found == Some(self.there)
    }
}

/// Holds the findings of a run against the tables as they are now.
pub(super) async fn compare(store: &Store, report: &RunReport) -> Result<Vec<Compared>, StoreFailure> {
    let mut session = store.reading("demo").await?;
    let mut compared = vec![];
    for (check, sql) in ASKED {
        let finding = report.findings.iter().find(|finding| finding.check == *check);
        compared.push(Compared {
            check: (*check).to_owned(),
            outcome: finding.map(|finding| finding.outcome),
            found: finding.and_then(|finding| finding.value),
            there: session.count(sql, &[]).await?,
        });
    }
    Ok(compared)
}
