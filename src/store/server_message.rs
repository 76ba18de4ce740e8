//! What of a server's message may be passed on: its code, names that it gives as names, and our own words for its kind.
//!
//! A message may quote a value (`Duplicate entry 'li@example.com'`), and a trigger or function may say anything. Values must
//! not reach a report, a mail, the ledger or a log, so no sentence of a server's is passed on for want of a known fault in it,
//! only where its shape is known to hold names alone. Held by `no_word_of_a_server_carries_a_value`.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// What may be passed on of a server's error.
pub(crate) fn harmless(error: &dyn DatabaseError) -> String {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return postgres(error);
    }
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return mysql(error.number(), error.message());
    }
    if error.try_downcast_ref::<SqliteError>().is_some() {
        let code = error.code().and_then(|code| code.parse().ok()).unwrap_or(1);
        return sqlite(code, error.message());
    }
    "the server refused it".to_owned()
}

/// PostgreSQL: the sentence where the parser says it, of names in the statement; else our words and the names that stand in
/// fields of their own. A function in another language can fill those fields, too.
fn postgres(error: &PgDatabaseError) -> String {
    let (code, message) = (error.code(), error.message());
    let own = error.file().is_some_and(|file| !["pl_", "plpy", "plperl", "pltcl"].iter().any(|begin| file.starts_with(begin)));
    let parsed = own && error.r#where().is_none();
    let of_names = parsed && (code.starts_with("42") || code.starts_with("0A")) && error.position().is_some();
    if of_names || parsed && PARSED.iter().any(|shape| is_of_shape(message, shape)) {
        return message.to_owned();
    }
    let mut names = vec![];
    if own {
        let table = error.table().map(|table| error.schema().map_or(table.to_owned(), |schema| format!("{schema}.{table}")));
        names.extend(error.constraint().map(|name| format!("constraint `{name}`")));
        names.extend(error.column().map(|name| format!("column `{name}`")));
        names.extend(error.data_type().map(|name| format!("type `{name}`")));
        names.extend(table.map(|name| format!("table `{name}`")));
    }
    told(of_sqlstate(code), code, &names)
}

fn told(what: &str, code: &str, names: &[String]) -> String {
    match names {
        [] => format!("{what} ({code})"),
        names => format!("{what} ({code}): {}", names.join(", ")),
    }
}

/// PostgreSQL's sentences without a place in the statement that hold names only.
const PARSED: &[&str] = &[
    "permission denied for {kind} {name}",
    "must be owner of {kind} {name}",
    "cannot delete from table {name} because it does not have a replica identity and publishes deletes",
    "cannot update table {name} because it does not have a replica identity and publishes updates",
    "pg_stat_statements must be loaded via {name}",
    "password authentication failed for user {name}",
    "role {name} is not permitted to log in",
    "cannot execute {kind} in a read-only transaction",
    "canceling statement due to {kind}",
    "query would be affected by row-level security policy for table {name}",
    "cannot refresh materialized view {name} concurrently",
    "materialized view {name} has not been populated",
    "database {name} does not exist",
];

fn of_sqlstate(code: &str) -> &'static str {
    match code {
        "P0001" => "a trigger or function refused it",
        "23505" => "unique violation",
        "23503" => "foreign key violation",
        "23502" => "not-null violation",
        "23514" => "check violation",
        "23P01" => "exclusion violation",
        "22001" => "a text is too long for its column",
        "22003" => "a number is out of range",
        "22012" => "division by zero",
        "22P02" => "a text is no value of its type",
        "22007" | "22008" => "a text is no date, or a date is out of range",
        "40001" => "another transaction changed the same rows",
        "40P01" => "deadlock",
        "55P03" => "a lock could not be had in time",
        "57014" => "it took longer than it may, or was cancelled",
        "25006" => "the server, the account or the session can only read",
        "53100" => "the disk is full",
        "53200" => "the server is out of memory",
        "53300" => "the server has no connection left",
        "42501" => "the right to do this is missing",
        _ => match code.get(..2) {
            Some("22") => "a value does not fit",
            Some("23") => "a constraint was violated",
            Some("28") => "the login was refused",
            Some("42") => "a name or an expression is not known there",
            Some("53") => "the server is out of a resource",
            Some("54") => "a limit of the server was reached",
            Some("57" | "08") => "the server went away",
            Some("58") => "the server could not read or write a file",
            Some("XX") => "an internal error of the server",
            _ => "the server refused it",
        },
    }
}

