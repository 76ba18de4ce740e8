//! Partitions, partitioned parents and inheritance, from `pg_inherits`.

use crate::store::error::StoreFailure;
use crate::store::sql::schema::relatives::{Relation, Relatives, Storage};
use crate::store::sql::session::statements::Statements;
use crate::store::value::Cell;

/// The tables above and below a table. `pg_inherits` is shown to every account.
pub(crate) async fn relatives(session: &mut dyn Statements, oid: &[Cell]) -> Result<Relatives, StoreFailure> {
    Ok(Relatives {
        ancestors: walk(session, oid, "inhrelid", "inhparent").await?,
        descendants: walk(session, oid, "inhparent", "inhrelid").await?,
    })
}

/// Inheritance may lead to one table by two ways, but never in a circle: the server refuses that.
async fn walk(session: &mut dyn Statements, oid: &[Cell], from: &str, to: &str) -> Result<Vec<Relation>, StoreFailure> {
    let sql = format!(
        "WITH RECURSIVE tree(oid, depth) AS (SELECT {to}, 1 FROM pg_inherits WHERE {from} = $1::text::oid \
         UNION ALL SELECT i.{to}, tree.depth + 1 FROM tree JOIN pg_inherits i ON i.{from} = tree.oid) \
         SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text, c.relispartition \
         FROM (SELECT oid, MIN(depth) AS depth FROM tree GROUP BY oid) t \
         JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'f') ORDER BY t.depth, 2, 3"
    );
    let rows = session.rows(&sql, oid).await?;
    Ok(rows
        .iter()
        .map(|row| Relation {
            oid: row[0].shown(),
            schema: Some(row[1].shown()),
            name: row[2].shown(),
            storage: storage(&row[3].shown(), &row[4].shown()),
            is_partition: row[5].as_flag(),
            is_partitioned: row[3].as_text() == Some("p"),
        })
        .collect())
}

fn storage(kind: &str, persistence: &str) -> Storage {
    match (kind, persistence) {
        ("f", _) => Storage::Foreign,
        (_, "u") => Storage::Unlogged,
        (_, "t") => Storage::Temporary,
        _ => Storage::Permanent,
    }
}
