//! The statements that make an archive in which every row fits: its key is unique, and nothing else.

use super::rows::Rows;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table::{Index, Table};
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

/// The column that names the batch which brought a row; restoring by batch needs it.
pub const BATCH_COLUMN: &str = "steward_batch";

/// The statements that make an archive.
pub(crate) async fn statements(
    session: &mut Session,
    rows: &Rows,
    schema: Option<&str>,
    name: &str,
) -> Result<Vec<String>, StoreFailure> {
    let dialect = rows.dialect;
    let (source, archive) = (dialect.table(&rows.table), dialect.path(schema, name));
    let list = |names: &[String]| names.iter().map(|name| dialect.quote(name)).collect::<Vec<_>>().join(", ");
    let key: Vec<String> = rows.key.iter().map(|column| column.name.clone()).collect();
    Ok(match dialect {
        Dialect::Postgres => {
            let make = format!(
                "CREATE TABLE {archive} (LIKE {source} INCLUDING ALL EXCLUDING GENERATED EXCLUDING IDENTITY EXCLUDING INDEXES, \
                 {BATCH_COLUMN} text, PRIMARY KEY ({}))",
                list(&key)
            );
            let others = rows.table.indexes.iter().filter(|index| !is_over(index, &key));
            let index = |index: &Index| format!("CREATE INDEX ON {archive} ({})", list(&index.columns));
            std::iter::once(make).chain(others.map(index)).collect()
        }
        Dialect::Mysql | Dialect::Mariadb => {
            vec![format!("CREATE TABLE {archive} LIKE {source}"), completing(session, rows, &rows.table, &archive).await?]
        }
        Dialect::Sqlite => {
            let mut parts: Vec<_> =
                rows.table.columns.iter().map(|column| format!("{} {}", dialect.quote(&column.name), column.declared)).collect();
            parts.push(format!("{BATCH_COLUMN} TEXT"));
            parts.push(format!("PRIMARY KEY ({})", list(&key)));
            // `ANY` keeps a value as it is in a STRICT table alone.
            let sql = "SELECT COUNT(*) FROM pragma_table_list(?) WHERE schema = 'main' AND strict = 1";
            let is_strict = session.count(sql, &[Cell::Text(rows.table.name.clone())]).await? > 0;
            vec![format!("CREATE TABLE {archive} ({}){}", parts.join(", "), if is_strict { " STRICT" } else { "" })]
        }
    })
}

/// Carries them out: all of them or none, where the engine can.
pub(crate) async fn make(mut session: Session, statements: &[String]) -> Result<(), StoreFailure> {
    if session.dialect().is_mysql() {
        for statement in statements {
            session.raw(statement).await?;
        }
        return Ok(());
    }
    session.begin().await?;
    for statement in statements {
        if let Err(failure) = session.raw(statement).await {
            session.rollback().await;
            return Err(failure);
        }
    }
    session.commit().await
}

/// MySQL makes an archive with two statements, and a crash may have come between them: the table is there, empty, and to the
/// letter like its source.
pub(crate) async fn is_half_made(session: &mut Session, rows: &Rows, archive: &Table) -> Result<bool, StoreFailure> {
    if !rows.dialect.is_mysql() || archive.columns != rows.table.columns {
        return Ok(false);
    }
    let first = session.rows(&format!("SELECT 1 FROM {} LIMIT 1", rows.dialect.table(archive)), &[]).await?;
    Ok(first.is_empty())
}

/// What such an archive lacks.
pub(crate) async fn complete(session: &mut Session, rows: &Rows, archive: &Table) -> Result<Vec<String>, StoreFailure> {
    Ok(vec![completing(session, rows, archive, &rows.dialect.table(archive)).await?])
}

/// One statement, so that nothing is between the two: the column for the batch, and no unique index but the key's. The others
/// become plain ones, where they are over plain columns.
async fn completing(session: &mut Session, rows: &Rows, like: &Table, archive: &str) -> Result<String, StoreFailure> {
    let quote = |name: &str| rows.dialect.quote(name);
    let key: Vec<String> = rows.key.iter().map(|column| column.name.clone()).collect();
    let kept = like.unique.iter().find(|index| is_over(index, &key)).map(|index| index.name.as_str());
    let sql = "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY 1";
    let at = [Cell::Text(like.schema.clone().unwrap_or_default()), Cell::Text(like.name.clone())];
    let mut changes = vec![];
    for row in session.rows(sql, &at).await? {
        let name = row.first().map(Cell::shown).unwrap_or_default();
        if kept == Some(&name) || name == "PRIMARY" {
            continue;
        }
        changes.push(format!("DROP INDEX {}", quote(&name)));
        if let Some(index) = like.unique.iter().find(|index| index.name == name) {
            let columns: Vec<String> = index.columns.iter().map(|column| quote(column)).collect();
            changes.push(format!("ADD INDEX {} ({})", quote(&name), columns.join(", ")));
        }
    }
    changes.push(format!("ADD COLUMN {BATCH_COLUMN} varchar(64) NULL"));
    Ok(format!("ALTER TABLE {archive} {}", changes.join(", ")))
}

fn is_over(index: &Index, key: &[String]) -> bool {
    index.columns.len() == key.len() && key.iter().all(|name| index.columns.contains(name))
}
