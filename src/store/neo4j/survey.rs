//! Survey the nodes of one label under one policy, in the store.

use super::clock;
use super::condition;
use super::identifier::property;
use super::nodes::Nodes;
use super::session::Reading;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::holds::Holds;
use crate::store::survey::{RelationCount, Survey};
use crate::store::value::Cell;

impl Nodes {
    /// Counts what is there. Reads only.
    ///
    /// # Errors
    /// The store's own.
    pub async fn count(&self, holds: &Holds) -> Result<Survey, StoreFailure> {
        let session = self.store.reading(&self.who).await?;
        // The store keeps this number itself; nothing is read for it.
        let total = session.count(&format!("MATCH {} RETURN count(n) AS c0", self.label.pattern()), vec![]).await?;
        let mut counts = Survey { total, ..Survey::default() };
        if let Err(failure) = self.count_due(&session, holds, &mut counts).await {
            return Err(self.whose_fault(&session, holds, failure).await);
        }
        counts.undated = session.count(&self.undated(), vec![]).await?;
        for row in session.rows(&self.relations(holds), vec![]).await? {
            if let [kind, count] = row.as_slice() {
                counts.relations.push(RelationCount { kind: kind.shown(), count: count.as_count() });
            }
        }
        Ok(counts)
    }

    async fn count_due(&self, session: &Reading, holds: &Holds, counts: &mut Survey) -> Result<(), StoreFailure> {
        let free = holds.free_nodes(&self.label.name);
        let sum = |condition: &str, at: usize| format!("count(CASE WHEN {condition} THEN 1 END) AS c{at}");
        let oldest = clock::outgoing(&self.kind, &format!("min(CASE WHEN {free} THEN {} END)", property(&self.clock)));
        let mut wanted = vec!["count(*) AS c0".to_owned(), format!("{oldest} AS c1"), sum(&format!("NOT {free}"), 2)];
        let each: Vec<(&str, String)> = holds.each_of_nodes(&self.label.name).collect();
        wanted.extend(each.iter().enumerate().map(|(at, (_, held))| sum(held, at + 3)));
        let cypher = format!("MATCH {} WHERE {} RETURN {}", self.label.pattern(), self.due(), wanted.join(", "));
        let row = session.rows(&cypher, vec![]).await?.into_iter().next().unwrap_or_default();
        let count = |at: usize| row.get(at).map_or(0, Cell::as_count);
        counts.due = count(0);
        counts.oldest = row.get(1).filter(|cell| **cell != Cell::Null).map(|cell| clock::shown(&self.kind, cell));
        counts.held = count(2);
        counts.by_hold = each.iter().enumerate().map(|(at, (name, _))| ((*name).to_owned(), count(at + 3))).collect();
        Ok(())
    }

    /// Names the hold whose condition fails for some nodes, where it is one that does.
    async fn whose_fault(&self, session: &Reading, holds: &Holds, failure: StoreFailure) -> StoreFailure {
        if !matches!(failure, StoreFailure::Failed { .. }) {
            return failure;
        }
        for (name, _, text) in holds.node_conditions() {
            if let Err(refused) = condition::check_nodes(session, &self.label, text, &format!("hold `{name}`")).await {
                return refused;
            }
        }
        failure
    }

    fn undated(&self) -> String {
        let condition = self.condition.as_ref().map(|condition| format!(" AND (\n{condition}\n)")).unwrap_or_default();
        format!(
            "MATCH {} WHERE NOT {}{condition} RETURN count(*) AS c0",
            self.label.pattern(),
            clock::dated(&self.kind, &property(&self.clock))
        )
    }

    /// The relations of nodes that are due and free, by type; one between two such nodes counts once.
    fn relations(&self, holds: &Holds) -> String {
        format!(
            "MATCH {} WHERE {} MATCH (n)-[r]-() RETURN type(r) AS c0, count(DISTINCT r) AS c1 ORDER BY c0",
            self.label.pattern(),
            self.due_and_free(holds)
        )
    }

    /// The labels of every node that would lose a relation, as datasets. Reads only.
    ///
    /// # Errors
    /// The store's own.
    pub async fn taken_along(&self) -> Result<Vec<DatasetName>, StoreFailure> {
        let cypher = format!(
            "MATCH {} WHERE {} MATCH (n)--(m) UNWIND labels(m) AS label RETURN DISTINCT label AS c0 ORDER BY c0",
            self.label.pattern(),
            self.due()
        );
        let labels = self.store.reading(&self.who).await?.rows(&cypher, vec![]).await?;
        let dataset = |cell: Cell| DatasetName { store: self.label.store.clone(), schema: None, table: cell.shown() };
        Ok(labels.into_iter().flatten().map(dataset).collect())
    }
}
