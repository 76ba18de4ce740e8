//! Whether the file's tables, indexes and triggers are ours: what somebody added could change what is recorded.

use super::migrations::migrator;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection};
use std::collections::BTreeMap;

/// What a schema is made of: kind and name, and the statement that made it. sqlx's own table is its own affair, what hangs on it is not.
const OBJECTS: &str = "SELECT type, name, coalesce(sql, '') FROM sqlite_master
    WHERE substr(name, 1, 7) <> 'sqlite_' AND NOT (type = 'table' AND name = '_sqlx_migrations')";

type Objects = BTreeMap<(String, String), String>;

/// What is in the file and not ours, or ours and not as we made it; none when every object is what the migrations make.
pub(super) async fn difference(connection: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    let (ours, there) = (ours().await?, objects(connection).await?);
    let foreign = there.keys().find(|object| !ours.contains_key(*object));
    let missing = ours.keys().find(|object| !there.contains_key(*object));
    let edited = ours.iter().find(|(object, sql)| there.get(*object).is_some_and(|found| found != *sql));
    let named = |(kind, name): &(String, String)| format!("{kind} `{}`", name.escape_default());
    Ok(foreign
        .map(|object| format!("its {} was put there, and not by steward", named(object)))
        .or_else(|| missing.map(|object| format!("its {} is gone", named(object))))
        .or_else(|| edited.map(|(object, _)| format!("its {} is not as steward made it", named(object)))))
}

/// What the migrations make, in a database that is gone at once.
async fn ours() -> Result<Objects, sqlx::Error> {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true).disable_statement_logging().connect().await?;
    migrator().run_direct(None, &mut connection, false).await.map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
    let objects = objects(&mut connection).await?;
    connection.close().await?;
    Ok(objects)
}

async fn objects(connection: &mut SqliteConnection) -> Result<Objects, sqlx::Error> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(OBJECTS).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(kind, name, sql)| ((kind, name), sql)).collect())
}
