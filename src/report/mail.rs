//! The mail: the same report as text and as HTML that mail programs show, the page attached.

use super::format::{self, instant, plain};
use super::html::page;
use super::lines::{self, Tone};
use super::run::RunReport;
use super::text;
use super::view_model::{DatasetModel, ViewModel, shares};
use crate::config::mailbox;
use crate::job::outcome::Outcome;
use askama::Template;
use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{self, ContentType, HeaderName, HeaderValue, Headers};
use lettre::message::{Attachment, Mailbox, Mailboxes, MultiPart};
use std::time::SystemTime;

/// Characters of a subject at most: what a list of mails shows.
const LONGEST_SUBJECT: usize = 110;

/// A mail that could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A sender or receiver that is none.
    #[error("`{address}` is not a mail address; the report was not mailed: {cause}")]
    Address {
        /// As it was declared.
        address: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Nobody to write to.
    #[error("the report names no receiver; it was not mailed")]
    NoReceiver,
    /// The message could not be built.
    #[error("the report was not mailed: {0}")]
    Message(#[from] lettre::error::Error),
    /// A part could not be rendered.
    #[error("the mail was not rendered: {0}")]
    Page(#[from] askama::Error),
}

/// The HTML part: tables and inline styles, since mail programs know little else.
#[derive(Template)]
#[template(path = "mail.html")]
struct Letter<'a> {
    model: &'a ViewModel<'a>,
    report: &'a RunReport,
    subject: &'a str,
    attached: bool,
}

/// `archive-orders done, 1,204 archived`, after `steward: `. What needs a person is in capitals.
pub fn subject(report: &RunReport) -> String {
    let model = ViewModel::of(report);
    let verdict = model.headline.verdict;
    let sentence = &model.headline.sentence;
    let said = match report.outcome {
        Some(Outcome::Done | Outcome::Undelivered) | None => format!("{verdict}, {sentence}"),
        Some(_) => format!("{}: {sentence}", verdict.to_uppercase()),
    };
    let subject = format!("steward: {} {}", plain(&report.job), said.replace('`', ""));
    match subject.char_indices().nth(LONGEST_SUBJECT) {
        Some((end, _)) => format!("{}…", subject[..end].trim_end()),
        None => subject,
    }
}

/// Puts the mail together: text and HTML side by side, the page attached.
///
/// Its id is the run's, so that a mail sent again after a crash is known as the same one; its date is when the run ended.
pub fn compose(report: &RunReport, from: &str, to: &[String]) -> Result<Message, MailError> {
    let from = mailbox(from)?;
    let sender = from.email.clone();
    let mut message = Message::builder()
        .message_id(Some(message_id(report, from.email.domain())))
        .date(SystemTime::from(report.ended.or(report.started).unwrap_or(report.as_of)))
        .from(from)
        .subject(subject(report))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All".into()));
    if to.is_empty() {
        return Err(MailError::NoReceiver);
    }
    let to = to.iter().map(|receiver| mailbox(receiver)).collect::<Result<Vec<_>, _>>()?;
    let receivers = to.iter().map(|receiver| receiver.email.clone()).collect();
    message = message.envelope(Envelope::new(Some(sender), receivers)?).raw_header(receivers_header(&to));
    let bodies = MultiPart::alternative_plain_html(text_part(report), html_part(report)?);
    let attachment = Attachment::new("report.html".into()).body(page(report)?, ContentType::TEXT_HTML);
    Ok(message.multipart(MultiPart::mixed().multipart(bodies).singlepart(attachment))?)
}

/// The text part: what a terminal shows.
pub fn text_part(report: &RunReport) -> String {
    text::run(report, text::Style::Plain)
}

/// The HTML part.
pub fn html_part(report: &RunReport) -> Result<String, MailError> {
    let model = ViewModel::of(report);
    Ok(Letter { model: &model, report, subject: &subject(report), attached: true }.render()?)
}

fn mailbox(address: &str) -> Result<Mailbox, MailError> {
    mailbox::mailbox(address).map_err(|cause| MailError::Address { address: address.to_owned(), cause })
}

/// `To`, a receiver a line: the library writes them all into one, and a line of more than 998 bytes is refused by servers.
fn receivers_header(to: &[Mailbox]) -> HeaderValue {
    let encoded = |receiver: &Mailbox| {
        let mut one = Headers::new();
        one.set(header::To::from(Mailboxes::from(receiver.clone())));
        let line = one.to_string();
        line.trim_end().strip_prefix("To: ").unwrap_or(&line).to_owned()
    };
    let plain = to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let encoded = to.iter().map(encoded).collect::<Vec<_>>().join(",\r\n ");
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str("To"), plain, encoded)
}

