//! The hash chain: what exactly is hashed, so that an auditor can do it again in any language.

use super::event::Event;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The `prev` of the first event.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The first line of what is hashed; it changes when the recipe does.
const RECIPE: &str = "steward-event-1";

/// One event as it is stored.
///
/// `hash` is the SHA-256, in lowercase hex, of these bytes (UTF-8; `\n` is one byte 0x0A; nothing follows the body):
///
/// ```text
/// steward-event-1\n
/// <seq, decimal>\n
/// <at>\n
/// <run, or nothing>\n
/// <kind>\n
/// <prev>\n
/// <body>
/// ```
///
/// Every field is taken as stored: `at` as its text, `body` as its JSON text, byte for byte. The lines above the body hold no
/// line break (refused on the way in), so no two events share their bytes. `seq` counts from 1 without gaps; `prev` is the
/// `hash` of the event before, and 64 zeros for the first. In a shell:
/// `printf 'steward-event-1\n%s\n%s\n%s\n%s\n%s\n%s' "$seq" "$at" "$run" "$kind" "$prev" "$body" | sha256sum`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Counts from 1.
    pub seq: i64,
    /// When, as [`stamp`] writes it.
    pub at: String,
    /// The run it belongs to.
    pub run: Option<String>,
    /// The event's kind.
    pub kind: String,
    /// The event's body, JSON text.
    pub body: String,
    /// The hash of the event before.
    pub prev: String,
    /// The hash of this one.
    pub hash: String,
}

/// The last event of a chain: whoever keeps its hash can tell whether the chain was cut or rewritten since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// How many events there are.
    pub seq: i64,
    /// The last one's hash, 64 hex digits.
    pub hash: String,
}

/// An event that cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A value without a JSON form.
    #[error("an event has no JSON form ({0}); it was not recorded")]
    Body(#[from] serde_json::Error),
    /// A run's id that would make the hashed bytes ambiguous.
    #[error("`{0}` cannot be the id of a run: it is empty or holds a control character; nothing was recorded")]
    Run(String),
}

impl Head {
    /// The head of a chain without events.
    pub fn genesis() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }
}

impl Link {
    /// The link that follows `head`.
    ///
    /// # Errors
    /// A run's id that is empty or holds a control character.
    pub fn after(head: &Head, run: Option<&str>, at: DateTime<Utc>, event: &Event) -> Result<Self, LinkError> {
        if let Some(id) = run.filter(|id| id.is_empty() || id.contains(char::is_control)) {
            return Err(LinkError::Run(id.to_owned()));
        }
        let (kind, body) = event.text()?;
        let (run, prev) = (run.map(str::to_owned), head.hash.clone());
        let mut link = Self { seq: head.seq + 1, at: stamp(at), run, kind, body, prev, hash: String::new() };
        link.hash = link.computed();
        Ok(link)
    }

    /// The hash that follows from the other fields; [`Link::hash`] is what was stored.
    pub fn computed(&self) -> String {
        let run = self.run.as_deref().unwrap_or_default();
        let lines = [RECIPE, &self.seq.to_string(), &self.at, run, &self.kind, &self.prev, &self.body];
        sha256(lines.join("\n").as_bytes())
    }

    /// The head of a chain that ends here.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }

    /// The event, when this steward knows its kind.
    pub fn event(&self) -> Option<Event> {
        Event::read(&self.kind, &self.body)
    }

    /// When; none when somebody edited it into something that is no time.
    pub fn instant(&self) -> Option<DateTime<Utc>> {
        instant(&self.at)
    }
}

/// SHA-256 in lowercase hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time as the ledger stores it: RFC 3339 in UTC with six decimals, so that text sorts as time does.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Reads what [`stamp`] wrote.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: &str) -> Event {
        Event::Failed { batch: "b1".into(), reason: reason.into() }
    }

    #[test]
    fn the_hash_is_the_one_a_shell_computes() {
        let at = instant("2026-11-21T02:15:03.25Z").unwrap();
        let link = Link::after(&Head::genesis(), Some("r1"), at, &failed("x")).unwrap();
        assert_eq!(link.at, "2026-11-21T02:15:03.250000Z");
        assert_eq!(link.body, r#"{"batch":"b1","reason":"x"}"#);
        // printf 'steward-event-1\n1\n2026-11-21T02:15:03.250000Z\nr1\nfailed\n000…0\n{"batch":"b1","reason":"x"}' | sha256sum
        assert_eq!(link.hash, "43b57474f48f3e69286af14c89c8ea64f49304429e35cb5e34fd6010d69bb1f2");
    }

    #[test]
    fn any_field_changes_the_hash() {
        let at = instant("2026-11-21T02:15:03Z").unwrap();
        let link = Link::after(&Head::genesis(), Some("r1"), at, &failed("x")).unwrap();
        let edits: [fn(&mut Link); 6] = [
            |l| l.seq = 2,
            |l| l.at.push('0'),
            |l| l.run = None,
            |l| l.kind.push('x'),
            |l| l.body.push(' '),
            |l| l.prev.replace_range(0..1, "1"),
        ];
        for edit in edits {
            let mut edited = link.clone();
            edit(&mut edited);
            assert_ne!(edited.computed(), link.hash, "{edited:?}");
        }
    }

    #[test]
    fn a_run_that_would_blur_the_lines_is_refused() {
        let at = instant("2026-11-21T02:15:03Z").unwrap();
        for run in ["", "a\nb", "a\0"] {
            assert!(Link::after(&Head::genesis(), Some(run), at, &failed("x")).is_err(), "{run:?}");
        }
    }
}
