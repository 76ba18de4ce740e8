//! Tables that are published and say of a removed row not which one it was: PostgreSQL refuses every DELETE and UPDATE there.

use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::schema::trigger::Event;
use crate::store::sql::session::statements::Statements;
use crate::store::value::Cell;

/// Refuses when one of these tables, or a partition of it, publishes such changes without a replica identity. Reads only.
///
/// # Errors
/// That refusal; the store is away.
pub(crate) async fn refuse_unidentified<'t>(
    session: &mut dyn Statements,
    tables: impl IntoIterator<Item = (Option<&'t str>, &'t str)>,
    event: Event,
) -> Result<(), StoreFailure> {
    let publishes = if event == Event::Delete { "pubdelete" } else { "pubupdate" };
    let names: Vec<_> = tables.into_iter().map(|(schema, name)| serde_json::json!([schema, name])).collect();
    // A partition publishes by itself or by the tables above it. Names are given as the view has them, which every version has.
    let sql = format!(
        "WITH RECURSIVE down(oid) AS (SELECT c.oid FROM json_array_elements($1::text::json) t(v) JOIN pg_class c ON c.relname = t.v->>1 \
         JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = COALESCE(t.v->>0, current_schema()) \
         UNION SELECT i.inhrelid FROM down JOIN pg_inherits i ON i.inhparent = down.oid), \
         up(leaf, oid) AS (SELECT oid, oid FROM down UNION SELECT up.leaf, i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid) \
         SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), MIN(quote_ident(p.pubname)), \
         (SELECT MIN(quote_ident(i.relname)) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid \
         AND x.indisunique AND x.indisvalid AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL \
         AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (x.indkey) AND NOT a.attnotnull)) \
         FROM up JOIN pg_class c ON c.oid = up.leaf AND c.relkind = 'r' AND c.relreplident <> 'f' \
         JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class o ON o.oid = up.oid JOIN pg_namespace m ON m.oid = o.relnamespace \
         JOIN pg_publication_tables pt ON pt.schemaname = m.nspname AND pt.tablename = o.relname \
         JOIN pg_publication p ON p.pubname = pt.pubname AND p.{publishes} \
         WHERE NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND (c.relreplident = 'd' AND x.indisprimary \
         OR c.relreplident = 'i' AND x.indisreplident)) GROUP BY c.oid, n.nspname, c.relname ORDER BY 1 LIMIT 1"
    );
    let found = session.rows(&sql, &[Cell::Text(serde_json::Value::from(names).to_string())]).await?;
    let Some(row) = found.first() else { return Ok(()) };
    let (table, publication) = (row[0].shown(), row[1].shown());
    let identity = match &row[2] {
        Cell::Null => "FULL".to_owned(),
        index => format!("USING INDEX {}", index.shown()),
    };
    Err(StoreFailure::refused(
        codes::NO_IDENTITY,
        format!(
            "`{table}` is published by `{publication}` and has no replica identity, so PostgreSQL refuses to {} its rows; nothing was touched",
            if event == Event::Delete { "remove" } else { "change" }
        ),
        format!("ALTER TABLE {table} REPLICA IDENTITY {identity};"),
    ))
}
