//! What may be shown of a value: a few characters, by what the tag says it is.
//!
//! Samples are masked with these before they leave memory; what nobody classified is hidden whole.

use crate::policy::classification::Sensitivity;

/// What a hidden value reads as.
const HIDDEN: &str = "***";

/// What kind of value it is, read from a tag's type or a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A mail address: the first two characters and the last four.
    Email,
    /// A person's name: the first letter.
    Name,
    /// A telephone number: the first three and the last four digits.
    Phone,
    /// Anything else: nothing is shown.
    Other,
}

impl Kind {
    /// The kind that a tag's type (`email`, `PII`) or else the field's name (`phone_number`) says.
    pub fn of(r#type: Option<&str>, field: &str) -> Self {
        r#type.map(Self::named).filter(|kind| *kind != Self::Other).unwrap_or_else(|| Self::named(field))
    }

    fn named(word: &str) -> Self {
        let word = word.to_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
        if has(&["email", "e-mail", "e_mail", "邮箱"]) {
            Self::Email
        } else if has(&["phone", "mobile", "手机", "电话"]) {
            Self::Phone
        } else if matches!(word.as_str(), "name" | "first_name" | "last_name" | "full_name" | "real_name" | "surname" | "姓名")
        {
            Self::Name
        } else {
            Self::Other
        }
    }
}

/// What may be shown of a value whose field has this sensitivity; `None` is a field nobody classified.
///
/// Low is shown as it is. Medium and high show what their kind allows. Critical shows nothing.
pub fn mask(value: &str, sensitivity: Option<Sensitivity>, kind: Kind) -> String {
    match sensitivity {
        Some(Sensitivity::Low) => value.to_owned(),
        Some(Sensitivity::Medium | Sensitivity::High) => masked(value, kind),
        Some(Sensitivity::Critical) | None => HIDDEN.into(),
    }
}

fn masked(value: &str, kind: Kind) -> String {
    match kind {
        Kind::Email => ends(value, 2, HIDDEN, 4),
        Kind::Phone => ends(value, 3, "****", 4),
        Kind::Name => ends(value, 1, HIDDEN, 0),
        Kind::Other => HIDDEN.into(),
    }
}

/// The first and last characters around a mask. A value so short that hardly anything would be hidden is hidden whole.
fn ends(value: &str, first: usize, between: &str, last: usize) -> String {
    let value = value.trim();
    let characters = value.chars().count();
    if characters < first + last + 2 && !(last == 0 && characters > first) {
        return HIDDEN.into();
    }
    let head: String = value.chars().take(first).collect();
    let tail: String = value.chars().skip(characters - last).collect();
    format!("{head}{between}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Sensitivity::{Critical, High, Low, Medium};

    #[test]
    fn a_value_shows_what_its_kind_allows() {
        assert_eq!(mask("alice@example.com", Some(High), Kind::Email), "al***.com");
        assert_eq!(mask("13812345678", Some(High), Kind::Phone), "138****5678");
        assert_eq!(mask("Alice", Some(Medium), Kind::Name), "A***");
        assert_eq!(mask("42 Elm Street", Some(High), Kind::Other), "***");
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(mask("欧阳娜娜", Some(High), Kind::Name), "欧***");
        assert_eq!(mask("张三丰先生@例子.公司", Some(High), Kind::Email), "张三***子.公司");
        assert_eq!(mask("１３８１２３４５６７８", Some(High), Kind::Phone), "１３８****５６７８");
        assert_eq!(mask("👩🏽‍🚀x", Some(High), Kind::Name), "👩***");
    }

    #[test]
    fn a_short_value_is_not_shown_whole_by_its_mask() {
        for (value, kind) in
            [("a@b.co", Kind::Email), ("12345", Kind::Phone), ("A", Kind::Name), ("", Kind::Email), ("李", Kind::Name)]
        {
            assert_eq!(mask(value, Some(High), kind), "***", "{value}");
        }
    }

    #[test]
    fn what_nobody_classified_is_hidden_and_so_is_what_is_critical() {
        assert_eq!(mask("alice@example.com", None, Kind::Email), "***");
        assert_eq!(mask("alice@example.com", Some(Critical), Kind::Email), "***");
        assert_eq!(mask("red", Some(Low), Kind::Other), "red");
    }

    #[test]
    fn the_kind_is_read_from_the_type_and_else_from_the_field() {
        assert_eq!(Kind::of(Some("email"), "contact"), Kind::Email);
        assert_eq!(Kind::of(Some("PII"), "phone_number"), Kind::Phone);
        assert_eq!(Kind::of(None, "last_name"), Kind::Name);
        assert_eq!(Kind::of(None, "username"), Kind::Other);
        assert_eq!(Kind::of(Some("PII"), "table_name"), Kind::Other);
    }
}
