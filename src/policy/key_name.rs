//! How a key's name may be shown: what a person declared, and short numbers; anything else may be personal.

use super::key_pattern::KeyPattern;
use std::collections::BTreeMap;

/// Pieces of names that may stand for kinds of keys; where there are more, they are ids.
const KINDS: usize = 100;
const KINDS_WITHIN: usize = 8;
/// So many keys must share a second piece before it is taken for a kind, and not for somebody's name.
const SHARED: u64 = 10;

/// A key's name for a report: the beginning that the pattern declares, numbers of at most nine digits, and `***` for every other piece.
pub fn masked(pattern: &KeyPattern, key: &[u8]) -> String {
    let declared = pattern.beginning();
    let (begin, rest) = if declared.is_empty() {
        // Nothing was declared: the first piece says what kind of key it is, if it can be a word.
        let end = key.iter().position(|byte| *byte == b':').filter(|end| is_word(&key[..*end]));
        key.split_at(end.map_or(0, |end| end + 1))
    } else {
        key.split_at(declared.len().min(key.len()))
    };
    let piece = |piece: &[u8]| if is_number(piece) { text(piece) } else { "***".to_owned() };
    let rest: Vec<String> = if rest.is_empty() { vec![] } else { rest.split(|byte| *byte == b':').map(piece).collect() };
    let begin: String = text(begin).chars().map(|c| if c.is_control() { '*' } else { c }).collect();
    format!("{begin}{}", rest.join(":"))
}

fn is_word(piece: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
    (1..=32).contains(&piece.len()) && piece.iter().all(fits)
}

/// A number too short to reach anybody by: ten digits and more may be a telephone number or an identity card's.
fn is_number(piece: &[u8]) -> bool {
    (1..=9).contains(&piece.len()) && piece.iter().all(u8::is_ascii_digit)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Keys by what their names begin with: count and bytes, in bounded memory.
#[derive(Debug, Default)]
pub struct Prefixes {
    kinds: BTreeMap<Vec<u8>, Kind>,
    /// Keys whose first piece is no word, or one of too many.
    others: Sum,
    /// Keys without any `:`.
    bare: Sum,
}

/// So many keys, and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Keys.
    pub keys: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.bytes += other.bytes;
    }
}

#[derive(Debug, Default)]
struct Kind {
    /// By second piece; empty once there are too many.
    within: BTreeMap<Vec<u8>, Sum>,
    too_many: bool,
    rest: Sum,
}

impl Prefixes {
    /// Counts a key.
    pub fn add(&mut self, key: &[u8], bytes: u64) {
        let one = Sum { keys: 1, bytes };
        let mut pieces = key.split(|byte| *byte == b':');
        let first = pieces.next().unwrap_or_default();
        let Some(second) = pieces.next() else { return self.bare.add(one) };
        if !is_word(first) || (self.kinds.len() >= KINDS && !self.kinds.contains_key(first)) {
            return self.others.add(one);
        }
        let kind = self.kinds.entry(first.to_vec()).or_default();
        // The second piece is a kind only if something follows it: `cache:user:42`, not `user:42`.
        if kind.too_many || pieces.next().is_none() || !is_word(second) {
            return kind.rest.add(one);
        }
        kind.within.entry(second.to_vec()).or_default().add(one);
        if kind.within.len() > KINDS_WITHIN {
            kind.too_many = true;
            for (_, sum) in std::mem::take(&mut kind.within) {
                kind.rest.add(sum);
            }
        }
    }

    /// Each beginning, as a sentence quotes it, with its keys; those with the most first.
    pub fn told(self) -> Vec<(String, Sum)> {
        let mut told = vec![("names without `:`".to_owned(), self.bare), ("beginnings that may be ids".to_owned(), self.others)];
        for (first, kind) in self.kinds {
            let first = text(&first);
            let mut rest = kind.rest;
            for (second, sum) in kind.within {
                if sum.keys >= SHARED { told.push((format!("`{first}:{}:`", text(&second)), sum)) } else { rest.add(sum) }
            }
            told.push((format!("`{first}:`"), rest));
        }
        told.retain(|(_, sum)| sum.keys > 0);
        told.sort_by(|(one, a), (other, b)| b.keys.cmp(&a.keys).then_with(|| one.cmp(other)));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_name_has_what_was_declared_and_numbers() {
        let shown = |pattern: &str, key: &[u8]| masked(&pattern.parse().unwrap(), key);
        assert_eq!(shown("cache:user:{id}", b"cache:user:42"), "cache:user:42");
        assert_eq!(shown("cache:user:*", b"cache:user:li@x.com:cart"), "cache:user:***:***");
        assert_eq!(shown("*", b"session:ab12:7"), "session:***:7");
        assert_eq!(shown("*", b"li@x.com"), "***");
        assert_eq!(shown("sms:{id}", b"sms:13800138000"), "sms:***");
        assert_eq!(shown("*", b"\xff\n:1"), "***:1");
    }

    #[test]
    fn beginnings_are_counted_and_nobodys_name_is_among_them() {
        let mut prefixes = Prefixes::default();
        (0..20).for_each(|number| prefixes.add(format!("cache:user:{number}").as_bytes(), 10));
        for name in ["li", "mei", "wang"] {
            prefixes.add(format!("user:{name}:cart").as_bytes(), 1);
            prefixes.add(format!("{name}@x.com:cart").as_bytes(), 1);
        }
        (0..9).for_each(|number| prefixes.add(format!("job:{}:x", char::from(b'a' + number)).as_bytes(), 1));
        prefixes.add(b"plain \xff", 1);
        let told: Vec<(String, u64)> = prefixes.told().into_iter().map(|(prefix, sum)| (prefix, sum.keys)).collect();
        let wanted =
            [("`cache:user:`", 20), ("`job:`", 9), ("`user:`", 3), ("beginnings that may be ids", 3), ("names without `:`", 1)];
        assert_eq!(told, wanted.map(|(prefix, keys)| (prefix.to_owned(), keys)));
    }
}
