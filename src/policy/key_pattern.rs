//! Which keys of a key-value store a policy means.

use super::key_pieces::{self, Piece};
pub use super::key_pieces::{KeyId, LONGEST_ID, is_id};
use std::fmt;
use std::str::FromStr;

/// A pattern for key names: `*` stands for any bytes, `?` for one, `{id}` for the one piece that names the owner.
///
/// A piece ends at every byte that no id holds ([`is_id`]), `:` and `/` among them, and at the byte that stands directly beside `{id}` in the
/// pattern: `user_{id}` is not `user_100_profile`, and `user{id}` not `username`. So a key is rather no key of a pattern than one of
/// the wrong owner. A hold keeps rather too much: see [`Self::may_mean`].
///
/// Anything else is literal, `[`, `]` and `\` included, and so are other braces: `{user1}` is a cluster's hash tag. One that reads
/// like a misspelt `{id}` (`{uid}`, `{user_id}`, `{ID}`) is refused: taken literally it would match nothing, and nobody would know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPattern {
    text: String,
    pieces: Vec<Piece>,
}

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyPatternError {
    /// Nothing at all.
    #[error("the pattern is empty")]
    Empty,
    /// More than one owner.
    #[error("`{{id}}` stands twice in `{0}`; a key has one owner")]
    TwoIds(String),
    /// Nothing would say where the id ends.
    #[error("`{{id}}` stands beside `*` or `?` in `{0}`; where the id ends would be a guess")]
    OpenBeside(String),
    /// Braces around what reads like an id, and is none.
    #[error("`{{{piece}}}` in `{pattern}` would be taken literally; the piece that names the owner is `{{id}}`")]
    NoPiece {
        /// What stands in the braces.
        piece: String,
        /// The pattern.
        pattern: String,
    },
}

impl KeyPatternError {
    /// The way out, where it is not plain.
    pub const fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoPiece { .. } => Some(
                "write `{id}` for the owner's id and `*` for any text; where names really hold these braces, `?` for each of them",
            ),
            Self::OpenBeside(_) => Some("put the separator between them that the names have: `cart:{id}:*`"),
            Self::Empty | Self::TwoIds(_) => None,
        }
    }
}

impl FromStr for KeyPattern {
    type Err = KeyPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(KeyPatternError::Empty);
        }
        if text.matches("{id}").count() > 1 {
            return Err(KeyPatternError::TwoIds(text.to_owned()));
        }
        if let Some(piece) = in_braces(text).find(|piece| *piece != "id" && reads_like_id(piece)) {
            return Err(KeyPatternError::NoPiece { piece: piece.to_owned(), pattern: text.to_owned() });
        }
        let mut pieces = vec![];
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let taken = if rest.starts_with("{id}") { "{id}".len() } else { c.len_utf8() };
            match (taken, c) {
                (4, '{') => pieces.push(Piece::Id),
                (_, '*') => pieces.push(Piece::Any),
                (_, '?') => pieces.push(Piece::One),
                _ => match pieces.last_mut() {
                    Some(Piece::Literal(bytes)) => bytes.extend_from_slice(&rest.as_bytes()[..taken]),
                    _ => pieces.push(Piece::Literal(rest.as_bytes()[..taken].to_vec())),
                },
            }
            rest = &rest[taken..];
        }
        let is_open = |piece: &Piece| matches!(piece, Piece::Any | Piece::One);
        if pieces.windows(2).any(|pair| pair.contains(&Piece::Id) && pair.iter().any(is_open)) {
            return Err(KeyPatternError::OpenBeside(text.to_owned()));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }
}

impl KeyPattern {
    /// `*`: every key.
    pub fn all() -> Self {
        Self { text: "*".to_owned(), pieces: vec![Piece::Any] }
    }

