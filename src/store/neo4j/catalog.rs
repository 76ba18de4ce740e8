//! Finds labels and properties by name, and what the store knows of them.

use super::identifier::quote;
use super::session::{Param, Params, Reading};
use super::store::GraphStore;
use crate::diagnostic::codes;
use crate::diagnostic::suggest;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;

/// A label as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The store, for messages.
    pub store: String,
    /// Its name.
    pub name: String,
    /// Whether a node bears it, or an index or constraint speaks of it. The store knows no others: a label without nodes is
    /// no more known than one that never was.
    pub known: bool,
    /// Range indexes in use: each its name and the property it begins with.
    pub indexes: Vec<(String, String)>,
    /// Properties of which every node bears its own value, if it bears any.
    pub unique: Vec<String>,
}

impl Label {
    /// No label: any node.
    pub(crate) fn any(store: &str) -> Self {
        Self { store: store.to_owned(), name: String::new(), known: true, indexes: vec![], unique: vec![] }
    }

    /// The dataset's name for messages.
    pub fn shown(&self) -> String {
        format!("{}.{}", self.store, self.name)
    }

    /// `(n:User)`, quoted; of no label `(n)`.
    pub fn pattern(&self) -> String {
        if self.name.is_empty() { "(n)".to_owned() } else { format!("(n:{})", quote(&self.name)) }
    }

    /// The index that begins with a property.
    pub fn index_on(&self, property: &str) -> Option<&str> {
        self.indexes.iter().find(|(_, first)| first == property).map(|(name, _)| name.as_str())
    }
}

/// A label; a near miss is suggested, never used. One that no node bears, and nothing resembles, is a label without nodes.
///
/// # Errors
/// The name has three parts; the label is not known and another is near; the store's own.
pub async fn label(session: &Reading, dataset: &DatasetName) -> Result<Label, StoreFailure> {
    if let Some(schema) = &dataset.schema {
        return Err(StoreFailure::refused(
            codes::NOT_THERE,
            format!("`{dataset}` names a schema `{schema}`, and a label has none"),
            format!("write `{}.{}`", dataset.store, dataset.table),
        ));
    }
    let of_label = || -> Params { vec![("label", Param::One(Cell::Text(dataset.table.clone())))] };
    let indexes = "SHOW INDEXES YIELD name, type, state, entityType, labelsOrTypes, properties \
                   WHERE type = 'RANGE' AND state = 'ONLINE' AND entityType = 'NODE' AND $label IN labelsOrTypes \
                   RETURN name AS c0, properties[0] AS c1";
    let unique = "SHOW CONSTRAINTS YIELD type, entityType, labelsOrTypes, properties \
                  WHERE type IN ['UNIQUENESS', 'NODE_PROPERTY_UNIQUENESS', 'NODE_KEY'] AND entityType = 'NODE' \
                  AND $label IN labelsOrTypes AND size(properties) = 1 RETURN properties[0] AS c0";
    let text = |row: &[Cell], at: usize| row.get(at).map(Cell::shown).unwrap_or_default();
    let indexes = session.rows(indexes, of_label()).await?.iter().map(|row| (text(row, 0), text(row, 1))).collect::<Vec<_>>();
    let unique = session.rows(unique, of_label()).await?.iter().map(|row| text(row, 0)).collect::<Vec<_>>();
    let labels = names(session, "CALL db.labels() YIELD label RETURN label AS c0 ORDER BY c0").await?;
    let known = labels.contains(&dataset.table) || !indexes.is_empty() || !unique.is_empty();
    if !known && let Some(near) = slip(&dataset.table, &labels) {
        return Err(StoreFailure::refused(
            codes::NOT_THERE,
            format!("no node bears the label `{}` in store `{}`", dataset.table, dataset.store),
            format!(
                "did you mean `{near}`? names match exactly, letter case included; if the label is right and merely has no nodes \
                 left, an index on it says so"
            ),
        ));
    }
    Ok(Label { store: dataset.store.clone(), name: dataset.table.clone(), known, indexes, unique })
}

impl GraphStore {
    /// Whether a node bears the label, or an index or constraint speaks of it. Reads only.
    ///
    /// # Errors
    /// The label is a slip of another; the store's own.
    pub async fn knows(&self, who: &str, dataset: &DatasetName) -> Result<bool, StoreFailure> {
        let session = self.reading(who).await?;
        Ok(label(&session, dataset).await?.known)
    }
}

/// Refuses a property that no node of the store has ever borne; near names are suggested.
///
/// # Errors
/// There is no such property; the store's own.
pub async fn must_have(session: &Reading, label: &Label, property: &str) -> Result<(), StoreFailure> {
    let known = names(session, "CALL db.propertyKeys() YIELD propertyKey RETURN propertyKey AS c0 ORDER BY c0").await?;
    // Where there are no nodes there is nothing to be wrong about.
    if known.iter().any(|known| known == property) || !label.known {
        return Ok(());
    }
    let help = suggest::suggestion(property, known.iter().map(String::as_str)).unwrap_or_default();
    Err(StoreFailure::refused(codes::NO_COLUMN, format!("no node of `{}` has a property `{property}`", label.shown()), help))
}

/// Refuses a type of relation that no relation bears; near names are suggested.
///
/// # Errors
/// There is no such type, and there are others; the store's own.
pub async fn must_have_type(session: &Reading, kind: &str) -> Result<(), StoreFailure> {
    let known =
        names(session, "CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType AS c0 ORDER BY c0").await?;
    match slip(kind, &known) {
        Some(near) if !known.iter().any(|known| known == kind) => Err(StoreFailure::refused(
            codes::NOT_THERE,
            format!("no relation of store `{}` is of the type `{kind}`", session.store()),
            format!("did you mean `{near}`? names match exactly, letter case included"),
        )),
        _ => Ok(()),
    }
}

/// The name that was most likely meant. Stricter than a suggestion would be, for here it refuses: two letters, in a name that
/// is long enough for two.
fn slip<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let near = suggest::nearest(name, known.iter().map(String::as_str))?;
    (strsim::damerau_levenshtein(&near.to_lowercase(), &name.to_lowercase()) <= 2).then_some(near)
}

async fn names(session: &Reading, cypher: &str) -> Result<Vec<String>, StoreFailure> {
    Ok(session.rows(cypher, vec![]).await?.into_iter().flatten().map(|cell| cell.shown()).collect())
}
