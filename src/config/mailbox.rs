//! Addresses of mail: what one is, in the form in which it travels.

use lettre::Address;
use lettre::address::AddressError;
use lettre::message::Mailbox;

/// The way to write an address, for whoever wrote none.
pub const SHAPE: &str = "write `name@example.com`, or `Name <name@example.com>`; a name with a comma or a dot stands in quotes: \
                         `'\"Doe, Jane\" <jane@example.com>'`";

/// An address as the mail library and its servers take it, a domain in other letters in its ASCII form: `dpo@bücher.example` goes to
/// `dpo@xn--bcher-kva.example`.
///
/// # Errors
/// In a few words, why it is none.
pub fn mailbox(text: &str) -> Result<Mailbox, String> {
    if text.chars().any(char::is_control) {
        return Err("it holds a control character".to_owned());
    }
    let mut mailbox: Mailbox = text.trim().parse().map_err(why)?;
    let domain = mailbox.email.domain();
    if !domain.is_ascii() {
        let ascii = idna::domain_to_ascii(domain).map_err(|_| "its domain has no ASCII form".to_owned())?;
        mailbox.email = Address::new(mailbox.email.user(), ascii).map_err(why)?;
    }
    Ok(mailbox)
}

fn why(error: AddressError) -> String {
    match error {
        AddressError::MissingParts => "it lacks the `@`, or what stands beside it",
        AddressError::InvalidUser => "what stands before the `@` is no mailbox",
        AddressError::InvalidDomain => "what stands behind the `@` is no domain",
        _ => "it is not of the form `name@domain`",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_told_from_what_only_looks_like_one() {
        for text in ["a@b.c", "The DPO <dpo@example.com>", "postmaster@localhost", "\"Doe, Jane\" <j@example.com>", " a@b.c "] {
            assert!(mailbox(text).is_ok(), "{text}");
        }
        let wrong = [
            "",
            "a",
            "@b",
            "a@",
            "a@b\r\nBcc: x@y",
            "a b@c",
            "a@b, c@d",
            "<a@b",
            "x <>",
            "Doe, Jane <j@example.com>",
            "a.b.@example.com",
            "a..b@example.com",
            "a@-b.example",
            "a@b..c",
            "a@b.",
        ];
        for text in wrong {
            assert!(mailbox(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_domain_travels_in_its_ascii_form() {
        let sent = mailbox("Die DSB <dpo@Bücher.example>").unwrap();
        assert_eq!((sent.name.as_deref(), sent.email.to_string().as_str()), (Some("Die DSB"), "dpo@xn--bcher-kva.example"));
    }
}
