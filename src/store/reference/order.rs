//! The one order that both sides of a reference come in, whatever their stores call order.
//!
//! Whole numbers first, by value; then everything else, byte by byte. So an index over integers is in this order already, as
//! is one over UUIDs on PostgreSQL, and text never depends on a collation.

const NEGATIVE: u8 = 1;
const NATURAL: u8 = 2;
const TEXT: u8 = 3;

/// Writes an id as bytes that sort in this order; `out` is emptied first.
pub fn key_of(id: &[u8], out: &mut Vec<u8>) {
    out.clear();
    match digits(id) {
        Some((false, digits)) => {
            out.extend([NATURAL, u8::try_from(digits.len()).unwrap_or(u8::MAX)]);
            out.extend(digits);
        }
        // The larger the number behind the sign, the earlier.
        Some((true, digits)) => {
            out.extend([NEGATIVE, u8::MAX - u8::try_from(digits.len()).unwrap_or(u8::MAX)]);
            out.extend(digits.iter().map(|digit| b'9' - digit));
        }
        None => {
            out.push(TEXT);
            out.extend(id);
        }
    }
}

/// The id of a key.
pub fn id_of(key: &[u8]) -> Vec<u8> {
    match key {
        [NATURAL, _, digits @ ..] => digits.to_vec(),
        [NEGATIVE, _, digits @ ..] => std::iter::once(b'-').chain(digits.iter().map(|digit| b'9' - digit)).collect(),
        [_, id @ ..] => id.to_vec(),
        [] => vec![],
    }
}

/// Sign and digits of an id that is a whole number as everybody writes it: `42`, never `042`, `+42` or `-0`.
fn digits(id: &[u8]) -> Option<(bool, &[u8])> {
    let (negative, digits) = match id {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let plain = matches!(digits.len(), 1..=200) && digits.iter().all(u8::is_ascii_digit);
    let canonical = digits.first() != Some(&b'0') || (id == b"0");
    (plain && canonical).then_some((negative, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(id: &str) -> Vec<u8> {
        let mut out = vec![];
        key_of(id.as_bytes(), &mut out);
        out
    }

    #[test]
    fn numbers_stand_by_value_and_before_text() {
        let order =
            ["-100", "-42", "-7", "-1", "0", "1", "7", "42", "100", "18446744073709551615", "", "-0", "00", "042", "A", "a", "é"];
        for pair in order.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_id_again(id in "-?[0-9]{0,25}|.{0,40}") {
            prop_assert_eq!(id_of(&key(&id)), id.as_bytes());
        }

        #[test]
        fn integers_sort_by_value(a: i64, b: i64) {
            prop_assert_eq!(key(&a.to_string()).cmp(&key(&b.to_string())), a.cmp(&b));
        }
    }
}
