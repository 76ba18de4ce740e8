//! SQLite's catalogue, read into a [`Table`], and what its values say of a clock.

use super::clock::{dated, zero_date};
use super::dialect::Sqlite;
use crate::diagnostic::codes;
use crate::policy::lifecycle::Clock;
use crate::store::clock::{ClockKind, TextShape};
use crate::store::error::StoreFailure;
use crate::store::foreign_key::{Child, OnDelete};
use crate::store::sql::dialect::Spelling;
use crate::store::sql::schema::clock::unit_missing;
use crate::store::sql::schema::dialect::SchemaDialect;
use crate::store::sql::schema::id_column::IdKind;
use crate::store::sql::schema::relatives::Relatives;
use crate::store::sql::schema::table::{Class, Column, Dependents, Index, Table};
use crate::store::sql::schema::trigger::{Event, Trigger};
use crate::store::sql::session::statements::{Answer, Statements};
use crate::store::value::Cell;
use chrono_tz::Tz;

impl SchemaDialect for Sqlite {
    fn instant(&self, utc: &str) -> String {
        format!("'{utc}+00'")
    }

    fn dated(&self, kind: &ClockKind, clock: &str) -> String {
        dated(kind, clock)
    }

    fn table_of<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Table>> {
        Box::pin(table(session, schema, name))
    }

    fn tables<'a>(&'a self, session: &'a mut dyn Statements, _: Option<&'a str>) -> Answer<'a, Vec<String>> {
        Box::pin(tables(session))
    }

    fn dependents<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        _: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Dependents>> {
        Box::pin(dependents(session, name))
    }

    fn index_used<'a>(&'a self, session: &'a mut dyn Statements, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, Option<String>> {
        Box::pin(index_used(session, sql, binds))
    }

    fn clock_by_values<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        table: &'a Table,
        clock: &'a Clock,
    ) -> Answer<'a, Option<ClockKind>> {
        Box::pin(async move { clock_by_values(session, table, clock).await.map(Some) })
    }

    fn locate(&self, schema: Option<&str>, table: &str) -> Option<(&'static str, Vec<Cell>)> {
        if schema.is_some() {
            return None;
        }
        let table = Cell::Text(table.to_owned());
        Some((
            "SELECT NULL, m.name, m.type = 'view', c.name, NULL FROM sqlite_master m, pragma_table_xinfo(m.name) c \
             WHERE m.name = ? AND m.type IN ('table', 'view') ORDER BY c.cid",
            vec![table],
        ))
    }

    fn all_columns(&self) -> &'static str {
        "SELECT NULL, m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name <> 'steward_batches' AND c.hidden <> 1 ORDER BY m.name, c.cid"
    }

    fn id_text(&self, _: IdKind, value: &str) -> String {
        format!("(CASE typeof({value}) WHEN 'blob' THEN lower(hex({value})) ELSE CAST({value} AS TEXT) END COLLATE BINARY)")
    }
}

/// A table by its exact name, or `None`; what is there and cannot be governed is refused.
async fn table(session: &mut dyn Statements, schema: Option<&str>, name: &str) -> Result<Option<Table>, StoreFailure> {
    if let Some(schema) = schema {
        let text = format!("`{}.{schema}.{name}` names a schema, and SQLite has none", session.store());
        return Err(StoreFailure::refused(
            codes::NOT_THERE,
            text,
            format!("write `{}.{name}`; a dot inside a name is double-quoted", session.store()),
        ));
    }
    let at = [Cell::Text(name.to_owned())];
    let sql = "SELECT type, sql FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')";
    let Some(row) = session.rows(sql, &at).await?.into_iter().next() else {
        return Ok(None);
    };
    let label = format!("{}.{name}", session.store());
    let definition = row[1].shown().to_uppercase();
    if row[0].as_text() == Some("view") || definition.starts_with("CREATE VIRTUAL") {
        let what = if definition.starts_with("CREATE VIRTUAL") { "a virtual table" } else { "a view" };
        return Err(StoreFailure::refused(
            codes::TABLE_UNFIT,
            format!("`{label}` is {what}; nothing is moved from or to it"),
            "name the table itself",
        ));
    }
    let columns = columns(session, &at).await?;
    let indexes = indexes(session, &at).await?;
    Ok(Some(Table {
        store: session.store().to_owned(),
        schema: None,
        name: name.to_owned(),
        columns,
        unique: indexes.iter().filter(|(_, unique)| *unique).map(|(index, _)| index.clone()).collect(),
        indexes: indexes.into_iter().map(|(index, _)| index).collect(),
        prefix_keys: vec![],
        unlogged: false,
        dependents: of_name(session, &at).await?,
        estimate: None,
    }))
}