/// MySQL and MariaDB: the sentence where it is of a shape that holds names only, the key or column that it names where the
/// shape holds a value too, else our own words.
fn mysql(number: u16, message: &str) -> String {
    if MYSQL.iter().any(|(of, shape)| *of == number && is_of_shape(message, shape)) {
        return message.trim_end_matches('.').to_owned();
    }
    let names: Vec<String> = match number {
        // The value comes first, so the last of these words are the server's own.
        1062 | 1586 => behind(message, " for key ").map(|name| format!("key `{name}`")).into_iter().collect(),
        1366 | 1292 | 1411 | 1406 | 1264 | 1265 => {
            let name = behind(message.split(" at row ").next().unwrap_or_default(), " for column ");
            name.map(|name| format!("column `{name}`")).into_iter().collect()
        }
        _ => vec![],
    };
    let what = match number {
        1062 | 1586 => "unique violation",
        1644 => "a trigger or function refused it (SIGNAL)",
        1064 => "syntax error",
        1205 => "a lock could not be had in time",
        1213 => "deadlock",
        3024 | 1969 | 1317 => "it took longer than it may, or was cancelled",
        1021 | 1114 => "the disk or the table is full",
        1153 => "a packet is larger than `max_allowed_packet`",
        1175 => "`sql_safe_updates` forbids a change without a key",
        1665 => "`binlog_format` does not allow a change at this isolation level",
        3750 => "`sql_require_primary_key` forbids a table without a primary key",
        1290 | 1792 | 1836 => "the server or the session can only read",
        1241 | 1242 => "a subquery gives more than one value",
        1216 | 1217 | 1451 | 1452 => "foreign key violation",
        1048 | 1364 => "not-null violation",
        3819 | 4025 => "check violation",
        1406 => "a text is too long for its column",
        1264 | 1690 => "a number is out of range",
        1265 | 1292 | 1366 | 1411 => "a text is no value of its type",
        1365 => "division by zero",
        1044 | 1045 | 1698 => "access was denied",
        1142 | 1143 | 1227 | 1370 => "the right to do this is missing",
        1049 | 1054 | 1146 | 1305 | 1630 => "a name is not known there",
        _ => "the server refused it",
    };
    told(what, &format!("error {number}"), &names)
}

/// The name behind the last of these words, without its quotes; none where it is no name.
fn behind(message: &str, words: &str) -> Option<String> {
    let name = message[message.rfind(words)? + words.len()..].trim_matches(['\'', '"', '`']).replace('`', "");
    is_name(&name).then_some(name)
}

const MYSQL: &[(u16, &str)] = &[
    (1044, "Access denied for user {name}@{name} to database {name}"),
    (1045, "Access denied for user {name}@{name} (using password: {kind})"),
    (1698, "Access denied for user {name}@{name}"),
    (1049, "Unknown database {name}"),
    (1054, "Unknown column {name} in {kind}"),
    (1146, "Table {name} doesn't exist"),
    (1142, "{kind} command denied to user {name}@{name} for table {name}"),
    (1143, "{kind} command denied to user {name}@{name} for column {name} in table {name}"),
    (1370, "{kind} command denied to user {name}@{name} for routine {name}"),
    (1227, "Access denied; you need (at least one of) the {kind} privilege(s) for this operation"),
    (1305, "{kind} {name} does not exist"),
    (1048, "Column {name} cannot be null"),
    (1364, "Field {name} doesn't have a default value"),
    (1406, "Data too long for column {name} at row {name}"),
    (1264, "Out of range value for column {name} at row {name}"),
    (1265, "Data truncated for column {name} at row {name}"),
    (1451, "Cannot delete or update a parent row: a foreign key constraint fails ({names})"),
    (1452, "Cannot add or update a child row: a foreign key constraint fails ({names})"),
    (3819, "Check constraint {name} is violated."),
    (4025, "CONSTRAINT {name} failed for {name}"),
    (1093, "You can't specify target table {name} for update in FROM clause"),
    (1093, "Table {name} is specified twice, both as a target for {kind} and as a separate source for data"),
    (1267, "Illegal mix of collations ({names}) and ({names}) for operation {kind}"),
    (1052, "Column {name} in {kind} is ambiguous"),
];

/// SQLite: the sentence where it is of a shape that holds names only, else our own words.
fn sqlite(code: i32, message: &str) -> String {
    if code != 1811 && SQLITE.iter().any(|(of, shape)| *of == code & 0xff && is_of_shape(message, shape)) {
        return message.to_owned();
    }
    let what = match (code, code & 0xff) {
        (1811, _) => "a trigger refused it (RAISE)",
        (2067 | 1555 | 2579, _) => "unique violation",
        (787, _) => "foreign key violation",
        (1299, _) => "not-null violation",
        (275, _) => "check violation",
        (_, 19) => "a constraint was violated",
        (_, 5 | 6) => "database is locked",
        (_, 8) => "the file or the session can only be read",
        (_, 9) => "it was cancelled",
        (_, 10) => "the file could not be read or written",
        (_, 11) => "the file is damaged",
        (_, 13) => "the disk is full",
        (_, 14) => "unable to open database file",
        (_, 26) => "the file is no database",
        (_, 18) => "a value is too large",
        (_, 20) => "a value is of another type",
        _ => "the store refused it",
    };
    told(what, &format!("SQLite {code}"), &[])
}

