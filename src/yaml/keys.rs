//! What is wrong with a key: nobody asks for it, or it may not hold a variable.

use super::node::Key;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::place::Place;

/// What people write for our keys: other tools' words and our own forerunners'.
const SYNONYMS: &[(&str, &str)] = &[
    ("filter", "where"),
    ("query", "where"),
    ("condition", "where"),
    ("when", "where"),
    ("column", "clock"),
    ("date_column", "clock"),
    ("timestamp", "clock"),
    ("field", "clock"),
    ("ttl", "delete"),
    ("retention", "keep_at_least"),
    ("expire", "delete"),
    ("purge", "delete"),
    ("remove", "delete"),
    ("move", "archive"),
    ("table", "dataset"),
    ("source", "dataset"),
    ("target", "to"),
    ("destination", "to"),
    ("older_than", "after"),
    ("age", "after"),
    ("period", "after"),
    ("reason", "because"),
    ("id", "name"),
    ("cron", "schedule"),
    ("on", "schedule"),
    ("at", "schedule"),
    ("tz", "timezone"),
    ("zone", "timezone"),
    ("timeout", "budget"),
    ("policy", "policies"),
    ("dry_run", "mode"),
    ("enabled", "mode"),
    ("notify", "report"),
    ("databases", "stores"),
    ("dsn", "url"),
    ("username", "user"),
    ("pass", "password"),
    ("tags", "classification"),
    ("legal_holds", "holds"),
    ("retention_policies", "lifecycle"),
    ("encryption", "protect"),
    ("protection", "protect"),
    ("level", "sensitivity"),
];

/// True for a key whose text leaves the file for good.
pub(super) fn is_shown(key: &str) -> bool {
    matches!(key, "name" | "because" | "owner")
}

/// A variable may hold a secret.
pub(super) fn secret_shown(key: &str, place: &Place) -> Diagnostic {
    let message =
        format!("`{key}` is kept in the ledger and shown in reports: a variable, which may hold a secret, is not taken");
    Diagnostic::error(codes::VARIABLE, message).at(place).help("write the text itself")
}

/// What to say about a key that nobody asked for.
pub(super) fn unknown(key: &Key, of: &str, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(codes::UNKNOWN_KEY, format!("{of} has no key `{}`", key.text)).at(&key.place);
    if key.text == "<<" {
        return diagnostic.help("merge keys are not used; repeat what both entries need");
    }
    let folded = key.text.to_lowercase().replace('-', "_");
    let meant = suggest::nearest(&key.text, known.iter().copied()).or_else(|| {
        SYNONYMS
            .iter()
            .filter(|(word, _)| folded == *word || (word.len() > 2 && folded.starts_with(&format!("{word}_"))))
            .map(|(_, ours)| *ours)
            .find(|ours| known.contains(ours))
    });
    match meant {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help_if(suggest::suggestion(&key.text, known.iter().copied())),
    }
}
