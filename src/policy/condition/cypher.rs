//! Cypher by its letters.

use super::{Kind, Language, effects};

/// Finds a second statement, a comment, a call, a parameter or an open bracket by the letters alone.
pub(super) fn read(text: &str, kind: Kind) -> Result<(), String> {
    let bare = letters(text).map_err(str::to_owned)?;
    if kind == Kind::Condition {
        only_own_functions(&bare)?;
    }
    at_random(&bare, kind)
}

/// Finds a second statement, a comment, a call, a parameter or an open bracket by the letters alone.
/// Gives what stands outside of quotes.
fn letters(condition: &str) -> Result<String, &'static str> {
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
    if !open.is_empty() {
        return Err("opens a bracket and does not close it");
    }
    reaches_out(&bare)?;
    Ok(bare)
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

/// Namespaces of functions that are Neo4j's own, and only compute.
const OWN: &[&str] = &["date", "datetime", "localdatetime", "localtime", "time", "duration", "point", "vector"];

/// A function that somebody installed may do anything, in the transaction that removes too; a condition needs none.
fn only_own_functions(bare: &str) -> Result<(), &'static str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '`');
    // Blanks may stand on either side of a dot.
    let bare = bare.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".").replace(". ", ".");
    for (at, _) in bare.match_indices('(') {
        let before = bare[..at].trim_end();
        let name =
            &before[before.rfind(|c| !is_word(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
        let (namespace, _) = name.rsplit_once('.').unwrap_or(("", name));
        let first = namespace.split('.').next().unwrap_or_default().to_lowercase();
        if name.contains('`') && !name.starts_with(':') {
            return Err("calls a function by a quoted name (functions of Neo4j's own need no quotes)");
        }
        if !namespace.is_empty() && !OWN.contains(&first.as_str()) {
            return Err("calls a function that is not Neo4j's own, which may write");
        }
    }
    Ok(())
}

/// Refuses a call of a function that answers otherwise each time.
fn at_random(text: &str, kind: Kind) -> Result<(), String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in text.match_indices('(') {
        let name: String = text[..at].trim_end().chars().rev().take_while(|c| is_word(*c)).collect();
        let name: String = name.chars().rev().collect();
        if let Some(why) = effects::of(&name, Language::Cypher, kind) {
            return Err(format!("calls `{name}`, {why}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::read;

    fn letters(text: &str) -> Result<(), String> {
        read(text, Kind::Condition)
    }

    #[test]
    fn one_condition_passes() {
        for condition in [
            "n.amount > 0",
            "NOT (n)--()",
            "n.name = 'it\\'s; //'",
            "n.`a``b; c` = \"d;e\" AND (n.x OR n.y)",
            "EXISTS { (n)-[:KNOWS]->(:User {name: 'recall'}) } AND n.tags[0] = 'x'",
            "n.recalled / 2 > 1 AND n.call = n.load",
            "n.at < datetime() - duration('P1D') AND duration.inDays(n.a, datetime.realtime()).days > 1",
            "size([x IN n.tags WHERE x <> 'rand(']) > 0 AND toLower(n.`a b`) IN (['x'])",
            "COUNT { CALL { WITH n MATCH (n)--(m) RETURN m } RETURN m } > 1",
        ] {
            assert_eq!(letters(condition), Ok(()), "{condition}");
        }
    }

    #[test]
    fn what_may_write_or_changes_its_mind_is_refused() {
        for condition in [
            "apoc.cypher.runFirstColumnSingle('CREATE (x:Spy) RETURN 1', {}) = 1",
            "own . write (n)",
            "`apoc`.`do`(n) = 1",
            "`do`(n)",
            "rand() < 0.5",
            "RandomUUID () = n.id",
        ] {
            assert!(letters(condition).is_err(), "{condition}");
        }
    }

    #[test]
    fn what_would_escape_is_refused() {
        for condition in [
            "n.id = randomUUID ()",
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