    /// Every key that begins as all that these match: one walk finds the keys of all of them.
    pub fn around<'p>(patterns: impl IntoIterator<Item = &'p Self>) -> Self {
        let shared = |one: &'p [u8], other: &'p [u8]| {
            let length = one.iter().zip(other).take_while(|(a, b)| a == b).count();
            &one[..length]
        };
        let beginning = patterns.into_iter().map(Self::beginning).reduce(shared).unwrap_or_default();
        // Whole letters alone: a pattern is a text.
        let text = beginning.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
        let literal = (!text.is_empty()).then(|| Piece::Literal(text.as_bytes().to_vec()));
        Self { text: format!("{text}*"), pieces: literal.into_iter().chain([Piece::Any]).collect() }
    }

    /// The same in the store's own glob language, for MATCH.
    pub fn glob(&self) -> Vec<u8> {
        let mut glob = vec![];
        for piece in &self.pieces {
            match piece {
                Piece::Any | Piece::Id => glob.push(b'*'),
                Piece::One => glob.push(b'?'),
                Piece::Literal(bytes) => {
                    for byte in bytes {
                        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'^' | b'-') {
                            glob.push(b'\\');
                        }
                        glob.push(*byte);
                    }
                }
            }
        }
        glob
    }

    /// What every key that matches begins with, as it was declared.
    pub fn beginning(&self) -> &[u8] {
        match self.pieces.first() {
            Some(Piece::Literal(bytes)) => bytes,
            _ => &[],
        }
    }

    /// True when the pattern says which piece names the owner.
    pub fn has_id(&self) -> bool {
        self.pieces.contains(&Piece::Id)
    }

    /// The key that an id gives; none when other pieces are open too, there is no `{id}`, or no key of the pattern has this id.
    pub fn name_of(&self, id: &[u8]) -> Option<Vec<u8>> {
        if !key_pieces::takes(&self.pieces, id) {
            return None;
        }
        let mut name = vec![];
        for piece in &self.pieces {
            match piece {
                Piece::Literal(bytes) => name.extend_from_slice(bytes),
                Piece::Id => name.extend_from_slice(id),
                Piece::One | Piece::Any => return None,
            }
        }
        Some(name)
    }

    /// What stands in braces and is taken literally, `{id}` aside: a cluster's hash tag, or a mistake.
    pub fn literal_braces(&self) -> Option<&str> {
        in_braces(&self.text).find(|piece| *piece != "id")
    }

    /// True when the key is one of the pattern's.
    pub fn matches(&self, key: &[u8]) -> bool {
        if self.has_id() { self.id_of(key) != KeyId::NoMatch } else { key_pieces::fits(&self.pieces, key) }
    }

    /// True when the key may be one of those that were meant, `{id}` standing for anything: what a hold keeps.
    pub fn may_mean(&self, key: &[u8]) -> bool {
        key_pieces::fits(&self.pieces, key)
    }

    /// The owner that a key names at `{id}`.
    pub fn id_of<'k>(&self, key: &'k [u8]) -> KeyId<'k> {
        key_pieces::id_of(&self.pieces, key)
    }
}

/// What stands between each `}` and the last `{` before it.
fn in_braces(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('}').filter_map(|(end, _)| {
        let begin = text[..end].rfind('{')?;
        Some(&text[begin + 1..end]).filter(|piece| !piece.is_empty() && !piece.contains('}'))
    })
}

