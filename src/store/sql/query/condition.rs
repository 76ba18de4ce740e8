//! Conditions that people write in a store's own language: made sure to be one condition and nothing else.

use crate::diagnostic::codes;
use crate::store::answer::fails_for_rows;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::Table;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

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
    let language = session.dialect().language();
    language
        .condition(condition)
        .map_err(|fault| refused(format!("the condition of {whose} {fault}; nothing is moved or removed")))?;
    if session.dialect() == Dialect::Sqlite {
        quoted_names(condition, table).map_err(|name| {
            refused(format!("the condition of {whose} names a column `{name}` that `{}` does not have", table.label()))
        })?;
    }
    let path = session.dialect().table(table);
    for wrapped in [format!("\n{condition}\n"), format!("(\n{condition}\n) AND 1 = 1")] {
        let answer = catalog::index_used(session, &format!("SELECT 1 FROM {path} WHERE {wrapped}"), &[]).await;
        match answer {
            Err(StoreFailure::Failed { text, .. }) => {
                return Err(refused(format!("the condition of {whose} does not work on `{}`: {text}", table.label())));
            }
            // MySQL and MariaDB open all tables that a called function would write to, and so know it before any row is read.
            Err(StoreFailure::Refused { code: codes::LOOK_WRITES, help, .. }) => {
                let text = format!("the condition of {whose} would write; nothing was changed, moved or removed");
                return Err(StoreFailure::refused(codes::LOOK_WRITES, text, help));
            }
            Err(other) => return Err(other),
            Ok(_) => {}
        }
    }
    if session.dialect() == Dialect::Postgres {
        refuse_volatile(session, &path, condition, whose).await?;
    }
    Ok(())
}

/// Refuses a condition that fails for some of the rows that there are now: asks it of all of them.
pub async fn check_rows(session: &mut Session, table: &Table, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    let path = session.dialect().table(table);
    match session.count(&format!("SELECT COUNT(*) FROM {path} WHERE (\n{condition}\n)"), &[]).await {
        Err(StoreFailure::Failed { text, .. }) => Err(fails_for_rows(whose, &table.label(), &text)),
        other => other.map(drop),
    }
}

/// PostgreSQL: refuses what calls a function that is declared VOLATILE, as a function, an operator, a cast or in a view.
///
/// The planner is asked, which knows all of them: it does not pull a subquery up that computes something volatile.
async fn refuse_volatile(session: &mut Session, path: &str, condition: &str, whose: &str) -> Result<(), StoreFailure> {
    let sql = format!(
        "EXPLAIN (FORMAT JSON, COSTS OFF) SELECT 1 FROM (SELECT ((\n{condition}\n) IS TRUE) AS c FROM {path}) steward_v WHERE c"
    );
    let answer = session.rows(&sql, &[]).await?;
    let text = answer.first().and_then(|row| row.first()?.as_text()).unwrap_or_default();
    let plan: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if !keeps_subquery(&plan) {
        return Ok(());
    }
    let names: Vec<&str> =
        condition.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|name| !name.is_empty()).collect();
    let sql = "SELECT DISTINCT proname::text FROM pg_proc WHERE provolatile = 'v' \
               AND lower(proname) IN (SELECT lower(value) FROM json_array_elements_text($1::text::json)) ORDER BY 1";
    let found = session.rows(sql, &[Cell::Text(serde_json::Value::from(names).to_string())]).await?;
    let found: Vec<String> = found.iter().map(|row| format!("`{}`", row[0].shown())).collect();
    let what = if found.is_empty() { "a function or operator".to_owned() } else { found.join(", ") };
    Err(StoreFailure::refused(
        codes::VOLATILE,
        format!("the condition of {whose} calls {what}, declared VOLATILE; nothing is moved or removed"),
        "ALTER FUNCTION … STABLE; where that is true; `now()` stands in for `clock_timestamp()`",
    ))
}

/// True where the plan still has the subquery that the condition was put in.
fn keeps_subquery(plan: &serde_json::Value) -> bool {
    match plan {
        serde_json::Value::Object(node) => {
            node.get("Alias").is_some_and(|alias| alias == "steward_v") || node.values().any(keeps_subquery)
        }
        serde_json::Value::Array(nodes) => nodes.iter().any(keeps_subquery),
        _ => false,
    }
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
