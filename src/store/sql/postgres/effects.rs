//! Foreign keys, triggers and rules of a table of PostgreSQL, seen over its whole tree of partitions.

use super::relatives::relatives;
use crate::store::error::StoreFailure;
use crate::store::foreign_key::{Child, OnDelete};
use crate::store::sql::schema::table::Dependents;
use crate::store::sql::schema::trigger::{Event, Trigger};
use crate::store::sql::session::statements::Statements;
use crate::store::value::Cell;

/// The oid of a table of any kind, by its exact name.
pub(crate) const OID: &str = "SELECT c.oid::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relname = $1::text AND n.nspname = COALESCE($2::text, current_schema()) AND c.relkind IN ('r', 'p', 'f')";

/// What hangs on a table, whether or not it can be governed.
pub(crate) async fn dependents(
    session: &mut dyn Statements,
    schema: Option<&str>,
    name: &str,
) -> Result<Option<Dependents>, StoreFailure> {
    let binds = [Cell::Text(name.to_owned()), Cell::text_or_null(schema)];
    let Some(row) = session.rows(OID, &binds).await?.into_iter().next() else { return Ok(None) };
    of_oid(session, &row).await.map(Some)
}

pub(crate) async fn of_oid(session: &mut dyn Statements, oid: &[Cell]) -> Result<Dependents, StoreFailure> {
    Ok(Dependents {
        children: children(session, oid).await?,
        triggers: triggers(session, oid).await?,
        rules: rules(session, oid).await?,
        relatives: relatives(session, oid).await?,
    })
}

/// A table, its partitions at any depth, and the tables that it is a partition of: the same rows under several names.
const TREE: &str = "WITH RECURSIVE down(oid) AS (SELECT $1::text::oid UNION SELECT i.inhrelid FROM down \
     JOIN pg_inherits i ON i.inhparent = down.oid JOIN pg_class p ON p.oid = i.inhrelid AND p.relispartition), \
     up(oid) AS (SELECT $1::text::oid UNION SELECT i.inhparent FROM up \
     JOIN pg_inherits i ON i.inhrelid = up.oid JOIN pg_class p ON p.oid = i.inhrelid AND p.relispartition)";

/// Foreign keys that reference any table of the tree. One that the server made for a partition (`conparentid`) counts with the
/// key that it was made for. Columns have the same names in the whole tree.
async fn children(session: &mut dyn Statements, oid: &[Cell]) -> Result<Vec<Child>, StoreFailure> {
    let columns = |table: &str, keys: &str| {
        format!(
            "(SELECT json_agg(a.attname ORDER BY k.at)::text FROM unnest(con.{keys}) WITH ORDINALITY k(attnum, at) \
             JOIN pg_attribute a ON a.attrelid = con.{table} AND a.attnum = k.attnum)"
        )
    };
    let sql = format!(
        "{TREE} SELECT n.nspname::text, c.relname::text, con.conname::text, con.confdeltype::text, {}, {} \
         FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE con.contype = 'f' AND con.conparentid = 0 \
         AND con.confrelid IN (SELECT oid FROM down UNION SELECT oid FROM up) ORDER BY 1, 2, 3",
        columns("conrelid", "conkey"),
        columns("confrelid", "confkey")
    );
    let rows = session.rows(&sql, oid).await?;
    Ok(rows
        .iter()
        .map(|row| Child {
            schema: Some(row[0].shown()),
            table: row[1].shown(),
            constraint: row[2].shown(),
            on_delete: OnDelete::read(&row[3].shown()),
            columns: names(&row[4]),
            parent_columns: names(&row[5]),
        })
        .collect())
}

/// Triggers that fire when rows change by way of the table: its own, and those on rows of its partitions. Disabled ones do not,
/// nor do those for a replica; a trigger that the server made for a partition counts with the one that it was made for.
async fn triggers(session: &mut dyn Statements, oid: &[Cell]) -> Result<Vec<Trigger>, StoreFailure> {
    // pg_trigger.h: 1 fires for each row, 4 on INSERT, 8 on DELETE, 16 on UPDATE. `tgparentid` came with PostgreSQL 13.
    let sql = format!(
        "{TREE} SELECT DISTINCT t.tgname::text, CASE WHEN t.tgrelid <> $1::text::oid THEN n.nspname || '.' || c.relname END, t.tgtype::int \
         FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE t.tgrelid IN (SELECT oid FROM down) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') \
         AND (t.tgrelid = $1::text::oid OR t.tgtype & 1 <> 0 AND COALESCE(to_jsonb(t)->>'tgparentid', '0') = '0') ORDER BY 1, 2"
    );
    Ok(session
        .rows(&sql, oid)
        .await?
        .iter()
        .map(|row| trigger(row, &[(4, Event::Insert), (8, Event::Delete), (16, Event::Update)]))
        .collect())
}

/// Rules that rewrite a statement that names the table. Those of partitions do not apply to it.
async fn rules(session: &mut dyn Statements, oid: &[Cell]) -> Result<Vec<Trigger>, StoreFailure> {
    // pg_rewrite: 1 is SELECT, 2 UPDATE, 3 INSERT, 4 DELETE; here a bit for each.
    let sql = "SELECT rulename::text, NULL::text, 1 << ev_type::text::int FROM pg_rewrite \
               WHERE ev_class = $1::text::oid AND ev_type IN ('2', '3', '4') AND ev_enabled IN ('O', 'A') ORDER BY 1";
    Ok(session
        .rows(sql, oid)
        .await?
        .iter()
        .map(|row| trigger(row, &[(4, Event::Update), (8, Event::Insert), (16, Event::Delete)]))
        .collect())
}

/// From a name, a partition and bits.
fn trigger(row: &[Cell], events: &[(u64, Event)]) -> Trigger {
    let bits = row[2].as_count();
    Trigger {
        name: row[0].shown(),
        partition: row[1].as_text().map(str::to_owned),
        events: events.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, event)| *event).collect(),
    }
}

pub(crate) fn names(json: &Cell) -> Vec<String> {
    json.as_text().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
