//! Compares the two sides of a reference: which ids point at nothing, and which are pointed at by nobody.

use super::diff::{Difference, Way};
use super::recheck::Suspects;
use super::side::Side;
use super::stream::{Keyed, sorted};
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use std::time::Duration;
use tokio::task::JoinSet;

/// What is compared, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The reverse too.
    pub both_ways: bool,
    /// How long things need to arrive on the other side; what cannot be dated is looked at again after that.
    pub settle: Option<Duration>,
    /// Samples at most, per way.
    pub samples: usize,
}

/// What one side told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Different ids that were read.
    pub seen: u64,
    /// Those of them that the other side lacks; always zero where nobody asked.
    pub missing: u64,
    /// A few of them, bare: mask them before they leave memory.
    pub samples: Vec<String>,
    /// Things whose value cannot be read as an id, so that nobody can say whether it is on the other side.
    pub unreadable: u64,
    /// Things that have no id, where no id was seen at all; zero where one was, and nobody counted.
    pub without_id: u64,
}

/// What the comparison gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// The side that refers.
    pub from: Told,
    /// The side that is referred to.
    pub to: Told,
    /// How many ids were looked at again after waiting; none when nothing had to wait.
    pub waited_for: u64,
}

/// Reads both sides at once and compares them as they come: a few pages of each are in memory, and what has to be sorted or
/// has to wait lies on disk. Reads only.
///
/// # Errors
/// A store is away, or the disk takes nothing more. Never a number that is not known.
pub async fn compare(from: &Side, to: &Side, asked: Asked) -> Result<Compared, StoreFailure> {
    let keyed = Keyed::between(from.id(), to.id());
    let suspects = |way| Suspects::new(way, (from, to), keyed, asked.settle.is_some(), asked.samples);
    let (mut dangling, mut unknown) = (suspects(Way::From), asked.both_ways.then(|| suspects(Way::To)));
    // Dropped on any way out, and with it whoever still reads.
    let mut tasks = JoinSet::new();
    let (one, other) = (from.stream(keyed, &mut tasks), to.stream(keyed, &mut tasks));
    let mut difference = if from.is_in_order() && to.is_in_order() {
        Difference::of(one, other)
    } else {
        // Both, even where one is in order: it would wait for the other to be sorted, and both are to be read at once.
        Difference::of(sorted(one, &mut tasks), sorted(other, &mut tasks))
    };
    while let Some((way, key)) = difference.next().await? {
        match (way, &mut unknown) {
            (Way::From, _) => dangling.take(key).await?,
            (Way::To, Some(unknown)) => unknown.take(key).await?,
            (Way::To, None) => {}
        }
    }
    all_ended(&mut tasks).await?;
    let mut ways: Vec<Suspects<'_>> = std::iter::once(dangling).chain(unknown).collect();
    let waited_for = ways.iter().map(|way| way.kept).sum();
    if let Some(settle) = asked.settle.filter(|_| waited_for > 0) {
        tokio::time::sleep(settle).await;
    }
    let mut compared = Compared { waited_for, ..Compared::default() };
    (compared.from.seen, compared.to.seen) = difference.seen();
    for way in &mut ways {
        way.look_again().await?;
        let told = if way.way() == Way::From { &mut compared.from } else { &mut compared.to };
        (told.missing, told.samples) = (way.found, std::mem::take(&mut way.samples));
    }
    for (side, told) in [(from, &mut compared.from), (to, &mut compared.to)] {
        told.unreadable = side.unreadable();
        if told.seen == 0 {
            told.without_id = side.things().await?.saturating_sub(told.unreadable);
        }
    }
    Ok(compared)
}

/// A reader that broke off would look like one that came to its end, and its ids as if they were gone.
async fn all_ended(tasks: &mut JoinSet<()>) -> Result<(), StoreFailure> {
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| {
            StoreFailure::refused(
                codes::TABLE_UNFIT,
                format!(
                    "the reading of a side broke off ({}); nothing can be said about the reference",
                    if error.is_panic() { "panic" } else { "cancelled" }
                ),
                "this is a fault in steward: please report it",
            )
        })?;
    }
    Ok(())
}
