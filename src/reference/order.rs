//! The one order that both sides of a reference come in, whatever their stores call order.
//!
//! Whole numbers first, by value; then everything else, byte by byte. So an index over integers is in this order already, as
//! is one over UUIDs on PostgreSQL, and text never depends on a collation. Nearly all ids are numbers of 64 bits: these are
//! compared, sorted and kept as such.

/// Whole numbers above the 63 bits that a [`Key::Number`] has; an unsigned column holds them behind all others.
const LARGE: u8 = 1;
const TEXT: u8 = 2;

/// An id in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key<'k> {
    /// A whole number of 64 bits with a sign, written as everybody writes it: `42`, never `042`, `+42` or `-0`.
    Number(i64),
    /// Anything else, in bytes that sort in this order. Never empty.
    Other(&'k [u8]),
}

impl<'k> Key<'k> {
    /// The key of an id; what is no number is written to `out`, which is emptied first.
    pub fn of(id: &[u8], out: &'k mut Vec<u8>) -> Self {
        if let Some(number) = number(id) {
            return Self::Number(number);
        }
        out.clear();
        match is_large(id) {
            true => out.extend([LARGE, u8::try_from(id.len()).unwrap_or(u8::MAX)]),
            false => out.push(TEXT),
        }
        out.extend(id);
        Self::Other(out)
    }

    /// The key of a whole number.
    pub fn of_number(number: i128, out: &'k mut Vec<u8>) -> Self {
        i64::try_from(number).map_or_else(|_| Self::of(number.to_string().as_bytes(), out), Self::Number)
    }

    /// The id again.
    pub fn id(self) -> Vec<u8> {
        match self {
            Self::Number(number) => number.to_string().into_bytes(),
            Self::Other([LARGE, _, id @ ..] | [_, id @ ..]) => id.to_vec(),
            Self::Other([]) => vec![],
        }
    }
}

/// The number that an id is, if it is one and written as one.
fn number(id: &[u8]) -> Option<i64> {
    let (negative, digits) = match id {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] => return (!negative).then_some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    digits.iter().try_fold(0_i64, |number, digit| {
        let digit = i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        let tenfold = number.checked_mul(10)?;
        if negative { tenfold.checked_sub(digit) } else { tenfold.checked_add(digit) }
    })
}

/// True for what would be a number if it were smaller.
fn is_large(id: &[u8]) -> bool {
    matches!(id.len(), 19..=200) && id[0] != b'0' && id.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_stand_by_value_and_before_text() {
        let order = [
            "-9223372036854775808",
            "-100",
            "-42",
            "-7",
            "-1",
            "0",
            "1",
            "7",
            "42",
            "100",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "100000000000000000000",
            "",
            "-0",
            "-9223372036854775809",
            "00",
            "042",
            "A",
            "a",
            "é",
        ];
        for pair in order.windows(2) {
            let (mut one, mut other) = (vec![], vec![]);
            assert!(Key::of(pair[0].as_bytes(), &mut one) < Key::of(pair[1].as_bytes(), &mut other), "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_id_again(id in "-?[0-9]{0,25}|.{0,40}") {
            let mut out = vec![];
            prop_assert_eq!(Key::of(id.as_bytes(), &mut out).id(), id.as_bytes());
        }

        #[test]
        fn integers_are_numbers(number: i64) {
            let mut out = vec![];
            prop_assert_eq!(Key::of(number.to_string().as_bytes(), &mut out), Key::Number(number));
            prop_assert_eq!(Key::of_number(number.into(), &mut out), Key::Number(number));
        }

        #[test]
        fn unsigned_integers_sort_by_value(a: u64, b: u64) {
            let (mut one, mut other) = (vec![], vec![]);
            let (one, other) = (Key::of_number(a.into(), &mut one), Key::of(b.to_string().as_bytes(), &mut other));
            prop_assert_eq!(one.cmp(&other), a.cmp(&b));
        }
    }
}
