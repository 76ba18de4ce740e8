//! Nodes that a check looks at: their labels found, the condition tried out, in a session that may take its time and write
//! nothing.

use super::catalog::{self, Label};
use super::condition;
use super::identifier::{property, quote};
use super::session::{Params, Reading};
use super::store::GraphStore;
use crate::policy::dataset::DatasetName;
use crate::store::answer::Share;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;

/// The nodes of a label, or of any of several, those of them that count. Reads only.
#[derive(Debug)]
pub struct LookedLabel {
    session: Reading,
    label: Label,
    others: Vec<Label>,
    condition: Option<String>,
}

/// A few nodes: the names of what is told of them, and for each the store's own id and the values in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedNodes {
    /// The properties: the label's unique one first, if it has one.
    pub columns: Vec<String>,
    /// The nodes.
    pub rows: Vec<(String, Vec<Cell>)>,
}

impl LookedLabel {
    /// Finds the label and tries the condition out.
    ///
    /// # Errors
    /// The store is away; the label is not there and another is near; the condition does not work there.
    pub async fn at(store: &GraphStore, who: &str, dataset: &DatasetName, condition: Option<&str>) -> Result<Self, StoreFailure> {
        let session = store.reading(who).await?;
        let label = tried(&session, dataset, condition).await?;
        Ok(Self { session, label, others: vec![], condition: condition.map(str::to_owned) })
    }

    /// The same for nodes that bear any of these labels: one that bears several is one node.
    ///
    /// # Errors
    /// The same.
    pub async fn any_of(
        store: &GraphStore,
        who: &str,
        dataset: &DatasetName,
        others: &[DatasetName],
        condition: Option<&str>,
    ) -> Result<Self, StoreFailure> {
        let mut looked = Self::at(store, who, dataset, condition).await?;
        for other in others {
            looked.others.push(tried(&looked.session, other, condition).await?);
        }
        Ok(looked)
    }

    /// The label; the first where there are several.
    pub const fn label(&self) -> &Label {
        &self.label
    }

    fn labels(&self) -> impl Iterator<Item = &Label> {
        std::iter::once(&self.label).chain(&self.others)
    }

    /// A property of the node `n`, quoted.
    ///
    /// # Errors
    /// No node of the store has one of that name; near names are suggested.
    pub async fn property(&self, name: &str) -> Result<String, StoreFailure> {
        for label in self.labels() {
            catalog::must_have(&self.session, label, name).await?;
        }
        Ok(property(name))
    }

    /// `MATCH (n:A|B) WHERE …` for the nodes that count and meet these conditions too.
    pub fn matching(&self, also: &[String]) -> String {
        let labels: Vec<String> = self.labels().map(|label| quote(&label.name)).collect();
        self.matching_of(&labels.join("|"), also)
    }

    fn matching_of(&self, labels: &str, also: &[String]) -> String {
        let own = self.condition.iter().map(|condition| format!("(\n{condition}\n)"));
        let all: Vec<String> = own.chain(also.iter().map(|condition| format!("({condition})"))).collect();
        let from = format!("MATCH (n:{labels})");
        if all.is_empty() { from } else { format!("{from} WHERE {}", all.join(" AND ")) }
    }

    /// Counts the nodes that meet these conditions too, in the store, and says with which query.
    ///
    /// # Errors
    /// The store's own.
    pub async fn count(&self, also: &[String]) -> Result<(u64, String), StoreFailure> {
        // `count(n)` of a label alone is a number that the store keeps: a million nodes are not read for it.
        let cypher = format!("{} RETURN count(n)", self.matching(also));
        Ok((self.session.count(&format!("{cypher} AS c0"), vec![]).await?, cypher))
    }

    /// Of the nodes that meet `of` how many meet `bad` too, and the statement that says both: the bad ones first.
    ///
    /// One statement, so that the part is never larger than the whole.
    ///
    /// # Errors
    /// The store's own.
    pub async fn share(&self, bad: &str, of: &[String]) -> Result<Share, StoreFailure> {
        let query = format!("{} RETURN count(CASE WHEN {bad} THEN 1 END) AS c0, count(*) AS c1", self.matching(of));
        let row = self.session.rows(&query, vec![]).await?.into_iter().next().unwrap_or_default();
        let count = |at: usize| row.get(at).map_or(0, Cell::as_count);
        Ok(Share { bad: count(0), of: count(1), query })
    }

    /// The key and these properties of a few nodes that meet these conditions too, label by label.
    ///
    /// # Errors
    /// The store's own.
    pub async fn some(
        &self,
        also: &[String],
        properties: &[&str],
        limit: u32,
    ) -> Result<Vec<(DatasetName, NamedNodes)>, StoreFailure> {
        let mut all = vec![];
        for label in self.labels() {
            let mut columns: Vec<String> = label.unique.first().cloned().into_iter().collect();
            columns.extend(
                properties
                    .iter()
                    .filter(|name| label.unique.first().is_none_or(|key| key != *name))
                    .map(|name| (*name).to_owned()),
            );
            // A list, a point or a date is told as text, and what has none as nothing.
            let values: Vec<String> = columns
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    format!(", CASE WHEN {0} IS :: INTEGER THEN {0} ELSE toStringOrNull({0}) END AS c{1}", property(name), at + 1)
                })
                .collect();
            let matching = self.matching_of(&quote(&label.name), also);
            let cypher = format!("{matching} RETURN elementId(n) AS c0{} LIMIT {limit}", values.concat());
            let rows = self.session.rows(&cypher, vec![]).await?.into_iter().map(|mut row| {
                let values = row.split_off(1.min(row.len()));
                (row.first().map(Cell::shown).unwrap_or_default(), values)
            });
            let dataset = DatasetName { store: label.store.clone(), schema: None, table: label.name.clone() };
            all.push((dataset, NamedNodes { columns, rows: rows.collect() }));
        }
        Ok(all)
    }

    /// True where the property holds nothing: it is not there, an empty text, or spaces alone.
    ///
    /// # Errors
    /// No node of the store has one of that name.
    pub async fn missing(&self, name: &str) -> Result<String, StoreFailure> {
        let at = self.property(name).await?;
        Ok(format!("{at} IS NULL OR ({at} IS :: STRING NOT NULL AND trim(toStringOrNull({at})) = '')"))
    }

    /// True where the property holds a number below `min` or above `max`, or no number at all; none is neither.
    ///
    /// # Errors
    /// No node of the store has one of that name.
    pub async fn outside(&self, name: &str, min: Option<f64>, max: Option<f64>) -> Result<String, StoreFailure> {
        let at = self.property(name).await?;
        let mut ways = vec![
            format!("({at} IS NOT NULL AND NOT ({at} IS :: INTEGER OR {at} IS :: FLOAT))"),
            format!("coalesce(isNaN(toFloatOrNull({at})), false)"),
        ];
        // Written with their point, so that no number is too large for an integer.
        ways.extend(min.map(|min| format!("coalesce({at} < ({min:?}), false)")));
        ways.extend(max.map(|max| format!("coalesce({at} > ({max:?}), false)")));
        Ok(ways.join(" OR "))
    }

    /// The rows of a statement, whose columns are named `c0`, `c1`, ….
    ///
    /// # Errors
    /// The store's own.
    pub async fn rows(&self, cypher: &str, params: Params) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        self.session.rows(cypher, params).await
    }
}

async fn tried(session: &Reading, dataset: &DatasetName, condition: Option<&str>) -> Result<Label, StoreFailure> {
    let label = catalog::label(session, dataset).await?;
    if let Some(text) = condition {
        condition::check(session, &label, text, "the check").await?;
    }
    Ok(label)
}
