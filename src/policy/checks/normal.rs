//! When two values are the same to people: `Li@Example.com` and `li@example.com `.

use unicode_normalization::UnicodeNormalization;

/// How a value is brought to the form in which it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normal {
    /// As it is, byte for byte.
    None,
    /// Without white space around it.
    Trim,
    /// The same, in small letters, with `é` in one letter.
    Lower,
    /// The same, the domain in its ASCII form.
    Email {
        /// `li+news@x.com` is `li@x.com`.
        without_tag: bool,
    },
}

impl Normal {
    /// The form of a value.
    ///
    /// For values in plain ASCII the stores compute the same form themselves (`store::normalized`); a property test holds the
    /// two together.
    pub fn of(self, value: &str) -> String {
        match self {
            Self::None => value.to_owned(),
            Self::Trim => value.trim().to_owned(),
            Self::Lower => small(value.trim()),
            Self::Email { without_tag } => email(value.trim(), without_tag),
        }
    }
}

fn small(text: &str) -> String {
    text.nfc().collect::<String>().to_lowercase().nfc().collect()
}

/// The local part in small letters too: no provider that people use tells them apart.
fn email(text: &str, without_tag: bool) -> String {
    let Some((local, domain)) = text.rsplit_once('@') else { return small(text) };
    let local = small(local);
    let local = match local.find('+') {
        Some(at) if at > 0 && without_tag => &local[..at],
        _ => &local,
    };
    format!("{local}@{}", ascii_domain(domain))
}

/// A domain that is none in IDNA's eyes is compared as text.
fn ascii_domain(domain: &str) -> String {
    if domain.is_ascii() {
        return domain.to_ascii_lowercase();
    }
    idna::domain_to_ascii(domain).unwrap_or_else(|_| small(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        let form = |text: &str| Normal::Email { without_tag: false }.of(text);
        for (text, wanted) in [
            ("Li@Example.COM", "li@example.com"),
            ("\t li@example.com\u{a0}\n", "li@example.com"),
            ("li@BÜCHER.example", "li@xn--bcher-kva.example"),
            ("li@bu\u{308}cher.example", "li@xn--bcher-kva.example"),
            ("li@XN--BCHER-KVA.example", "li@xn--bcher-kva.example"),
            ("li@ｅｘａｍｐｌｅ.com", "li@example.com"),
            ("Jose\u{301}@x.com", "jos\u{e9}@x.com"),
            ("李@例え。jp", "李@xn--r8jz45g.jp"),
            ("\"a@b\"@x.com", "\"a@b\"@x.com"),
            ("li+news@x.com", "li+news@x.com"),
            ("No Address", "no address"),
            ("", ""),
        ] {
            assert_eq!(form(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_tag_is_left_out_where_asked_and_where_something_stands_before_it() {
        let form = |text: &str| Normal::Email { without_tag: true }.of(text);
        for (text, wanted) in [
            ("li+news@x.com", "li@x.com"),
            ("li+a+b@x.com", "li@x.com"),
            ("+news@x.com", "+news@x.com"),
            ("li@x+y.com", "li@x+y.com"),
            ("li+news", "li+news"),
            ("a+b@c@d", "a@d"),
        ] {
            assert_eq!(form(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_form_is_its_own_form() {
        for text in ["Ａ@Ｂ.com", "K@x.com", "ẞ@ß.de", "İ@x.com", "a\u{200d}b@x.com", "ΟΔΟΣ@x.gr", "x@\u{202e}.com"] {
            for normal in [Normal::Trim, Normal::Lower, Normal::Email { without_tag: true }] {
                let form = normal.of(text);
                assert_eq!(normal.of(&form), form, "{text}");
            }
        }
    }
}
