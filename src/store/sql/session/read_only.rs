//! Stores that take no writes: asked before a run, so that nobody finds out at night.
//!
//! A setting that makes an account or a server read-only is somebody's word: it is never set aside.

use super::connection::Session;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::value::Cell;
use std::path::Path;

/// Refuses a store that takes no writes from this account, or is a copy of another. Reads only.
///
/// # Errors
/// It is read-only, and why.
pub(crate) async fn refuse_read_only(session: &mut Session) -> Result<(), StoreFailure> {
    let why = match session.dialect() {
        Dialect::Sqlite => sqlite(session).await?,
        Dialect::Postgres => postgres(session).await?,
        Dialect::Mysql | Dialect::Mariadb => mysql(session).await?,
    };
    why.map_or(Ok(()), |(why, help)| Err(StoreFailure::read_only(session.store(), &why, &help)))
}

type Why = Option<(String, String)>;

async fn sqlite(session: &mut Session) -> Result<Why, StoreFailure> {
    let rows = session.rows("SELECT file FROM pragma_database_list WHERE name = 'main'", &[]).await?;
    let file = rows.first().and_then(|row| row.first()).map(Cell::shown).unwrap_or_default();
    Ok(unwritable(Path::new(&file)).map(|why| (why, UNWRITABLE.to_owned())))
}

/// What helps where a file cannot be written.
pub const UNWRITABLE: &str = "the user that runs steward needs to write the file and its folder";

/// Why a SQLite file cannot be written, or its folder takes no journal; none when all is well.
pub fn unwritable(path: &Path) -> Option<String> {
    if let Err(error) = std::fs::OpenOptions::new().write(true).open(path) {
        return Some(format!("the file cannot be written: {error}"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let journal = folder.join(format!(".steward-doctor-{}", uuid::Uuid::new_v4().simple()));
    match std::fs::File::create_new(&journal) {
        Ok(_) => std::fs::remove_file(&journal).err().map(|error| format!("a journal cannot be removed: {error}")),
        Err(error) => Some(format!("its folder takes no journal: {error}")),
    }
}

async fn postgres(session: &mut Session) -> Result<Why, StoreFailure> {
    if session.count("SELECT pg_is_in_recovery()::int", &[]).await? == 1 {
        return Ok(Some((
            "it is a standby, which replays what its primary writes".into(),
            "let its `url` name the primary".into(),
        )));
    }
    let sql = "SELECT source, quote_ident(current_user), quote_ident(current_database()) FROM pg_settings \
               WHERE name = 'default_transaction_read_only' AND setting = 'on'";
    let Some(row) = session.rows(sql, &[]).await?.into_iter().next() else { return Ok(None) };
    let [source, user, database] = [0, 1, 2].map(|at| row.get(at).map(Cell::shown).unwrap_or_default());
    let (whose, reset) = match source.as_str() {
        "user" => ("this account", format!("ALTER ROLE {user} RESET default_transaction_read_only;")),
        "database" => ("its database", format!("ALTER DATABASE {database} RESET default_transaction_read_only;")),
        "database user" => (
            "this account in its database",
            format!("ALTER ROLE {user} IN DATABASE {database} RESET default_transaction_read_only;"),
        ),
        "client" => ("its `url`", "take it out of the `url`".to_owned()),
        _ => ("its server", "ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();".to_owned()),
    };
    let why = format!("`default_transaction_read_only` is on for {whose}");
    Ok(Some((why, format!("where steward may write: {reset} or let it log in with another account"))))
}

async fn mysql(session: &mut Session) -> Result<Why, StoreFailure> {
    let access = if session.dialect() == Dialect::Mysql { "transaction_read_only" } else { "tx_read_only" };
    let settings: &[&str] = match session.dialect() {
        Dialect::Mysql => &["read_only", "super_read_only", "innodb_read_only", access],
        _ => &["read_only", "innodb_read_only", access],
    };
    // `read_only` has more values than two on newer MariaDB, and 0 or OFF is the one that writes.
    let asked: Vec<String> = settings.iter().map(|name| format!("CAST(@@GLOBAL.{name} AS CHAR)")).collect();
    let row = session.rows(&format!("SELECT {}", asked.join(", ")), &[]).await?.into_iter().next().unwrap_or_default();
    let is_on = |cell: &Cell| !matches!(cell.shown().as_str(), "0" | "OFF" | "");
    if let Some(name) = settings.iter().zip(&row).find(|(_, cell)| is_on(cell)).map(|(name, _)| name) {
        let why = format!("`{name}` is on for its server, as on a replica");
        return Ok(Some((why, format!("let its `url` name the primary; on one: SET GLOBAL {name} = 0;"))));
    }
    if session.dialect() == Dialect::Mysql {
        let sql = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA_EXTENSIONS \
                   WHERE SCHEMA_NAME = DATABASE() AND OPTIONS LIKE '%READ ONLY=1%'";
        // The table came with 8.0.22, and the option with it.
        if let Ok(rows) = session.rows(sql, &[]).await
            && let Some(name) = rows.first().and_then(|row| row.first()).map(Cell::shown)
        {
            let reset = format!("ALTER DATABASE {} READ ONLY = 0;", session.dialect().quote(&name));
            return Ok(Some((format!("database `{name}` is READ ONLY"), format!("where steward may write: {reset}"))));
        }
    }
    Ok(None)
}
