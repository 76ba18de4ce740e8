//! A property of nodes as one side of a reference.

use super::page::IdPage;
use super::sql::USUAL_CLOCK;
use super::stream::{self, IdSink, IdStream, Keyed};
use crate::policy::checks::field::ReferenceEnd;
use crate::policy::lifecycle::Clock;
use crate::store::error::StoreFailure;
use crate::store::neo4j::catalog;
use crate::store::neo4j::clock;
use crate::store::neo4j::identifier;
use crate::store::neo4j::ids::{self, IdKind, SortedIds};
use crate::store::neo4j::label_query::LookedLabel;
use crate::store::neo4j::session::Param;
use crate::store::neo4j::store::GraphStore;
use crate::store::value::Cell;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use tokio::task::JoinSet;

/// A property of a label's nodes.
#[derive(Debug, Clone)]
pub struct GraphSide {
    store: GraphStore,
    who: String,
    end: ReferenceEnd,
    property: String,
    /// Texts are among the values, so that they do not come in the order that both sides share.
    has_text: bool,
    /// The end's own condition and what tells old nodes; none where nothing dates them, or nobody asked.
    settled: Option<String>,
    /// Nodes whose value is neither an integer nor a text.
    unreadable: u64,
    notes: Vec<String>,
}

impl GraphSide {
    /// Finds label and property, tries the condition out and, where only what is older than `settled_before` counts, finds
    /// what dates a node: the clock that is named, else `created_at` where some node has one.
    pub(crate) async fn at(
        store: &GraphStore,
        who: &str,
        end: &ReferenceEnd,
        property: &str,
        settled_before: Option<DateTime<Utc>>,
    ) -> Result<Self, StoreFailure> {
        let looked = LookedLabel::at(store, who, &end.field.dataset, end.r#where.as_deref()).await?;
        let quoted = looked.property(property).await?;
        let mut side = Self {
            store: store.clone(),
            who: who.to_owned(),
            end: end.clone(),
            property: property.to_owned(),
            has_text: false,
            settled: None,
            unreadable: 0,
            notes: vec![],
        };
        if looked.label().index_on(property).is_none() {
            side.notes.push(format!(
                "`{}` has no range index: all nodes of the label are read for every page of {} ids",
                end.field,
                ids::PAGE
            ));
        }
        side.tell_kinds(&looked, &quoted).await?;
        if let Some(before) = settled_before {
            side.date(&looked, before).await?;
        }
        Ok(side)
    }

    /// What values there are besides integers: texts, and what is no id. One look at the label for both.
    async fn tell_kinds(&mut self, looked: &LookedLabel, quoted: &str) -> Result<(), StoreFailure> {
        let other = format!("{quoted} IS NOT NULL AND NOT {quoted} IS :: INTEGER");
        let found = looked.share(&format!("{quoted} IS :: STRING"), &[other]).await?;
        self.has_text = found.bad > 0;
        self.unreadable = found.of.saturating_sub(found.bad);
        Ok(())
    }

    pub(crate) const fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// All nodes that count.
    pub(crate) async fn things(&self) -> Result<u64, StoreFailure> {
        Ok(self.looked(self.end.r#where.as_deref()).await?.count(&[]).await?.0)
    }

    async fn date(&mut self, looked: &LookedLabel, before: DateTime<Utc>) -> Result<(), StoreFailure> {
        let usual = Clock { column: USUAL_CLOCK.into(), zone: None, unit: None };
        let (named, label) = (self.end.clock.clone(), looked.label());
        let clock = named.as_ref().unwrap_or(&usual);
        let property = identifier::property(&clock.column);
        let session = self.store.reading(&self.who).await?;
        if named.is_some() {
            catalog::must_have(&session, label, &clock.column).await?;
        } else {
            let any = format!("{} RETURN 1 AS c0 LIMIT 1", looked.matching(&[format!("{property} IS NOT NULL")]));
            if looked.rows(&any, vec![]).await?.is_empty() {
                return Ok(());
            }
        }
        let kind = match clock::kind(&session, label, clock).await {
            // Nobody said that it dates the nodes.
            Err(StoreFailure::Refused { .. }) if named.is_none() => return Ok(()),
            kind => kind?,
        };
        let old = format!("NOT {} OR {property} < {}", clock::dated(&kind, &property), clock::cutoff(&kind, before));
        self.notes.push(format!("nodes of `{}` are dated by `{}`", label.shown(), clock.column));
        let own = self.end.r#where.iter().map(|own| format!("(\n{own}\n) AND ")).collect::<String>();
        self.settled = Some(format!("{own}({old})"));
        Ok(())
    }

    pub(crate) const fn is_dated(&self) -> bool {
        self.settled.is_some()
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn stream(&self, keyed: Keyed, tasks: &mut JoinSet<()>) -> IdStream {
        let (sink, stream) = stream::pair();
        tasks.spawn(self.clone().run(keyed, sink));
        stream
    }

    /// Integers come by value, which is the order that both sides share.
    pub(crate) const fn is_in_order(&self) -> bool {
        !self.has_text
    }

    /// Reads all of it into the sink. Ends early when nobody listens any more.
    async fn run(self, keyed: Keyed, sink: IdSink) {
        if let Err(failure) = self.walk(keyed, &sink).await {
            // Nobody listens: nobody needs to know.
            let _ = sink.send(Err(failure)).await;
        }
    }

    async fn walk(&self, keyed: Keyed, sink: &IdSink) -> Result<(), StoreFailure> {
        let kinds: &[IdKind] = if self.has_text { &[IdKind::Number, IdKind::Text] } else { &[IdKind::Number] };
        let mut key = vec![];
        for kind in kinds {
            let mut found = SortedIds::of(self.looked(self.end.r#where.as_deref()).await?, &self.property, *kind).await?;
            loop {
                let ids = found.page().await?;
                if ids.is_empty() {
                    break;
                }
                let mut page = IdPage::default();
                for id in &ids {
                    page.push(keyed.key(id.as_bytes(), &mut key));
                }
                if sink.send(Ok(page)).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn looked(&self, condition: Option<&str>) -> Result<LookedLabel, StoreFailure> {
        LookedLabel::at(&self.store, &self.who, &self.end.field.dataset, condition).await
    }

    /// Those of the ids that some node has; of those, when `settled`, the ones that are old enough to count.
    pub(crate) async fn present(&self, ids: &[String], keyed: Keyed, settled: bool) -> Result<HashSet<String>, StoreFailure> {
        let condition = self.settled.as_deref().filter(|_| settled).or(self.end.r#where.as_deref());
        let looked = self.looked(condition).await?;
        let mut found = ids::present(&looked, &self.property, ids).await?;
        let missing: Vec<Cell> = ids.iter().filter(|id| !found.contains(*id)).map(|id| Cell::Text(id.clone())).collect();
        if keyed.folds() && !missing.is_empty() {
            // Text against a type without letter case: no index answers to that, so all nodes are read.
            let lower = format!("toLower(toString({}))", looked.property(&self.property).await?);
            let cypher = format!("{} RETURN DISTINCT {lower} AS c0", looked.matching(&[format!("{lower} IN $ids")]));
            let rows = looked.rows(&cypher, vec![("ids", Param::List(missing))]).await?;
            found.extend(rows.into_iter().flatten().map(|cell| cell.shown()));
        }
        Ok(found)
    }
}
