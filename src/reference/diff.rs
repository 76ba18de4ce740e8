//! What one stream has and the other has not.

use super::order::Key;
use super::page::IdPage;
use super::stream::IdStream;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use std::cmp::Ordering;

/// On which side an id stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Only on the side that refers.
    From,
    /// Only on the side that is referred to.
    To,
}

/// Two streams, read together: gives each key that only one of them has.
///
/// Holds a few pages. Both must come in order, and a stream that does not is an error: a comparison would miss ids.
pub(crate) struct Difference {
    from: Reader,
    to: Reader,
    /// Which sides go on before anything else is looked at: those whose key was dealt with.
    passed: (bool, bool),
}

impl Difference {
    pub(crate) fn of(from: IdStream, to: IdStream) -> Self {
        Self { from: Reader::new(from), to: Reader::new(to), passed: (true, true) }
    }

    /// The next key that stands alone, and where; none when both streams are at their ends.
    pub(crate) async fn next(&mut self) -> Result<Option<(Way, Key<'_>)>, StoreFailure> {
        let way = loop {
            // Nothing is waited for within a page: nearly all keys are passed here.
            if self.passed.0 && !self.from.step()? {
                self.from.turn().await?;
            }
            if self.passed.1 && !self.to.step()? {
                self.to.turn().await?;
            }
            let order = match (self.from.current(), self.to.current()) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => one.cmp(&other),
            };
            self.passed = (order.is_le(), order.is_ge());
            match order {
                Ordering::Less => break Way::From,
                Ordering::Greater => break Way::To,
                Ordering::Equal => {}
            }
        };
        let reader = if way == Way::From { &self.from } else { &self.to };
        Ok(reader.current().map(|key| (way, key)))
    }

    /// How many different ids each side has had so far.
    pub(crate) const fn seen(&self) -> (u64, u64) {
        (self.from.seen, self.to.seen)
    }
}

/// A stream, one different key at a time.
struct Reader {
    stream: IdStream,
    page: IdPage,
    /// The place behind the current key; zero before the first of a page.
    next: usize,
    /// The last page that had keys: the first key of this one stands behind its last.
    before: IdPage,
    seen: u64,
}

impl Reader {
    fn new(stream: IdStream) -> Self {
        Self { stream, page: IdPage::default(), next: 0, before: IdPage::default(), seen: 0 }
    }

    fn current(&self) -> Option<Key<'_>> {
        self.page.get(self.next.checked_sub(1)?)
    }

    /// Moves to the next key of the page that differs from the current one; false when it has no more.
    fn step(&mut self) -> Result<bool, StoreFailure> {
        while let Some(key) = self.page.get(self.next) {
            let order = self.current().or_else(|| self.before.last()).map_or(Ordering::Greater, |before| key.cmp(&before));
            self.next += 1;
            match order {
                Ordering::Greater => {
                    self.seen += 1;
                    return Ok(true);
                }
                Ordering::Equal => {}
                Ordering::Less => return Err(disorder()),
            }
        }
        Ok(false)
    }

    /// Turns pages until there is a key that differs from the current one; there is no current one at the end.
    async fn turn(&mut self) -> Result<(), StoreFailure> {
        while let Some(page) = self.stream.recv().await {
            let read = std::mem::replace(&mut self.page, page?);
            self.next = 0;
            if !read.is_empty() {
                self.before = read;
            }
            if self.step()? {
                return Ok(());
            }
        }
        (self.page, self.next) = (IdPage::default(), 0);
        Ok(())
    }
}

fn disorder() -> StoreFailure {
    StoreFailure::refused(
        codes::TABLE_UNFIT,
        "ids came in another order than their store promised; nothing can be said about the reference",
        "check the index that the ids are read by (REINDEX, CHECK TABLE)",
    )
}

#[cfg(test)]
mod tests {
    use super::super::stream::pair;
    use super::*;

    fn stream(pages: &[&[&str]]) -> IdStream {
        let (sink, stream) = pair();
        let pages: Vec<IdPage> = pages.iter().map(|ids| page(ids)).collect();
        tokio::spawn(async move {
            for page in pages {
                sink.send(Ok(page)).await.unwrap();
            }
        });
        stream
    }

    fn page(ids: &[&str]) -> IdPage {
        let (mut page, mut key) = (IdPage::default(), vec![]);
        for id in ids {
            page.push(Key::of(id.as_bytes(), &mut key));
        }
        page
    }

    async fn told(from: &[&[&str]], to: &[&[&str]]) -> Result<(u64, u64, Vec<String>), StoreFailure> {
        let (mut found, mut difference) = (vec![], Difference::of(stream(from), stream(to)));
        while let Some((way, key)) = difference.next().await? {
            found.push(format!("{way:?} {}", String::from_utf8(key.id()).unwrap()));
        }
        assert_eq!(difference.next().await?, None);
        let (from, to) = difference.seen();
        Ok((from, to, found))
    }

    #[tokio::test]
    async fn each_id_that_stands_alone_is_told_once() {
        let found = told(&[&["1", "2", "2"], &[], &["2", "10"], &["a"]], &[&["2"], &["3", "3"], &["a"]]).await.unwrap();
        assert_eq!(found, (4, 3, vec!["From 1".into(), "To 3".into(), "From 10".into()]));
        assert_eq!(told(&[], &[]).await.unwrap(), (0, 0, vec![]));
        assert_eq!(told(&[&[""]], &[&[], &[]]).await.unwrap(), (1, 0, vec!["From ".into()]));
    }

    #[tokio::test]
    async fn disorder_is_an_error_and_not_a_number() {
        for from in [&[&["2", "1"] as &[&str]] as &[&[&str]], &[&["2"], &["1"]]] {
            assert!(told(from, &[]).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_failure_on_the_way_is_the_answer() {
        let (sink, failing) = pair();
        sink.send(Ok(page(&["1"]))).await.unwrap();
        sink.send(Err(StoreFailure::Away { store: "core".into(), text: "gone".into() })).await.unwrap();
        let mut difference = Difference::of(failing, stream(&[&["1", "2"]]));
        assert!(difference.next().await.unwrap_err().to_string().contains("core"));
    }
}