async fn columns(session: &mut dyn Statements, at: &[Cell]) -> Result<Vec<Column>, StoreFailure> {
    // hidden: 2 and 3 are generated columns, 1 belongs to virtual tables.
    let sql = "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, hidden FROM pragma_table_xinfo(?) ORDER BY cid";
    let rows = session.rows(sql, at).await?;
    Ok(rows
        .iter()
        .map(|row| Column {
            name: row[0].shown(),
            declared: row[1].shown(),
            class: class(&row[1].shown()),
            nullable: !row[2].as_flag(),
            generated: row[4].as_count() > 1,
            has_default: row[3].as_flag(),
        })
        .collect())
}

/// Values have kinds of their own here, but a column declared to be approximate turns every number into one.
fn class(declared: &str) -> Class {
    let declared = declared.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    // The order in which SQLite itself looks (sqlite.org/datatype3.html, 3.1).
    let approximate = has(&["real", "floa", "doub"]) && !has(&["int", "char", "clob", "text", "blob"]);
    if approximate { Class::Float } else { Class::Dynamic }
}

async fn indexes(session: &mut dyn Statements, at: &[Cell]) -> Result<Vec<(Index, bool)>, StoreFailure> {
    let mut found = vec![];
    let key = session.rows("SELECT name FROM pragma_table_xinfo(?) WHERE pk > 0 ORDER BY pk", at).await?;
    if !key.is_empty() {
        let columns = key.iter().map(|row| row[0].shown()).collect();
        found.push((Index { name: "PRIMARY KEY".into(), columns, primary: true }, true));
    }
    // A NULL column name is an expression or the rowid; a partial index does not see every row.
    let sql = "SELECT l.name, l.\"unique\", i.name FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) i \
               WHERE l.partial = 0 AND l.origin <> 'pk' AND i.key = 1 ORDER BY l.name, i.seqno";
    let mut rest: Vec<(Index, bool, bool)> = vec![];
    for row in session.rows(sql, at).await? {
        let (name, plain) = (row[0].shown(), row[2] != Cell::Null);
        match rest.last_mut() {
            Some((index, _, all_plain)) if index.name == name => {
                index.columns.push(row[2].shown());
                *all_plain &= plain;
            }
            _ => rest.push((Index { name, columns: vec![row[2].shown()], primary: false }, row[1].as_flag(), plain)),
        }
    }
    found.extend(rest.into_iter().filter(|(_, _, plain)| *plain).map(|(index, unique, _)| (index, unique)));
    Ok(found)
}

/// What hangs on a table, whether or not it can be governed.
async fn dependents(session: &mut dyn Statements, name: &str) -> Result<Option<Dependents>, StoreFailure> {
    of_name(session, &[Cell::Text(name.to_owned())]).await.map(Some)
}

async fn of_name(session: &mut dyn Statements, at: &[Cell]) -> Result<Dependents, StoreFailure> {
    Ok(Dependents {
        children: children(session, at).await?,
        triggers: triggers(session, at).await?,
        rules: vec![],
        relatives: Relatives::default(),
    })
}

async fn children(session: &mut dyn Statements, at: &[Cell]) -> Result<Vec<Child>, StoreFailure> {
    // A reference that names no column points at the primary key.
    let sql = "SELECT m.name, f.id, f.on_delete, f.\"from\", COALESCE(f.\"to\", \
               (SELECT k.name FROM pragma_table_xinfo(f.\"table\") k WHERE k.pk = f.seq + 1)) \
               FROM sqlite_master m, pragma_foreign_key_list(m.name) f \
               WHERE m.type = 'table' AND f.\"table\" = ? COLLATE NOCASE ORDER BY m.name, f.id, f.seq";
    let mut found: Vec<Child> = vec![];
    for row in session.rows(sql, at).await? {
        let (table, constraint) = (row[0].shown(), format!("{} #{}", row[0].shown(), row[1].shown()));
        match found.last_mut() {
            Some(child) if child.constraint == constraint => {
                child.columns.push(row[3].shown());
                child.parent_columns.push(row[4].shown());
            }
            _ => found.push(Child {
                schema: None,
                table,
                constraint,
                on_delete: OnDelete::read(&row[2].shown()),
                columns: vec![row[3].shown()],
                parent_columns: vec![row[4].shown()],
            }),
        }
    }
    Ok(found)
}

/// A trigger on one event may name another in its body: it counts for both.
async fn triggers(session: &mut dyn Statements, at: &[Cell]) -> Result<Vec<Trigger>, StoreFailure> {
    let sql = "SELECT name, sql LIKE '%INSERT%' OR sql LIKE '%REPLACE%', sql LIKE '%UPDATE%', sql LIKE '%DELETE%' OR sql LIKE '%REPLACE%' \
               FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY 1";
    let trigger = |row: &Vec<Cell>| {
        let events =
            [Event::Insert, Event::Update, Event::Delete].into_iter().zip(&row[1..]).filter(|(_, fires)| fires.as_flag());
        Trigger { name: row[0].shown(), partition: None, events: events.map(|(event, _)| event).collect() }
    };
    Ok(session.rows(sql, at).await?.iter().map(trigger).collect())
}

