//! Conditions over the node `n`, in Cypher: made sure to be one condition and nothing else.

use super::catalogue::{self, Label};
use super::connect::GraphStore;
use super::session::Reading;
use crate::diagnostic::catalogue as codes;
use crate::policy::dataset::DatasetName;
use crate::store::failure::StoreFailure;

/// Refuses what is not one condition over the node `n`: first by its letters, then by asking the store.
///
/// The store must accept it bare and in parentheses, in a session that may not write. Nothing is carried out.
///
/// # Errors
/// It is no such condition; the store's own.
pub async fn check(session: &Reading, label: &Label, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    let refused = |text: String| {
        StoreFailure::refused(
            codes::CONDITION,
            text,
            "write one condition over the node `n`, such as `n.amount > 0 AND NOT (n)--()`",
        )
    };
    letters(condition).map_err(|fault| refused(format!("the condition of {whose} {fault}; nothing is removed")))?;
    for wrapped in [format!("\n{condition}\n"), format!("(\n{condition}\n) AND true")] {
        if let Some(why) = session.cannot_plan(&format!("MATCH {} WHERE {wrapped} RETURN 1", label.pattern())).await? {
            return Err(refused(format!("the condition of {whose} does not work on `{}`: {why}", label.shown())));
        }
    }
    Ok(())
}

/// The same for a condition over any node.
///
/// # Errors
/// It is no such condition; the store's own.
pub async fn check_any(session: &Reading, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    check(session, &Label::any(session.store()), condition, whose).await
}

/// What by its letters is more than a query that reads: several statements, a procedure, a file.
pub(super) fn one_query(query: &str) -> Result<(), &'static str> {
    letters(query)
}

impl GraphStore {
    /// Whether a label is there, and a condition over its nodes would work. Touches nothing.
    ///
    /// # Errors
    /// They would not; the store's own.
    pub async fn try_condition(
        &self,
        who: &str,
        dataset: &DatasetName,
        condition: Option<&str>,
        whose: &str,
    ) -> Result<(), StoreFailure> {
        let session = self.reading(who).await?;
        let label = catalogue::label(&session, dataset).await?;
        match condition {
            Some(text) => check(&session, &label, text, whose).await,
            None => Ok(()),
        }
    }
}

/// Finds a second statement, a comment, a call, a parameter or an open bracket by the letters alone.
fn letters(condition: &str) -> Result<(), &'static str> {
    if condition.trim().is_empty() {
        return Err("is empty");
    }
    if condition.contains("\\u") || condition.contains("\\U") {
        // Cypher reads these before it reads anything else, quotes included.
        return Err("holds a character written as `\\u…` (write the character itself)");
    }
    let (mut open, mut bare) = (vec![], String::new());
    let mut chars = condition.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' | '`' => quoted(c, &mut chars)?,
            ';' => return Err("holds more than one statement"),
            '/' if matches!(chars.peek(), Some('/' | '*')) => return Err("holds a comment"),
            '$' => return Err("holds a parameter, and there are none"),
            '\0' => return Err("holds a NUL"),
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' if open.pop() != Some(opener(c)) => return Err("closes a bracket that it did not open"),
            _ => {}
        }
        bare.push(c);
    }
    if open.is_empty() { reaches_out(&bare) } else { Err("opens a bracket and does not close it") }
}

/// Goes on behind the closing quote. Texts know a backslash before a quote, names a second backtick.
fn quoted(quote: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<(), &'static str> {
    while let Some(c) = chars.next() {
        match c {
            '\\' if quote != '`' => drop(chars.next()),
            c if c == quote => return Ok(()),
            _ => {}
        }
    }
    Err("opens a quote and does not close it")
}

/// A procedure may do anything, and a file may come from anywhere. `CALL { … }` and `CALL (n) { … }` are neither.
fn reaches_out(bare: &str) -> Result<(), &'static str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = bare;
    let mut before = ' ';
    while let Some(at) = rest.find(is_word) {
        before = rest[..at].chars().next_back().unwrap_or(before);
        let from = &rest[at..];
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        let next = after.trim_start();
        // Behind a dot stands a property, whatever it is called.
        if before != '.' && word.eq_ignore_ascii_case("CALL") && !next.starts_with(['{', '(']) {
            return Err("calls a procedure");
        }
        if before != '.'
            && word.eq_ignore_ascii_case("LOAD")
            && next.get(..3).is_some_and(|next| next.eq_ignore_ascii_case("CSV"))
        {
            return Err("loads a file");
        }
        (rest, before) = (after, ' ');
    }
    Ok(())
}

const fn opener(closer: char) -> char {
    match closer {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn one_condition_passes() {
        for condition in [
            "n.amount > 0",
            "NOT (n)--()",
            "n.name = 'it\\'s; //'",
            "n.`a``b; c` = \"d;e\" AND (n.x OR n.y)",
            "EXISTS { (n)-[:KNOWS]->(:User {name: 'recall'}) } AND n.tags[0] = 'x'",
            "n.recalled / 2 > 1 AND n.call = n.load",
            "COUNT { CALL { WITH n MATCH (n)--(m) RETURN m } RETURN m } > 1",
        ] {
            assert_eq!(letters(condition), Ok(()), "{condition}");
        }
    }

    #[test]
    fn what_would_escape_is_refused() {
        for condition in [
            "",
            " ",
            "true; MATCH (m) DETACH DELETE m",
            "true // x",
            "true /* x",
            "a) OR (b",
            "(a",
            "(a]",
            "n.x = 'open",
            "n.x = 'a\\'",
            "n.x = 'a\\u0027 OR true OR n.x = \\u0027'",
            "EXISTS { call db.labels() }",
            "CALL `db`.labels()",
            "LOAD csv FROM 'http://x' AS line",
            "n.x = $keys",
            "n.`open",
        ] {
            assert!(letters(condition).is_err(), "{condition}");
        }
    }
}
