//! Conditions over the node `n`, in Cypher: made sure to be one condition and nothing else.

use super::catalog::{self, Label};
use super::session::Reading;
use super::store::GraphStore;
use crate::diagnostic::codes;
use crate::policy::condition::Language;
use crate::policy::dataset::DatasetName;
use crate::store::answer::fails_for_rows;
use crate::store::error::StoreFailure;

/// Refuses what is not one condition over the node `n`: first by its letters, then by asking the store.
///
/// The store must accept it bare and in parentheses, in a session that may not write. Nothing is carried out.
///
/// # Errors
/// It is no such condition; the store's own.
pub async fn check(session: &Reading, label: &Label, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    let refused = |text: String| {
        StoreFailure::refused(
            codes::CONDITION,
            text,
            "write one condition over the node `n`, such as `n.amount > 0 AND NOT (n)--()`",
        )
    };
    Language::Cypher
        .condition(condition)
        .map_err(|fault| refused(format!("the condition of {whose} {fault}; nothing is removed")))?;
    for wrapped in [format!("\n{condition}\n"), format!("(\n{condition}\n) AND true")] {
        if let Some(why) = session.cannot_plan(&format!("MATCH {} WHERE {wrapped} RETURN 1", label.pattern())).await? {
            return Err(refused(format!("the condition of {whose} does not work on `{}`: {why}", label.shown())));
        }
    }
    Ok(())
}

/// The same for a condition over any node.
///
/// # Errors
/// It is no such condition; the store's own.
pub async fn check_any(session: &Reading, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    check(session, &Label::any(session.store()), condition, whose).await
}

impl GraphStore {
    /// Whether a label is there, and a condition over its nodes would work. Touches nothing.
    ///
    /// # Errors
    /// They would not; the store's own.
    pub async fn try_condition(
        &self,
        who: &str,
        dataset: &DatasetName,
        condition: Option<&str>,
        whose: &str,
    ) -> Result<(), StoreFailure> {
        let session = self.reading(who).await?;
        let label = catalog::label(&session, dataset).await?;
        match condition {
            Some(text) => {
                check(&session, &label, text, whose).await?;
                check_nodes(&session, &label, text, whose).await
            }
            None => Ok(()),
        }
    }
}

/// Refuses a condition that fails for some of the nodes that there are now: asks it of all of them.
pub(crate) async fn check_nodes(session: &Reading, label: &Label, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    let cypher = format!("MATCH {} WHERE (\n{condition}\n) RETURN count(*) AS c0", label.pattern());
    match session.count(&cypher, vec![]).await {
        Err(StoreFailure::Failed { text, .. }) => Err(fails_for_rows(whose, &label.shown(), &text)),
        other => other.map(drop),
    }
}