/// True for `uid`, `user_id`, `userId`, `ID`, ` id `: what people write for the id of somebody.
fn reads_like_id(piece: &str) -> bool {
    let piece = piece.trim();
    let last = piece.rsplit(['_', '-', '.', ' ']).next().unwrap_or_default();
    let is_hump =
        last.strip_suffix("Id").or(last.strip_suffix("ID")).is_some_and(|before| before.ends_with(|c: char| c.is_lowercase()));
    is_hump || ["id", "ids", "uid", "uuid", "guid", "userid"].contains(&last.to_lowercase().as_str())
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for KeyPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> KeyPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_matches_bytes_and_names_the_owner() {
        let owner = pattern("cache:user:{id}");
        assert_eq!(owner.id_of(b"cache:user:42"), KeyId::Of(b"42"));
        assert_eq!(owner.id_of("cache:user:雪.li@x.com".as_bytes()), KeyId::Of("雪.li@x.com".as_bytes()));
        assert_eq!(pattern("u:{id}:*").id_of(b"u:7:a:b"), KeyId::Of(b"7"));
        assert_eq!(pattern("{{id}}:cart").id_of(b"{7}:cart"), KeyId::Of(b"7"));
        assert!(pattern("*").matches(b"") && !pattern("a?").matches(b"a") && pattern("a?").matches(b"ab"));
        assert!(!pattern("a*b").matches(b"ac") && pattern("a*b*c").matches(b"a-b-b-c") && !pattern("a*b*c").matches(b"a-c-b"));
    }

    #[test]
    fn an_id_is_one_piece_and_nothing_longer() {
        let long = [b"cache:user:".to_vec(), vec![b'x'; LONGEST_ID + 1]].concat();
        assert!(pattern("cache:user:{id}").matches(&long[..long.len() - 1]) && !pattern("cache:user:{id}").matches(&long));
        let others: &[(&str, &[&str])] = &[
            (
                "cache:user:{id}",
                &["cache:user:", "cache:user:1:profile", "cache:user:1/x", "cache:user:1|x", "cache:user:1 ", "cache:user:1#x"],
            ),
            ("cache:user:{id}", &["cache:user:1%3Ax", "cache:user:{1}", "cache:user:1\n", "cache:user:1,2", "cache:job:1"]),
            ("user_{id}", &["user_1_profile", "user_1:x", "user__1"]),
            ("sess.{id}", &["sess.1.x"]),
            ("{id}-cart", &["a-1-cart", "-cart"]),
            ("user{id}", &["username", "users1", "user_1", "user-1", "user.1"]),
            ("v2{id}", &["v21", "v2"]),
            ("{id}cart", &["1xcart"]),
            ("u:*:{id}", &["u:a:1/2", "u:a:"]),
        ];
        for (text, keys) in others {
            for key in *keys {
                assert_eq!(pattern(text).id_of(key.as_bytes()), KeyId::NoMatch, "{text} {key}");
                assert!(!pattern(text).matches(key.as_bytes()), "{text} {key}");
            }
        }
        assert_eq!(pattern("user{id}").id_of(b"user1"), KeyId::Of(b"1"));
        assert_eq!(pattern("u:*:{id}").id_of(b"u:a:b:1"), KeyId::Of(b"1"));
    }

    #[test]
    fn where_two_pieces_could_be_the_id_nobody_is_named() {
        let both = pattern("*:user:{id}:*");
        assert_eq!(both.id_of(b"a:user:1:x"), KeyId::Of(b"1"));
        assert_eq!(both.id_of(b"a:user:1:user:2:x"), KeyId::Unreadable);
        assert_eq!(pattern("u:{id}").id_of(b"u:\xff"), KeyId::Unreadable, "no text");
    }

    #[test]
    fn beside_an_open_piece_an_id_has_no_end() {
        for text in ["u:{id}*", "u:*{id}", "u:?{id}", "{id}?"] {
            let error = text.parse::<KeyPattern>().unwrap_err();
            assert!(matches!(error, KeyPatternError::OpenBeside(_)) && error.help().is_some(), "{text}");
        }
    }

    #[test]
    fn a_hold_keeps_whatever_may_be_meant() {
        let held = pattern("cache:user:{id}");
        assert!(held.may_mean(b"cache:user:1:profile") && held.may_mean(b"cache:user:\xff") && !held.may_mean(b"cache:job:1"));
    }

    #[test]
    fn what_is_literal_stays_literal_in_the_stores_language() {
        assert_eq!(pattern("a[1]{tag}:*").glob(), b"a\\[1\\]{tag}:*");
        assert_eq!(pattern("k:{id}").glob(), b"k:*");
        assert!(pattern("a[1]").matches(b"a[1]") && !pattern("a[1]").matches(b"a1"));
    }

    #[test]
    fn around_several_patterns_is_what_all_begin_with() {
        let around = |patterns: &[&str]| {
            let patterns: Vec<KeyPattern> = patterns.iter().map(|text| pattern(text)).collect();
            KeyPattern::around(&patterns)
        };
        assert_eq!(around(&["user:session:*", "user:token:{id}"]), pattern("user:*"));
        assert_eq!(around(&["user:session:*", "sms:*"]), KeyPattern::all());
        assert_eq!(around(&["*:a", "*:a"]), KeyPattern::all());
        assert_eq!(around(&["k\u{e9}*", "k\u{e8}*"]), pattern("k*"), "they share the first byte of a letter");
    }

    #[test]
    fn an_id_gives_the_name_of_its_key() {
        assert_eq!(pattern("user:session:{id}").name_of(b"4"), Some(b"user:session:4".to_vec()));
        assert_eq!(pattern("{{id}}:session").name_of(b"42"), Some(b"{42}:session".to_vec()), "a hash tag around the id");
        assert_eq!((pattern("u:*:{id}").name_of(b"1"), pattern("u:1").name_of(b"1")), (None, None));
        for id in [&b"4:profile"[..], b"", b"4\xff", b"4 ", &[b'x'; LONGEST_ID + 1]] {
            assert_eq!(pattern("user:session:{id}").name_of(id), None);
        }
    }

    #[test]
    fn a_hash_tag_is_literal_and_a_misspelt_id_is_refused() {
        for tag in [
            "{user1}:cart",
            "{user1000}.following",
            "c:{t}:*",
            "{app}:leader",
            "{grid}",
            "{paid}:*",
            "{}",
            "a}b{c",
            "{{id}}:a",
            "{a}{id}",
        ] {
            assert!(tag.parse::<KeyPattern>().is_ok(), "{tag}");
        }
        assert_eq!(pattern("{user1}:*").literal_braces(), Some("user1"));
        assert_eq!((pattern("a:{id}").literal_braces(), pattern("{{id}}:a").literal_braces()), (None, None));
        for slip in [
            "user:{uid}",
            "user:{user_id}:*",
            "{userId}",
            "a:{ID}",
            "a:{ id }",
            "a:{Id}",
            "{id}:{user-id}",
            "{uuid}",
            "a:{{uid}}",
        ] {
            let error = slip.parse::<KeyPattern>().unwrap_err();
            assert!(matches!(error, KeyPatternError::NoPiece { .. }) && error.help().is_some(), "{slip}: {error}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        assert_eq!("".parse::<KeyPattern>(), Err(KeyPatternError::Empty));
        assert!("{id}:{id}".parse::<KeyPattern>().is_err());
    }
}
