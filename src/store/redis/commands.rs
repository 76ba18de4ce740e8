//! What is asked of keys, and what their answers say.

use super::reply::{is_moved, odd, refusal};
use crate::policy::key_pattern::{KeyPattern, LONGEST_ID};
use crate::store::error::StoreFailure;
use redis::{Cmd, Pipeline, Value};

/// Bytes of a value that is an id; a longer value is none.
pub const ID: usize = LONGEST_ID;

/// What is asked of each key besides its time to live. None of it counts as a use of the key, except `value` before Redis 7.2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// How long nobody used it. Asked before anything else is. Without a memory limit by use, Redis keeps one object for all
    /// values that are the same small number: any use of one of them is a use of all, and none looks idle that is not.
    pub idle: bool,
    /// How much memory it takes, by a sample of its members.
    pub bytes: bool,
    /// Its value, as far as it can be an id.
    pub value: bool,
}

/// One key, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name: any bytes.
    pub name: Vec<u8>,
    /// Milliseconds it has to live; none when it never expires.
    pub left: Option<u64>,
    /// Seconds since it was last used, if that was asked.
    pub idle: Option<u64>,
    /// Bytes, if that was asked.
    pub bytes: Option<u64>,
    /// Its value, if that was asked, and it is a text that can be an id.
    pub value: Option<Vec<u8>>,
}

/// What a walk does with a key that it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It is counted, and not given.
    Counted,
    /// Its name is given, and nothing asked of it: it may be gone by now.
    Named,
    /// This is asked of it.
    Asked(Asked),
}

impl Wanted {
    /// What serves two who want something of the same key.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Asked(one), Self::Asked(two)) => {
                Self::Asked(Asked { idle: one.idle || two.idle, bytes: one.bytes || two.bytes, value: one.value || two.value })
            }
            (Self::Asked(asked), _) | (_, Self::Asked(asked)) => Self::Asked(asked),
            (Self::Named, _) | (_, Self::Named) => Self::Named,
            _ => Self::Counted,
        }
    }
}

/// Which keys a walk is over, and what it wants of each.
#[derive(Debug, Clone)]
pub struct Questions {
    /// What SCAN is to look for: matches at least every key that is wanted.
    pub found: KeyPattern,
    /// What is wanted of keys whose names match; of one that matches several, what serves all of them.
    pub each: Vec<(KeyPattern, Wanted)>,
    /// What is wanted of a key that matches none of these; without it such a key is not there for the walk.
    pub rest: Option<Wanted>,
}

impl Questions {
    /// The same of every key that matches.
    pub fn of(pattern: KeyPattern, asked: Asked) -> Self {
        Self { found: pattern.clone(), each: vec![(pattern, Wanted::Asked(asked))], rest: None }
    }

    /// What is wanted of a key, and whether one of the patterns matches it; none when the walk is not over it.
    pub fn wanted(&self, name: &[u8]) -> Option<(Wanted, bool)> {
        let matching = self.each.iter().filter(|(pattern, _)| pattern.matches(name)).map(|(_, wanted)| *wanted);
        match matching.reduce(Wanted::and) {
            Some(wanted) => Some((wanted, true)),
            None => self.rest.map(|wanted| (wanted, false)),
        }
    }
}

/// Adds the questions about a key.
pub fn ask(pipe: &mut Pipeline, name: &[u8], asked: Asked) {
    // Each in one piece of memory of the right size: this is done a million times.
    let mut command = |words: &[&str], behind: &[&str]| {
        let size = words.iter().chain(behind).map(|word| word.len()).sum::<usize>() + name.len();
        let mut command = Cmd::with_capacity(words.len() + behind.len() + 1, size);
        for word in words {
            command.arg(word);
        }
        command.arg(name);
        for word in behind {
            command.arg(word);
        }
        pipe.add_command(command);
    };
    if asked.idle {
        command(&["OBJECT", "IDLETIME"], &[]);
    }
    command(&["PTTL"], &[]);
    if asked.bytes {
        // Five members are looked at, as by default: all of them would keep the server for as long as the key is large.
        command(&["MEMORY", "USAGE"], &[]);
    }
    if asked.value {
        command(&["GETRANGE"], &["0", "200"]);
    }
}

/// The answers to the questions about keys, in the order of these.
pub struct Answers<'a> {
    store: &'a str,
    values: std::vec::IntoIter<Value>,
    /// A key was on its way to another server of the cluster: there it is seen, or by the next run.
    pub moved: bool,
}

impl<'a> Answers<'a> {
    /// Nothing of it was read yet.
    pub fn of(store: &'a str, values: Vec<Value>) -> Self {
        Self { store, values: values.into_iter(), moved: false }
    }

