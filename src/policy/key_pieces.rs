//! The pieces of a pattern for key names, and which keys they match.

/// Bytes of an id at most; what is longer is none.
pub const LONGEST_ID: usize = 200;

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    /// These bytes.
    Literal(Vec<u8>),
    /// One byte.
    One,
    /// Any bytes.
    Any,
    /// The owner's id.
    Id,
}

/// What a key says of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyId<'k> {
    /// The key is none of the pattern's.
    NoMatch,
    /// It is one, and names no owner that can be read: two pieces could be the id, or its bytes are no text.
    Unreadable,
    /// It is one, of this owner.
    Of(&'k [u8]),
}

/// True for what can be an id: 1 to 200 bytes of letters, digits and `-_.@+=~`, letters of every script included.
///
/// Anything else stands between ids, or is a value that holds more than an id (JSON, a list, a text that was encoded).
pub fn is_id(bytes: &[u8]) -> bool {
    let fits = (1..=LONGEST_ID).contains(&bytes.len()) && bytes.iter().all(|byte| is_of_id(*byte));
    fits && std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(|c| !c.is_whitespace() && !c.is_control()))
}

const fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'+' | b'=' | b'~')
}

/// What stands directly beside `{id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// The end of the name, or a byte that no id of this pattern holds.
    Separator,
    /// A letter: the id has a digit there, or the piece would go on.
    Letter,
    /// A digit: the id has a letter there.
    Digit,
}

impl Edge {
    const fn of(beside: Option<u8>) -> Self {
        match beside {
            Some(byte) if byte.is_ascii_digit() => Self::Digit,
            Some(byte) if byte.is_ascii_alphabetic() || !byte.is_ascii() => Self::Letter,
            _ => Self::Separator,
        }
    }

    /// True when an id with this byte at this edge is a piece of its own.
    fn ends(self, byte: Option<&u8>) -> bool {
        match (self, Self::of(byte.copied())) {
            (Self::Separator, _) | (Self::Letter, Self::Digit) | (Self::Digit, Self::Letter) => true,
            (Self::Letter | Self::Digit, _) => false,
        }
    }
}

/// Where `{id}` stands in a pattern.
struct Around<'p> {
    before: &'p [Piece],
    behind: &'p [Piece],
    first: Option<u8>,
    last: Option<u8>,
}

impl<'p> Around<'p> {
    fn of(pieces: &'p [Piece]) -> Option<Self> {
        let at = pieces.iter().position(|piece| *piece == Piece::Id)?;
        let (before, behind) = (&pieces[..at], &pieces[at + 1..]);
        let first = before.last().and_then(|piece| if let Piece::Literal(bytes) = piece { bytes.last().copied() } else { None });
        let last = behind.first().and_then(|piece| if let Piece::Literal(bytes) = piece { bytes.first().copied() } else { None });
        Some(Self { before, behind, first, last })
    }

    /// True for a byte that an id of this pattern may hold: none that separates it from what stands beside it.
    fn is_inside(&self, byte: u8) -> bool {
        let separates = |beside: Option<u8>| beside == Some(byte) && Edge::of(beside) == Edge::Separator;
        is_of_id(byte) && !separates(self.first) && !separates(self.last)
    }

    fn is_whole(&self, id: &[u8]) -> bool {
        Edge::of(self.first).ends(id.first()) && Edge::of(self.last).ends(id.last())
    }

    /// True for an id that this pattern could give.
    fn takes(&self, id: &[u8]) -> bool {
        is_id(id) && id.iter().all(|byte| self.is_inside(*byte)) && self.is_whole(id)
    }

    /// The id of a key.
    fn id<'k>(&self, key: &'k [u8]) -> KeyId<'k> {
        match self.before {
            [] => self.from(key, KeyId::NoMatch),
            [Piece::Literal(bytes)] => {
                key.strip_prefix(bytes.as_slice()).map_or(KeyId::NoMatch, |rest| self.from(rest, KeyId::NoMatch))
            }
            before => {
                let starts = (0..=key.len()).filter(|end| fits(before, &key[..*end]));
                starts.fold(KeyId::NoMatch, |found, start| self.from(&key[start..], found))
            }
        }
    }

    /// The same of a key whose id begins here; `found` is what it would be if it began elsewhere.
    fn from<'k>(&self, rest: &'k [u8], found: KeyId<'k>) -> KeyId<'k> {
        let run = rest.iter().take(LONGEST_ID).take_while(|byte| self.is_inside(**byte)).count();
        let ids =
            (1..=run).map(|length| rest.split_at(length)).filter(|(id, behind)| self.is_whole(id) && fits(self.behind, behind));
        ids.fold(found, |found, (id, _)| match found {
            KeyId::NoMatch if is_id(id) => KeyId::Of(id),
            KeyId::Of(other) if other == id => found,
            _ => KeyId::Unreadable,
        })
    }
}

/// The owner that a key names, going by these pieces; one `{id}` is among them.
pub(super) fn id_of<'k>(pieces: &[Piece], key: &'k [u8]) -> KeyId<'k> {
    Around::of(pieces).map_or(KeyId::NoMatch, |around| around.id(key))
}

/// True when the id could stand in a key of these pieces.
pub(super) fn takes(pieces: &[Piece], id: &[u8]) -> bool {
    Around::of(pieces).is_some_and(|around| around.takes(id))
}

/// True when the whole key fits these pieces, where `{id}` stands for any bytes.
///
/// The last `*` alone is tried again, which is enough for all of them: the work is at most pieces times bytes.
pub(super) fn fits(pieces: &[Piece], key: &[u8]) -> bool {
    let (mut piece, mut at, mut again) = (0, 0, None);
    loop {
        let step = match pieces.get(piece) {
            None if at == key.len() => return true,
            None => None,
            Some(Piece::Any | Piece::Id) => {
                again = Some((piece, at));
                Some(0)
            }
            Some(Piece::One) => (at < key.len()).then_some(1),
            Some(Piece::Literal(bytes)) => key[at..].starts_with(bytes).then_some(bytes.len()),
        };
        match (step, again) {
            (Some(taken), _) => (piece, at) = (piece + 1, at + taken),
            (None, Some((any, from))) if from < key.len() => {
                again = Some((any, from + 1));
                (piece, at) = (any + 1, from + 1);
            }
            (None, _) => return false,
        }
    }
}
