//! Ids in the names of keys as one side of a reference.

use super::page::IdPage;
use super::stream::{self, IdSink, IdStream, Keyed};
use crate::diagnostic::codes;
use crate::policy::checks::field::ReferenceEnd;
use crate::policy::key_pattern::{KeyId, KeyPattern};
use crate::store::error::StoreFailure;
use crate::store::redis::scan_names::Names;
use crate::store::redis::scan_names::are_there;
use crate::store::redis::store::KeyStore;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// Keys whose names hold an id: `cache:user:{id}`.
#[derive(Debug, Clone)]
pub struct KeysSide {
    store: KeyStore,
    who: String,
    pattern: KeyPattern,
    /// What stands before the id and behind it; none where other pieces are open too, so that no id gives its key.
    around: Option<(String, String)>,
    /// Names that were read, and whose piece is no id.
    unreadable: Arc<AtomicU64>,
    notes: Vec<String>,
}

impl KeysSide {
    /// Reads the pattern and reaches the store.
    pub(crate) async fn at(store: &KeyStore, who: &str, end: &ReferenceEnd) -> Result<Self, StoreFailure> {
        let (text, field) = (&end.field.dataset.table, &end.field);
        let unfit = |why: String| StoreFailure::refused(codes::CONDITION, why, "name the keys alone: `cache.cache:user:{id}`");
        let pattern: KeyPattern = text.parse().map_err(|error| unfit(format!("{error}; nothing was compared")))?;
        if end.r#where.is_some() || end.clock.is_some() {
            return Err(unfit(format!("`{field}` are keys, which have neither a condition nor a clock; nothing was compared")));
        }
        store.nodes(who).await?;
        let around = text.split_once("{id}").filter(|_| !text.contains(['*', '?']));
        let around = around.map(|(before, behind)| (before.to_owned(), behind.to_owned()));
        let notes = match &around {
            Some(_) => vec![],
            None => vec![format!(
                "`{field}` has open pieces besides the id: keys that came or went while it was read were not asked for again"
            )],
        };
        Ok(Self { store: store.clone(), who: who.to_owned(), pattern, around, unreadable: Arc::default(), notes })
    }

    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn stream(&self, keyed: Keyed, tasks: &mut JoinSet<()>) -> IdStream {
        let (sink, stream) = stream::pair();
        tasks.spawn(self.clone().run(keyed, sink));
        stream
    }

    /// Reads all of it into the sink. Ends early when nobody listens any more.
    async fn run(self, keyed: Keyed, sink: IdSink) {
        if let Err(failure) = self.walk(keyed, &sink).await {
            // Nobody listens: nobody needs to know.
            let _ = sink.send(Err(failure)).await;
        }
    }

    async fn walk(&self, keyed: Keyed, sink: &IdSink) -> Result<(), StoreFailure> {
        let mut names = Names::of(&self.store, &self.who, self.pattern.clone()).await?;
        let (mut page, mut key) = (IdPage::default(), vec![]);
        while let Some(found) = names.page().await? {
            for name in &found {
                match self.pattern.id_of(name) {
                    KeyId::Of(id) => page.push(keyed.key(id, &mut key)),
                    KeyId::NoMatch if !self.is_one_piece(name) => {}
                    KeyId::Unreadable | KeyId::NoMatch => drop(self.unreadable.fetch_add(1, Ordering::Relaxed)),
                }
            }
            if page.is_full() && sink.send(Ok(std::mem::take(&mut page))).await.is_err() {
                return Ok(());
            }
        }
        let _ = sink.send(Ok(page)).await;
        Ok(())
    }

    /// True for a name that is none of another pattern's: what stands where the id should is one piece, and no id.
    fn is_one_piece(&self, name: &[u8]) -> bool {
        let piece = self.around.as_ref().and_then(|(before, behind)| {
            name.strip_prefix(before.as_bytes()).and_then(|rest| rest.strip_suffix(behind.as_bytes()))
        });
        piece.is_some_and(|piece| !piece.is_empty() && !piece.iter().any(|byte| matches!(byte, b':' | b'/')))
    }

    /// Those of the ids whose key is there. Where it was seen (`settled`) and no id gives its key, it counts as there still.
    pub(crate) async fn present(&self, ids: &[String], keyed: Keyed, settled: bool) -> Result<HashSet<String>, StoreFailure> {
        let Some((before, behind)) = self.around.as_ref().filter(|_| !keyed.folds() || !settled) else {
            return Ok(if settled { ids.iter().cloned().collect() } else { HashSet::new() });
        };
        let name = |id: &str| format!("{before}{id}{behind}").into_bytes();
        let mut found = self.those(ids, ids.iter().map(|id| name(id)).collect()).await?;
        if keyed.folds() {
            found.extend(self.those(ids, ids.iter().map(|id| name(&id.to_ascii_uppercase())).collect()).await?);
        }
        Ok(found)
    }

    async fn those(&self, ids: &[String], names: Vec<Vec<u8>>) -> Result<HashSet<String>, StoreFailure> {
        let there = are_there(&self.store, &self.who, &names).await?;
        Ok(ids.iter().zip(there).filter(|(_, there)| *there).map(|(id, _)| id.clone()).collect())
    }
}
