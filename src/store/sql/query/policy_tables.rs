//! Reads policies that are kept in a database (source document 000, §1.3).

use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::policy::table::{LifecycleRow, NO_NUMBER, TagRow};
use crate::store::error::StoreFailure;
use crate::store::sql::batch::grants;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::Table;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

/// Every row of a table of lifecycle policies. A table that cannot be reached is an error, never "no policies".
pub async fn lifecycle(store: &Store, name: &DatasetName) -> Result<Vec<LifecycleRow>, StoreFailure> {
    const COLUMNS: &[&str] =
        &["table_name", "policy_name", "retention_period", "archive_period", "deletion_period", "archive_location", "is_active"];
    let rows = read(store, name, COLUMNS).await?;
    Ok(rows
        .into_iter()
        .map(|row| LifecycleRow {
            row: row[0].shown(),
            table_name: row[1].shown(),
            policy_name: row[2].shown(),
            retention_period: days(&row[3]),
            archive_period: days(&row[4]),
            deletion_period: days(&row[5]),
            archive_location: row[6].as_text().map(str::to_owned),
            is_active: row[7].as_flag(),
        })
        .collect())
}

/// Every row of a table of classification tags.
pub async fn tags(store: &Store, name: &DatasetName) -> Result<Vec<TagRow>, StoreFailure> {
    const COLUMNS: &[&str] = &[
        "table_name",
        "field_name",
        "sensitivity_level",
        "data_type",
        "protection_method",
        "retention_period",
        "encryption_required",
        "access_control_required",
        "audit_required",
    ];
    let rows = read(store, name, COLUMNS).await?;
    Ok(rows
        .into_iter()
        .map(|row| TagRow {
            row: row[0].shown(),
            table_name: row[1].shown(),
            field_name: row[2].shown(),
            sensitivity_level: row[3].shown(),
            data_type: row[4].as_text().map(str::to_owned),
            protection_method: row[5].as_text().map(str::to_owned),
            retention_period: days(&row[6]),
            encryption_required: row[7].as_flag(),
            access_control_required: row[8].as_flag(),
            audit_required: row[9].as_flag(),
        })
        .collect())
}

/// The key and these columns of every row, as text, in the order of the key.
///
/// # Errors
/// The store's own; one that a missing right may be behind says which right the account needs.
async fn read(store: &Store, name: &DatasetName, columns: &[&str]) -> Result<Vec<Vec<Cell>>, StoreFailure> {
    rows(store, name, columns).await.map_err(|failure| match failure {
        // PostgreSQL names what it denies; MySQL makes as if it were not there.
        StoreFailure::Refused { code, text, help } if code == codes::DENIED || store.driver().is_mysql() => {
            let grants = grants::grants_to_read(store, name).join(";\n");
            let help = format!("{help}\nif it is hidden from the account, that needs:\n{grants}");
            StoreFailure::Refused { code, text, help }
        }
        other => other,
    })
}

async fn rows(store: &Store, name: &DatasetName, columns: &[&str]) -> Result<Vec<Vec<Cell>>, StoreFailure> {
    let mut session: Session = store.reading("policies").await?;
    let table: Table = catalog::must_find(&mut session, name).await?;
    let dialect = session.dialect();
    let key = table.key()?.into_iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let text = |name: &str| match dialect {
        Dialect::Postgres => format!("{}::text", dialect.quote(name)),
        Dialect::Sqlite => format!("CAST({} AS TEXT)", dialect.quote(name)),
        Dialect::Mysql | Dialect::Mariadb => format!("CAST({} AS CHAR)", dialect.quote(name)),
    };
    let mut wanted = vec![text(key.first().map_or("", String::as_str))];
    for column in columns {
        table.column(column)?;
        wanted.push(text(column));
    }
    let order = key.iter().map(|name| dialect.quote(name)).collect::<Vec<_>>().join(", ");
    session.rows(&format!("SELECT {} FROM {} ORDER BY {order}", wanted.join(", "), dialect.table(&table)), &[]).await
}

/// A period in days, or [`NO_NUMBER`].
fn days(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Null => None,
        other => Some(other.shown().parse().unwrap_or(NO_NUMBER)),
    }
}