const SQLITE: &[(i32, &str)] = &[
    (19, "UNIQUE constraint failed: {names}"),
    (19, "NOT NULL constraint failed: {name}"),
    (19, "CHECK constraint failed: {name}"),
    (19, "FOREIGN KEY constraint failed"),
    (19, "cannot store {kind} value in {kind} column {name}"),
    (1, "no such column: {name}"),
    (1, "no such table: {name}"),
    (1, "no such function: {name}"),
    (1, "no such collation sequence: {name}"),
    (1, "ambiguous column name: {name}"),
    (1, "near {name}: syntax error"),
    (1, "wrong number of arguments to function {name}()"),
    (1, "misuse of aggregate: {name}()"),
    (1, "misuse of aggregate function {name}()"),
    (1, "misuse of window function {name}()"),
    (1, "{name}: syntax error"),
    (1, "row value misused"),
    (1, "incomplete input"),
    (1, "integer overflow"),
    (1, "malformed JSON"),
    (1, "sub-select returns {name} columns - expected {name}"),
    (1, "no such index: {name}"),
    (8, "attempt to write a readonly database"),
];

/// True for a sentence of this shape: `{name}` is one name, quoted or not, `{names}` several as they stand in a definition,
/// `{kind}` words of the server's own.
fn is_of_shape(message: &str, shape: &str) -> bool {
    let Some((before, rest)) = shape.split_once('{') else { return message == shape };
    let Some(message) = message.strip_prefix(before) else { return false };
    let Some((hole, after)) = rest.split_once('}') else { return false };
    let literal = after.split('{').next().unwrap_or_default();
    // Whatever the hole takes, the rest must fit behind it.
    let ends: Vec<usize> = if literal.is_empty() && after.is_empty() {
        vec![message.len()]
    } else {
        message.match_indices(literal).map(|(at, _)| at).collect()
    };
    ends.into_iter().any(|end| fits(&message[..end], hole) && is_of_shape(&message[end..], after))
}

fn fits(text: &str, hole: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$');
    match hole {
        "name" => is_name(text.trim_matches(['\'', '"', '`'])),
        "names" => text.chars().all(|c| plain(c) || matches!(c, ' ' | ',' | '(' | ')' | '`' | '/')),
        _ => {
            text.len() < 60
                && text.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | ',' | '\'' | '/' | '=' | '<' | '>' | '_'))
        }
    }
}

/// True for what can only be a name, be it of several parts.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '`' | '%' | ':');
    !text.is_empty() && text.chars().count() < 200 && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_sentence_keeps_its_names_and_loses_its_values() {
        let kept = [
            (1054, "Unknown column 'nope' in 'where clause'"),
            (1045, "Access denied for user 'li'@'10.0.0.1' (using password: YES)"),
            (1142, "SELECT command denied to user 'a'@'localhost' for table `db`.`users`"),
            (1093, "You can't specify target table 't' for update in FROM clause"),
            (
                1451,
                "Cannot delete or update a parent row: a foreign key constraint fails (`a`.`b`, CONSTRAINT `c` FOREIGN KEY (`d`) REFERENCES `e` (`f`))",
            ),
        ];
        for (number, message) in kept {
            assert_eq!(mysql(number, message), message);
        }
        assert_eq!(
            mysql(1062, "Duplicate entry 'o'brien for key 'x' for key 'users.email'"),
            "unique violation (error 1062): key `users.email`"
        );
        assert_eq!(
            mysql(1366, "Incorrect integer value: 'li@x' for column `d`.`t`.`n` at row 1"),
            "a text is no value of its type (error 1366): column `d.t.n`"
        );
        assert_eq!(mysql(1054, "Unknown column 'li@x.com' in 'where clause'"), "a name is not known there (error 1054)");
        assert_eq!(mysql(1644, "cannot delete li@x.com"), "a trigger or function refused it (SIGNAL) (error 1644)");
        assert_eq!(mysql(1146, "li@x.com"), "a name is not known there (error 1146)");
        assert_eq!(sqlite(2067, "UNIQUE constraint failed: t.email, t.n"), "UNIQUE constraint failed: t.email, t.n");
        assert_eq!(sqlite(1811, "no such table: li"), "a trigger refused it (RAISE) (SQLite 1811)");
        assert_eq!(sqlite(1, "bad JSON path: 'li@x.com'"), "the store refused it (SQLite 1)");
        assert!(is_of_shape("permission denied for table users", "permission denied for {kind} {name}"));
        assert!(!is_of_shape("permission denied for table li@x.com", "permission denied for {kind} {name}"));
    }
}