    /// What they say of the next key; none when it is gone already.
    ///
    /// # Errors
    /// The server refused to answer, or did it in an odd way.
    pub fn key(&mut self, name: Vec<u8>, wanted: Wanted) -> Result<Option<Key>, StoreFailure> {
        let Wanted::Asked(asked) = wanted else {
            return Ok(Some(Key { name, left: None, idle: None, bytes: None, value: None }));
        };
        let idle = if asked.idle { natural(self.number("OBJECT IDLETIME")?) } else { None };
        let left = self.number("PTTL")?.unwrap_or(-2);
        let bytes = if asked.bytes { natural(self.number("MEMORY USAGE")?) } else { None };
        let value = if asked.value { self.value()? } else { None };
        Ok((left != -2).then(|| Key { name, left: natural(Some(left)), idle, bytes, value }))
    }

    fn number(&mut self, command: &str) -> Result<Option<i64>, StoreFailure> {
        match self.values.next() {
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(Value::Nil) => Ok(None),
            Some(Value::ServerError(error)) if is_moved(&error) => {
                self.moved = true;
                Ok(None)
            }
            // On some versions a key that is gone is an error of `OBJECT`.
            Some(Value::ServerError(error)) if error.details().is_some_and(|said| said.contains("no such key")) => Ok(None),
            Some(Value::ServerError(error)) => Err(refusal(self.store, &error)),
            _ => Err(odd(self.store, command)),
        }
    }

    fn value(&mut self) -> Result<Option<Vec<u8>>, StoreFailure> {
        match self.values.next() {
            Some(Value::Nil) => Ok(None),
            Some(Value::BulkString(value)) => Ok(Some(value).filter(|value| !value.is_empty() && value.len() <= ID)),
            // A list or a hash is no id.
            Some(Value::ServerError(error)) if error.code() == "WRONGTYPE" || is_moved(&error) => Ok(None),
            Some(Value::ServerError(error)) => Err(refusal(self.store, &error)),
            _ => Err(odd(self.store, "GETRANGE")),
        }
    }
}

fn natural(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Asked = Asked { idle: true, bytes: false, value: false };
    const VALUE: Asked = Asked { idle: false, bytes: false, value: true };

    fn pattern(text: &str) -> KeyPattern {
        text.parse().unwrap()
    }

    #[test]
    fn of_each_key_is_asked_what_those_want_whose_patterns_match() {
        let each = vec![
            (pattern("c:*"), Wanted::Asked(IDLE)),
            (pattern("c:user:*"), Wanted::Asked(VALUE)),
            (pattern("d:*"), Wanted::Counted),
        ];
        let questions = Questions { found: KeyPattern::all(), each, rest: Some(Wanted::Named) };
        assert_eq!(questions.wanted(b"c:1"), Some((Wanted::Asked(IDLE), true)));
        let both = Asked { idle: true, bytes: false, value: true };
        assert_eq!(questions.wanted(b"c:user:1"), Some((Wanted::Asked(both), true)));
        assert_eq!(questions.wanted(b"d:1"), Some((Wanted::Counted, true)));
        assert_eq!(questions.wanted(b"e:1"), Some((Wanted::Named, false)));
        let alone = Questions::of(pattern("c:{id}"), Asked::default());
        assert_eq!(alone.wanted(b"c:"), None, "the server's own pattern matches it, and ours does not");
    }

    #[test]
    fn the_length_that_is_asked_for_is_that_of_an_id() {
        let mut pipe = Pipeline::new();
        ask(&mut pipe, b"c:1", VALUE);
        let packed = String::from_utf8(pipe.get_packed_pipeline()).unwrap();
        assert!(packed.ends_with(&format!("$8\r\nGETRANGE\r\n$3\r\nc:1\r\n$1\r\n0\r\n$3\r\n{ID}\r\n")), "{packed}");
    }

    #[test]
    fn answers_are_read_in_the_order_of_the_questions() {
        let values = vec![Value::Int(7), Value::Int(-1), Value::Int(-2), Value::BulkString(b"42".to_vec())];
        let mut answers = Answers::of("cache", values);
        let first = answers.key(b"a".to_vec(), Wanted::Asked(IDLE)).unwrap();
        assert_eq!(first, Some(Key { name: b"a".to_vec(), left: None, idle: Some(7), bytes: None, value: None }));
        assert_eq!(answers.key(b"b".to_vec(), Wanted::Named).unwrap().map(|key| key.name), Some(b"b".to_vec()));
        assert_eq!(answers.key(b"c".to_vec(), Wanted::Asked(VALUE)).unwrap(), None, "it is gone");
        assert!(answers.key(b"d".to_vec(), Wanted::Asked(IDLE)).is_err(), "nothing answered for it");
    }
}
