//! PostgreSQL's catalogue, read into a [`Table`].

use super::dialect::Postgres;
use super::effects::{dependents, names, of_oid};
use super::relatives::relatives;
use super::row_security::refuse_hidden_rows;
use crate::diagnostic::codes;
use crate::store::clock::ClockKind;
use crate::store::error::StoreFailure;
use crate::store::sql::schema::dialect::SchemaDialect;
use crate::store::sql::schema::id_column::IdKind;
use crate::store::sql::schema::relatives::Relatives;
use crate::store::sql::schema::table::{Class, Column, Dependents, Index, Table};
use crate::store::sql::session::statements::{Answer, Statements};
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

    fn table_of<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Table>> {
        Box::pin(table(session, schema, name))
    }

    fn tables<'a>(&'a self, session: &'a mut dyn Statements, schema: Option<&'a str>) -> Answer<'a, Vec<String>> {
        Box::pin(tables(session, schema))
    }

    fn dependents<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Dependents>> {
        Box::pin(dependents(session, schema, name))
    }

    fn index_used<'a>(&'a self, session: &'a mut dyn Statements, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, Option<String>> {
        Box::pin(index_used(session, sql, binds))
    }

    fn relatives<'a>(&'a self, session: &'a mut dyn Statements, oid: &'a Cell) -> Answer<'a, Relatives> {
        Box::pin(relatives(session, std::slice::from_ref(oid)))
    }

    fn own_schema(&self) -> Option<&'static str> {
        Some("SELECT current_schema()::text, current_setting('search_path')")
    }

    fn locate(&self, schema: Option<&str>, table: &str) -> Option<(&'static str, Vec<Cell>)> {
        let (schema, table) = (Cell::text_or_null(schema), Cell::Text(table.to_owned()));
        Some((
            "SELECT n.nspname::text, c.relname::text, c.relkind IN ('v', 'm', 'f'), a.attname::text, c.oid::text \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE n.nspname = COALESCE($1::text, current_schema()) AND c.relname = $2::text \
             AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY a.attnum",
            vec![schema, table],
        ))
    }

    fn all_columns(&self) -> &'static str {
        "SELECT n.nspname::text, c.relname::text, a.attname::text FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'steward_batches' \
         AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
    }

    fn id_text(&self, kind: IdKind, value: &str) -> String {
        match kind {
            IdKind::Bytes => format!("(encode({value}, 'hex') COLLATE \"C\")"),
            _ => format!("({value}::text COLLATE \"C\")"),
        }
    }
}

/// A table by its exact name, or `None`; what is there and cannot be governed is refused.
pub(crate) async fn table(session: &mut dyn Statements, schema: Option<&str>, name: &str) -> Result<Option<Table>, StoreFailure> {
    let sql = "SELECT c.oid::text, n.nspname::text, c.relkind::text, c.relpersistence::text, GREATEST(c.reltuples, -1)::bigint \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relname = $1::text AND n.nspname = COALESCE($2::text, current_schema()) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')";
    let binds = [Cell::Text(name.to_owned()), Cell::text_or_null(schema)];
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

async fn columns(session: &mut dyn Statements, oid: &[Cell]) -> Result<Vec<Column>, StoreFailure> {
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

async fn indexes(session: &mut dyn Statements, oid: &[Cell]) -> Result<Vec<(Index, bool)>, StoreFailure> {
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
pub(crate) async fn tables(session: &mut dyn Statements, schema: Option<&str>) -> Result<Vec<String>, StoreFailure> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = COALESCE($1::text, current_schema()) AND c.relkind IN ('r', 'p') ORDER BY 1";
    let binds = [Cell::text_or_null(schema)];
    Ok(session.rows(sql, &binds).await?.iter().map(|row| row[0].shown()).collect())
}

/// Which index a query uses, by EXPLAIN; `None` when it reads the whole table.
pub(crate) async fn index_used(session: &mut dyn Statements, sql: &str, binds: &[Cell]) -> Result<Option<String>, StoreFailure> {
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
