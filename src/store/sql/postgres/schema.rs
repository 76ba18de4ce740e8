//! PostgreSQL's catalogue, read into a [`Table`].

use super::dialect::Postgres;
use super::effects::{names, of_oid};
use super::row_security::refuse_hidden_rows;
use crate::diagnostic::codes;
use crate::store::clock::ClockKind;
use crate::store::error::StoreFailure;
use crate::store::sql::schema::dialect::SchemaDialect;
use crate::store::sql::schema::table::{Class, Column, Index, Table};
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

impl SchemaDialect for Postgres {
    fn instant(&self, utc: &str) -> String {
        format!("TIMESTAMPTZ '{utc}+00'")
    }

    fn dated(&self, kind: &ClockKind, clock: &str) -> String {
        match kind {
            ClockKind::Epoch(_) => format!("(COALESCE({clock}, 0) <> 0)"),
            _ => format!("COALESCE(isfinite({clock}), false)"),
        }
    }
}

/// A table by its exact name, or `None`; what is there and cannot be governed is refused.
pub(crate) async fn table(session: &mut Session, schema: Option<&str>, name: &str) -> Result<Option<Table>, StoreFailure> {
    let sql = "SELECT c.oid::text, n.nspname::text, c.relkind::text, c.relpersistence::text, GREATEST(c.reltuples, -1)::bigint \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relname = $1::text AND n.nspname = COALESCE($2::text, current_schema()) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    let binds = [Cell::Text(name.to_owned()), schema.map_or(Cell::Null, |schema| Cell::Text(schema.to_owned()))];
    let Some(row) = session.rows(sql, &binds).await?.into_iter().next() else {
        return Ok(None);
    };
    let [Cell::Text(oid), Cell::Text(schema), Cell::Text(kind), Cell::Text(persistence), estimate] = row.as_slice() else {
        return Ok(None);
    };
    let label = format!("{}.{schema}.{name}", session.store());
    refuse_other_kinds(&label, kind, persistence)?;
    refuse_hidden_rows(session, Some(schema), name).await?;
    let oid = [Cell::Text(oid.clone())];
    let indexes = indexes(session, &oid).await?;
    Ok(Some(Table {
        store: session.store().to_owned(),
        schema: Some(schema.clone()),
        name: name.to_owned(),
        columns: columns(session, &oid).await?,
        unique: indexes.iter().filter(|(_, unique)| *unique).map(|(index, _)| index.clone()).collect(),
        indexes: indexes.into_iter().map(|(index, _)| index).collect(),
        prefix_keys: vec![],
        unlogged: persistence == "u",
        dependents: of_oid(session, &oid).await?,
        estimate: match estimate {
            Cell::Int(rows) => u64::try_from(*rows).ok(),
            _ => None,
        },
    }))
}

fn refuse_other_kinds(label: &str, kind: &str, persistence: &str) -> Result<(), StoreFailure> {
    let what = match (kind, persistence) {
        ("v", _) => "a view",
        ("m", _) => "a materialized view",
        ("f", _) => "a foreign table",
        (_, "t") => "a temporary table",
        _ => return Ok(()),
    };
    Err(StoreFailure::refused(
        codes::TABLE_UNFIT,
        format!("`{label}` is {what}; nothing is moved from or to it"),
        "name the table itself",
    ))
}

async fn columns(session: &mut Session, oid: &[Cell]) -> Result<Vec<Column>, StoreFailure> {
    let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), \
               format_type(COALESCE(NULLIF(t.typbasetype, 0), a.atttypid), NULL), \
               NOT a.attnotnull, a.attgenerated <> '', a.atthasdef OR a.attidentity <> '' \
               FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
               WHERE a.attrelid = $1::text::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
    let rows = session.rows(sql, oid).await?;
    Ok(rows
        .iter()
        .map(|row| Column {
            name: row[0].shown(),
            declared: row[1].shown(),
            class: class(&row[2].shown()),
            nullable: row[3].as_flag(),
            generated: row[4].as_flag(),
            has_default: row[5].as_flag(),
        })
        .collect())
}

fn class(base: &str) -> Class {
    match base {
        "smallint" | "integer" | "bigint" => Class::Integer { unsigned: false },
        "numeric" => Class::Decimal,
        "real" | "double precision" => Class::Float,
        "text" | "character varying" | "character" | "citext" | "name" => Class::Text,
        "bytea" => Class::Bytes,
        "date" => Class::Date,
        "timestamp without time zone" => Class::Naive,
        "timestamp with time zone" => Class::Zoned,
        "json" | "jsonb" => Class::Json,
        _ => Class::Other,
    }
}

async fn indexes(session: &mut Session, oid: &[Cell]) -> Result<Vec<(Index, bool)>, StoreFailure> {
    let sql = "SELECT i.relname::text, x.indisprimary, x.indisunique, \
               (SELECT json_agg(a.attname ORDER BY k.at)::text FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, at) \
                JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum WHERE k.at <= x.indnkeyatts) \
               FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
               WHERE x.indrelid = $1::text::oid AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL ORDER BY NOT x.indisprimary, i.relname";
    let rows = session.rows(sql, oid).await?;
    Ok(rows
        .iter()
        .map(|row| (Index { name: row[0].shown(), columns: names(&row[3]), primary: row[1].as_flag() }, row[2].as_flag()))
        .collect())
}

/// Tables that could have been meant.
pub(crate) async fn tables(session: &mut Session, schema: Option<&str>) -> Result<Vec<String>, StoreFailure> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = COALESCE($1::text, current_schema()) AND c.relkind IN ('r', 'p') ORDER BY 1";
    let binds = [schema.map_or(Cell::Null, |schema| Cell::Text(schema.to_owned()))];
    Ok(session.rows(sql, &binds).await?.iter().map(|row| row[0].shown()).collect())
}

/// Which index a query uses, by EXPLAIN; `None` when it reads the whole table.
pub(crate) async fn index_used(session: &mut Session, sql: &str, binds: &[Cell]) -> Result<Option<String>, StoreFailure> {
    let rows = session.rows(&format!("EXPLAIN (FORMAT JSON) {sql}"), binds).await?;
    let text = rows.first().and_then(|row| row.first()?.as_text()).unwrap_or_default().to_owned();
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(find_index(&plan))
}

fn find_index(plan: &serde_json::Value) -> Option<String> {
    match plan {
        serde_json::Value::Object(node) => node
            .get("Index Name")
            .and_then(|name| name.as_str().map(str::to_owned))
            .or_else(|| node.values().find_map(find_index)),
        serde_json::Value::Array(nodes) => nodes.iter().find_map(find_index),
        _ => None,
    }
}