/// `<run.job@example.com>`; what tells of no run is model apart by its time.
fn message_id(report: &RunReport, domain: &str) -> String {
    let word = |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect::<String>();
    let id = report.run.clone().unwrap_or_else(|| format!("{}-{}", report.stem(), report.as_of.timestamp_subsec_micros()));
    format!("<{}.{}@{domain}>", word(&id), word(&report.job))
}

impl Letter<'_> {
    fn verdict(&self) -> String {
        let word = self.model.headline.verdict;
        let first = word.chars().next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(word.chars().skip(1)).collect()
    }

    fn meta(&self) -> String {
        let report = self.report;
        let took = self.model.headline.took.as_ref().map(|took| format!(" · took {took}")).unwrap_or_default();
        format!("{} · {}{took}", plain(&report.action), instant(report.started.unwrap_or(report.as_of)))
    }

    /// Who started the run, and under which plan.
    fn origin(&self) -> Vec<String> {
        [lines::started(self.report), lines::approved(self.report)].into_iter().flatten().collect()
    }

    fn color(&self, tone: &Tone) -> &'static str {
        match tone {
            Tone::Good => "#1a7f4b",
            Tone::Kept => "#6b4fbb",
            Tone::Note => "#3b6ea5",
            Tone::Warn => "#9a6200",
            Tone::Bad => "#b3261e",
        }
    }

    /// Colour, width in percent and words of each part of a bar.
    fn bar(&self, dataset: &DatasetModel<'_>) -> Vec<(&'static str, String, String)> {
        let parts = dataset.parts.iter().zip(shares(&dataset.parts));
        let cell = |(part, share): (&super::view_model::Part, u64)| {
            (fill(part.kind), format!("{}.{}", share / 10, share % 10), format!("{} {}", format::count(part.rows), part.label))
        };
        parts.map(cell).collect()
    }
}

