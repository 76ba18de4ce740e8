//! What one stream has and the other has not.

use super::page::IdPage;
use super::stream::IdStream;
use crate::diagnostic::catalogue as codes;
use crate::store::failure::StoreFailure;
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
pub(super) struct Difference {
    from: Reader,
    to: Reader,
    /// Where the key stands that was given last.
    given: Option<Way>,
    begun: bool,
}

impl Difference {
    pub(super) fn of(from: IdStream, to: IdStream) -> Self {
        Self { from: Reader::new(from), to: Reader::new(to), given: None, begun: false }
    }

    /// Moves to the next key that stands alone, and says where; none when both streams are at their ends.
    pub(super) async fn next(&mut self) -> Result<Option<Way>, StoreFailure> {
        match (self.begun, self.given.take()) {
            (false, _) => {
                self.begun = true;
                self.from.advance().await?;
                self.to.advance().await?;
            }
            (true, Some(Way::From)) => self.from.advance().await?,
            (true, Some(Way::To)) => self.to.advance().await?,
            (true, None) => {}
        }
        loop {
            let way = match (self.from.current(), self.to.current()) {
                (None, None) => return Ok(None),
                (Some(_), None) => Way::From,
                (None, Some(_)) => Way::To,
                (Some(one), Some(other)) => match one.cmp(other) {
                    Ordering::Less => Way::From,
                    Ordering::Greater => Way::To,
                    Ordering::Equal => {
                        self.from.advance().await?;
                        self.to.advance().await?;
                        continue;
                    }
                },
            };
            self.given = Some(way);
            return Ok(Some(way));
        }
    }

    /// The key that stands alone.
    pub(super) fn key(&self) -> &[u8] {
        let reader = if self.given == Some(Way::To) { &self.to } else { &self.from };
        reader.current().unwrap_or_default()
    }

    /// How many different ids each side has had so far.
    pub(super) const fn seen(&self) -> (u64, u64) {
        (self.from.seen, self.to.seen)
    }
}

/// A stream, one different key at a time.
struct Reader {
    stream: IdStream,
    page: IdPage,
    /// The place of the current key; none before the first and after the last.
    at: Option<usize>,
    /// The last key of the page before.
    before: Vec<u8>,
    seen: u64,
}

impl Reader {
    fn new(stream: IdStream) -> Self {
        Self { stream, page: IdPage::default(), at: None, before: vec![], seen: 0 }
    }

    fn current(&self) -> Option<&[u8]> {
        self.page.get(self.at?)
    }

    /// Moves to the next key that differs from the current one.
    async fn advance(&mut self) -> Result<(), StoreFailure> {
        let mut at = self.at.map_or(0, |at| at + 1);
        loop {
            let Some(key) = self.page.get(at) else {
                let ended = self.page.len().checked_sub(1).and_then(|last| self.page.get(last));
                if let Some(last) = ended {
                    self.before.clear();
                    self.before.extend_from_slice(last);
                }
                let Some(page) = self.stream.recv().await else {
                    (self.page, self.at) = (IdPage::default(), None);
                    return Ok(());
                };
                (self.page, at) = (page?, 0);
                continue;
            };
            let before = at.checked_sub(1).and_then(|before| self.page.get(before)).unwrap_or(&self.before);
            match key.cmp(before) {
                // Every key has a first byte, so none equals the emptiness before the first.
                Ordering::Greater => {
                    (self.at, self.seen) = (Some(at), self.seen + 1);
                    return Ok(());
                }
                Ordering::Equal => at += 1,
                Ordering::Less => return Err(disorder()),
            }
        }
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
    use super::super::order::{id_of, key_of};
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
            key_of(id.as_bytes(), &mut key);
            page.push(&key);
        }
        page
    }

    async fn told(from: &[&[&str]], to: &[&[&str]]) -> Result<(u64, u64, Vec<String>), StoreFailure> {
        let (mut found, mut difference) = (vec![], Difference::of(stream(from), stream(to)));
        while let Some(way) = difference.next().await? {
            found.push(format!("{way:?} {}", String::from_utf8(id_of(difference.key())).unwrap()));
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