/// Tables that could have been meant.
async fn tables(session: &mut dyn Statements) -> Result<Vec<String>, StoreFailure> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1";
    Ok(session.rows(sql, &[]).await?.iter().map(|row| row[0].shown()).collect())
}

/// Which index a query uses, by EXPLAIN QUERY PLAN; `None` when it reads the whole table.
async fn index_used(session: &mut dyn Statements, sql: &str, binds: &[Cell]) -> Result<Option<String>, StoreFailure> {
    let rows = session.rows(&format!("EXPLAIN QUERY PLAN {sql}"), binds).await?;
    let details = rows.iter().filter_map(|row| row.get(3)?.as_text());
    Ok(details
        .filter_map(|detail| detail.split_once(" INDEX "))
        .map(|(_, rest)| rest.split(" (").next().unwrap_or(rest).to_owned())
        .next())
}

/// What a clock holds, from the values themselves: a SQLite column promises nothing.
///
/// All must be integers (with a `unit`), or all text of one shape; anything else cannot be compared and is refused.
async fn clock_by_values(session: &mut dyn Statements, table: &Table, clock: &Clock) -> Result<ClockKind, StoreFailure> {
    let column = Sqlite.quote(&clock.column);
    let digits = ('1'..='9').fold(column.clone(), |expression, digit| format!("replace({expression}, '{digit}', '0')"));
    let suffix = format!(
        "CASE WHEN length({column}) > 10 AND substr({column}, -6, 1) IN ('+', '-') THEN substr({column}, -6) ELSE '' END"
    );
    let sql = format!(
        "SELECT DISTINCT typeof({column}), CASE typeof({column}) WHEN 'text' THEN {digits} END, CASE typeof({column}) WHEN 'text' THEN {suffix} END \
         FROM {} WHERE {column} IS NOT NULL AND NOT {} LIMIT 4",
        Sqlite.table(table),
        zero_date(&column)
    );
    let shapes = session.rows(&sql, &[]).await?;
    let refused = |text: String, help: &str| Err(StoreFailure::refused(codes::CLOCK_UNFIT, text, help));
    let label = format!("clock `{}` of `{}`", clock.column, table.label());
    match shapes.as_slice() {
        [] => Ok(clock.unit.map_or_else(|| ClockKind::Text(unseen(clock)), ClockKind::Epoch)),
        [one] if one[0].as_text() == Some("integer") => match clock.unit {
            Some(unit) => Ok(ClockKind::Epoch(unit)),
            None => Err(unit_missing(table, &clock.column)),
        },
        [one] if one[0].as_text() == Some("text") && clock.unit.is_none() => match shape(&one[1].shown(), &one[2].shown(), clock)
        {
            Some(shape) => Ok(ClockKind::Text(shape)),
            None => refused(
                format!("{label} holds text that is no date"),
                "write dates as `2026-05-21`, `2026-05-21 13:45:00` or `2026-05-21T13:45:00Z`",
            ),
        },
        [one] if one[0].as_text() == Some("text") => {
            refused(format!("{label} holds text, and text has no `unit`"), "leave `unit` out")
        }
        [one] => refused(format!("{label} holds values of type {}", one[0].shown()), "use ISO text, or integers with a `unit`"),
        _ => refused(
            format!("{label} holds dates of more than one form, which do not compare; nothing is moved or removed"),
            "bring them to one form, such as `strftime('%Y-%m-%dT%H:%M:%SZ', …)`",
        ),
    }
}

/// The shape of a column that holds nothing yet.
fn unseen(clock: &Clock) -> TextShape {
    TextShape { separator: Some(' '), fraction: 0, suffix: String::new(), zone: clock.zone.unwrap_or(Tz::UTC) }
}

/// Reads a shape from a text whose digits are all zero.
fn shape(zeroed: &str, suffix: &str, clock: &Clock) -> Option<TextShape> {
    let zone = clock.zone.unwrap_or(Tz::UTC);
    let rest = zeroed.strip_prefix("0000-00-00")?;
    let Some(separator) = rest.chars().next() else {
        return Some(TextShape { separator: None, fraction: 0, suffix: String::new(), zone });
    };
    let rest = rest.strip_prefix([' ', 'T'])?.strip_prefix("00:00:00")?;
    let (fraction, tail) = match rest.strip_prefix('.') {
        Some(digits) => {
            let count = digits.chars().take_while(|c| *c == '0').count();
            (count, &digits[count..])
        }
        None => (0, rest),
    };
    let known = tail.is_empty() || tail == "Z" || (tail.len() == 6 && !suffix.is_empty());
    let suffix = if tail == "Z" { "Z" } else { suffix };
    known.then(|| TextShape { separator: Some(separator), fraction, suffix: suffix.to_owned(), zone })
}
