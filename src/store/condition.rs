//! Conditions that people write in a store's own language: made sure to be one condition and nothing else.

use super::failure::StoreFailure;
use super::session::Session;
use super::table::Table;
use super::{catalogue, dialect::Dialect};
use crate::diagnostic::catalogue as codes;

/// Refuses what is not one boolean expression over this table: first by its letters, then by asking the store.
///
/// The store must accept it bare and in parentheses. `a) OR (b` fails bare, `a ORDER BY 1` fails in
/// parentheses, and a second statement or a comment is refused before the store sees it.
pub async fn check(session: &mut Session, table: &Table, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    let refused = |text: String| {
        StoreFailure::refused(
            codes::CONDITION,
            text,
            "write one condition in the store's own language, such as `amount > 0 AND status = 'closed'`",
        )
    };
    letters(condition).map_err(|fault| refused(format!("the condition of {whose} {fault}; nothing is moved or removed")))?;
    if session.dialect() == Dialect::Sqlite {
        quoted_names(condition, table).map_err(|name| {
            refused(format!("the condition of {whose} names a column `{name}` that `{}` does not have", table.label()))
        })?;
    }
    let path = session.dialect().table(table);
    for wrapped in [format!("\n{condition}\n"), format!("(\n{condition}\n) AND 1 = 1")] {
        let answer = catalogue::index_used(session, &format!("SELECT 1 FROM {path} WHERE {wrapped}"), &[]).await;
        match answer {
            Err(StoreFailure::Failed { text, .. }) => {
                return Err(refused(format!("the condition of {whose} does not work on `{}`: {text}", table.label())));
            }
            Err(other) => return Err(other),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Finds a second statement, a comment or an open bracket by the letters alone.
pub(super) fn letters(condition: &str) -> Result<(), &'static str> {
    let mut depth = 0_i32;
    let mut chars = condition.chars().peekable();
    if condition.trim().is_empty() {
        return Err("is empty");
    }
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' | '`' => {
                let mut before = c;
                loop {
                    match chars.next() {
                        None => return Err("opens a quote and does not close it"),
                        Some(close) if close == c && before == '\\' => {
                            return Err("has a backslash before a quote, which stores read differently (write two quotes)");
                        }
                        Some(close) if close == c => break,
                        Some(other) => before = other,
                    }
                }
            }
            ';' => return Err("holds more than one statement"),
            '-' if chars.peek() == Some(&'-') => return Err("holds a comment"),
            '/' if chars.peek() == Some(&'*') => return Err("holds a comment"),
            '$' if chars.peek().is_some_and(|next| *next == '$') => return Err("holds a dollar-quoted text"),
            '\0' => return Err("holds a NUL"),
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return Err("closes a bracket that it did not open");
        }
    }
    if depth > 0 { Err("opens a bracket and does not close it") } else { Ok(()) }
}

/// SQLite takes an unknown name in double quotes for a text, and the condition would be about that text.
fn quoted_names(condition: &str, table: &Table) -> Result<(), String> {
    let mut inside = None;
    let mut name = String::new();
    for c in condition.chars() {
        match inside {
            None if matches!(c, '\'' | '"') => inside = Some(c),
            None => {}
            Some(quote) if c == quote => {
                let known = table.name == name || table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name));
                if quote == '"' && !name.is_empty() && !known {
                    return Err(name);
                }
                name.clear();
                inside = None;
            }
            Some('"') => name.push(c),
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn one_condition_passes() {
        for condition in ["amount > 0", "name = 'it''s; --'", "a = \"b;c\" AND (x OR y)", "note LIKE '%\\_%'"] {
            assert_eq!(letters(condition), Ok(()), "{condition}");
        }
    }

    #[test]
    fn what_would_escape_is_refused() {
        for condition in
            ["", " ", "1=1; DROP TABLE x", "1=1 -- x", "1=1 /* x", "a) OR (b", "(a", "'open", "a = 'x\\' OR 1=1 --'", "$$x$$ = y"]
        {
            assert!(letters(condition).is_err(), "{condition}");
        }
    }
}