/// The page's colours, as a mail must spell them.
fn fill(kind: &str) -> &'static str {
    match kind {
        "archived" => "#3b7dd8",
        "before" => "#9dc1ef",
        "removed" => "#2c9c8f",
        "would" => "#7fa7d6",
        "held" => "#8268cf",
        "changed" => "#6fb7c9",
        "conflict" => "#e07b2a",
        "failed" => "#c8352b",
        "over-budget" | "blocked" | "locked" => "#dba916",
        "not-reached" => "#b9842f",
        "guarded" => "#4d5661",
        "undated" => "#b4bac0",
        _ => "#dfe2e5",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn mail(report: &RunReport) -> String {
        let to = ["dpo@example.com".to_owned(), "\u{6570}\u{636e} <data@example.com>".to_owned()];
        let mail = compose(report, "steward <steward@example.com>", &to).unwrap();
        String::from_utf8(mail.formatted()).unwrap()
    }

    /// The same mail with its random boundaries named by their order.
    fn steady(mail: &str) -> String {
        let boundaries: Vec<&str> = mail.split("boundary=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let named = |mail: String, (at, boundary): (usize, &&str)| mail.replace(*boundary, &format!("BOUNDARY-{at}"));
        boundaries.iter().enumerate().fold(mail.replace("\r\n", "\n"), named)
    }

    /// Bodies by content type, decoded, whatever encoding each was sent in.
    fn parts(mail: &str) -> Vec<(String, String)> {
        let decoded = |part: &str| {
            let (head, body) = part.split_once("\n\n").unwrap();
            let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
            let body = match field("Content-Transfer-Encoding: ").as_str() {
                "quoted-printable" => quoted_printable(body),
                "7bit" | "8bit" => body.to_owned(),
                other => panic!("{other}"),
            };
            (field("Content-Type: "), body.replace("\r\n", "\n").trim_end().to_owned())
        };
        let mail = steady(mail);
        mail.split("\n--BOUNDARY-").filter(|part| part.contains("\nContent-Transfer-Encoding: ")).map(decoded).collect()
    }

    fn quoted_printable(text: &str) -> String {
        let joined = text.replace("=\n", "");
        let mut bytes = vec![];
        let mut rest = joined.as_bytes();
        while let [first, after @ ..] = rest {
            match (first, after) {
                (b'=', [a, b, after @ ..]) => {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&[*a, *b]).unwrap(), 16).unwrap());
                    rest = after;
                }
                _ => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_whole_mail_reads_as_it_was_agreed() {
        let mail = steady(&mail(&samples::done()));
        let (model, _) = mail.split_once("Content-Disposition: attachment").unwrap();
        assert_eq!(model, include_str!("testdata/done.eml"));
    }

    #[test]
    fn every_part_arrives_as_it_was_written() {
        for report in [samples::done(), samples::chinese(), samples::hostile()] {
            let parts = parts(&mail(&report));
            let written = [text_part(&report), html_part(&report).unwrap(), page(&report).unwrap()];
            assert_eq!(
                parts.iter().map(|part| part.0.as_str()).collect::<Vec<_>>(),
                ["text/plain; charset=utf-8", "text/html; charset=utf-8", "text/html; charset=utf-8"]
            );
            for (part, written) in parts.iter().zip(&written) {
                assert_eq!(part.1, written.trim_end());
            }
        }
    }

    #[test]
    fn the_subject_follows_from_the_outcome() {
        let subjects = [
            (samples::done(), "steward: archive-orders done, 1,204 archived, 12 kept by holds"),
            (samples::quiet(), "steward: archive-orders done, nothing was due"),
            (
                samples::partial(),
                "steward: archive-orders PARTIAL: 6,480 archived, 2 in conflict, 1,000 failed, 1,465 out of time",
            ),
            (samples::observed(), "steward: archive-orders observed, 1,204 would be archived, 12 kept by holds"),
            (samples::stopped(), "steward: archive-orders TEMPORARY: 4,000 archived, then: stopped by a signal after 8 batches"),
            (
                samples::found(),
                "steward: check-users PARTIAL: store graph gave no answer, 1 check unanswered, check users-in-graph failed, 1 w…",
            ),
            (samples::swept(), "steward: sweep-cache done, 120 swept, 30 given a time to live"),
        ];
        for (report, said) in subjects {
            assert_eq!(subject(&report), said);
        }
        assert!(subject(&samples::guarded()).starts_with("steward: archive-consumption REFUSED: platform."));
    }

    #[test]
    fn a_hostile_name_adds_no_header_and_no_receiver() {
        let mail = mail(&samples::hostile());
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
        assert_eq!(headers.lines().filter(|line| line.starts_with("Subject: ")).count(), 1);
    }

    #[test]
    fn the_ledger_head_stands_in_full_in_text_and_html() {
        let report = samples::done();
        let head = report.ledger_head.clone().unwrap();
        assert!(text_part(&report).contains(&head) && html_part(&report).unwrap().contains(&head));
    }

    #[test]
    fn what_is_no_address_is_named() {
        let error = compose(&samples::done(), "nobody", &["a@b.c".into()]).unwrap_err().to_string();
        assert!(error.starts_with("`nobody` is not a mail address; the report was not mailed"), "{error}");
        assert!(matches!(compose(&samples::done(), "a@b.c", &[]), Err(MailError::NoReceiver)));
    }
}
