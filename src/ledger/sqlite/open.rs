//! Opens the ledger's file, brings its tables up to date, and tells in words what SQLite tells in numbers.

use super::migrations::migrator;
use super::schema;
use crate::file_owner;
use crate::ledger::error::LedgerError;
use crate::ledger::lockfile::{self, LockFile};
use sqlx::migrate::{Migrate, MigrateError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// "STWD": set by the first migration, so that a ledger is told from any other database.
const APPLICATION_ID: i64 = 1_398_036_292;
/// How long a writer waits for another process.
const BUSY: Duration = Duration::from_secs(30);
/// How long a task waits for this process' own connections; longer, so that the wait above is what is reported.
const ACQUIRE: Duration = Duration::from_secs(60);
/// Where sqlx notes which migrations were applied.
const MIGRATIONS: &str = "_sqlx_migrations";

/// An open ledger file. Cheap to clone.
///
/// One connection writes, so that tasks of this process queue in order instead of racing for SQLite's write lock.
#[derive(Debug, Clone)]
pub struct Sqlite {
    /// As it was named to us; what errors show.
    pub path: Arc<Path>,
    /// The same, absolute: a changed working directory leads nowhere else.
    pub file: Arc<Path>,
    pub(super) read: SqlitePool,
    write: Option<SqlitePool>,
    opened_as: Option<(u64, u64)>,
}

impl Sqlite {
    /// Opens the ledger for writing; makes folder, file and tables where they are missing.
    ///
    /// Every commit is on the disk before it is reported (`synchronous = FULL` in WAL). Making and migrating happen under a
    /// lock file of their own: sqlx takes none on SQLite, and two first starts would make the tables twice.
    ///
    /// # Errors
    /// A path that cannot be written, a file that is no ledger, a ledger of a newer steward.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let is_new = !file.exists();
        let io = |error: io::Error| {
            let (path, why) = (path.to_owned(), error.to_string());
            match error.kind() {
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied if is_new => {
                    LedgerError::Misplaced { path, why }
                }
                _ => LedgerError::Unwritable { path, why },
            }
        };
        file.parent().map_or(Ok(()), file_owner::create_dir_all).map_err(io)?;
        // What SQLite puts beside it (`-wal`, `-shm`) it gives to the owner of this file, where root runs it.
        file_owner::open(&file).map_err(io)?;
        let _migrating = migration_lock(path, &file).await?;

        let options = options(&file).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        migrate(path, &options.clone().create_if_missing(true)).await?;
        only_ours(path, &options).await?;
        let opened_as = lockfile::identity(&file);
        let write = pool(1).connect_with(options.clone()).await.map_err(|error| writing(path, error))?;
        let read = pool(3).connect_lazy_with(options);
        Ok(Self { path: path.into(), file: file.into(), read, write: Some(write), opened_as })
    }

    /// Opens a ledger that exists, for reading only, and changes nothing; none where there is no file.
    ///
    /// A ledger on a medium that cannot be written (a copy for an auditor) is read as it lies there.
    ///
    /// # Errors
    /// A file that cannot be read or is no ledger; a ledger of a newer steward, or of an older one.
    pub async fn open_existing(path: &Path) -> Result<Option<Self>, LedgerError> {
        let io = |why: io::Error| LedgerError::Unreadable { path: path.to_owned(), why: why.to_string() };
        let file = std::path::absolute(path).map_err(io)?;
        match std::fs::File::open(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(io)?,
        };
        let plain = options(&file).read_only(true);
        let still = plain.clone().immutable(true);
        let (options, ours) = match is_ledger(path, &plain).await {
            Err(LedgerError::Unreadable { .. }) if !beside(&file, "-wal").exists() => (&still, is_ledger(path, &still).await?),
            ours => (&plain, ours?),
        };
        if !ours {
            return Ok(None);
        }
        let opened_as = lockfile::identity(&file);
        let read = pool(3).connect_lazy_with(options.clone());
        Ok(Some(Self { path: path.into(), file: file.into(), read, write: None, opened_as }))
    }

    /// Closes every connection; the last one folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.read.close().await;
        if let Some(write) = &self.write {
            write.close().await;
        }
    }

    /// The writing connection.
    ///
    /// # Errors
    /// Open for reading only; or the file was moved or replaced under us, and SQLite would go on writing into what nobody sees.
    pub(super) fn writer(&self) -> Result<&SqlitePool, LedgerError> {
        let write = self.write.as_ref().ok_or_else(|| LedgerError::ReadOnly { path: self.path.to_path_buf() })?;
        if lockfile::identity(&self.file) == self.opened_as {
            return Ok(write);
        }
        Err(LedgerError::Gone { path: self.path.to_path_buf() })
    }

    /// Where the lock of a job lies: `<ledger>.locks/<job>.lock`.
    ///
    /// A job's name is `[a-z0-9-]`; anything else is escaped, so that no name leaves the folder or meets another's.
    pub fn lock_path(&self, job: &str) -> PathBuf {
        lock_path(&self.file, &escaped(job))
    }

    /// Where the gate lies behind which the lock of a job is taken.
    pub fn gate_path(&self, job: &str) -> PathBuf {
        lock_path(&self.file, &format!(".gate.{}", escaped(job)))
    }

    /// Where the lock of `serve` lies; no job's lock is called so.
    pub fn serve_lock_path(&self) -> PathBuf {
        lock_path(&self.file, ".serve")
    }

    pub(super) fn reading(&self, error: sqlx::Error) -> LedgerError {
        reading(&self.path, error)
    }

    pub(super) fn writing(&self, error: sqlx::Error) -> LedgerError {
        writing(&self.path, error)
    }
}

fn escaped(job: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    job.chars().map(|c| if plain(c) { c.to_string() } else { format!("%{:x}.", u32::from(c)) }).collect()
}

fn lock_path(file: &Path, name: &str) -> PathBuf {
    beside(file, ".locks").join(format!("{name}.lock"))
}

/// Waits for whoever is making or migrating the ledger. No job's lock is called so: a dot in a job's name is escaped.
async fn migration_lock(path: &Path, file: &Path) -> Result<LockFile, LedgerError> {
    let lock = lock_path(file, ".migrate");
    let began = Instant::now();
    loop {
        match LockFile::try_take(&lock) {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) if began.elapsed() >= BUSY => return Err(LedgerError::Busy { path: path.to_owned() }),
            Ok(None) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => return Err(LedgerError::Unwritable { path: path.to_owned(), why: error.to_string() }),
        }
    }
}

/// The path with something added to its last part.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(BUSY).foreign_keys(true).disable_statement_logging()
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE)
}

/// Makes or updates the tables; refuses whatever is not ours before it is touched.
async fn migrate(path: &Path, options: &SqliteConnectOptions) -> Result<(), LedgerError> {
    // Without WAL first: setting the journal mode would write into a database that is somebody else's.
    let mut look = self::options(options.get_filename()).create_if_missing(true);
    look = look.synchronous(SqliteSynchronous::Full);
    let mut connection = look.connect().await.map_err(|error| writing(path, error))?;
    let ours = whose(&mut connection).await.map_err(|error| writing(path, error))?;
    connection.close().await.map_err(|error| writing(path, error))?;
    if ours == Whose::Theirs {
        return Err(LedgerError::NotALedger { path: path.to_owned() });
    }
    let mut connection = options.connect().await.map_err(|error| writing(path, error))?;
    let migrated = migrator().run_direct(None, &mut connection, false).await;
    connection.close().await.map_err(|error| writing(path, error))?;
    migrated.map_err(|error| match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionMismatch(version) => {
            LedgerError::Newer { path: path.to_owned(), version }
        }
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => writing(path, error),
        other => LedgerError::Refused { path: path.to_owned(), why: other.to_string() },
    })
}

/// Refuses a ledger to which something was added, or from which something is gone: a trigger could change what is recorded.
async fn only_ours(path: &Path, options: &SqliteConnectOptions) -> Result<(), LedgerError> {
    let mut connection = options.connect().await.map_err(|error| writing(path, error))?;
    let difference = schema::difference(&mut connection).await.map_err(|error| writing(path, error))?;
    connection.close().await.map_err(|error| writing(path, error))?;
    difference.map_or(Ok(()), |place| Err(LedgerError::Broken { path: path.to_owned(), place }))
}

/// Whether there is a ledger in the file, with exactly our tables; refuses any other, and touches none. A file in which nothing
/// is yet (a first start that is under way, or died) is no ledger and no mistake.
async fn is_ledger(path: &Path, options: &SqliteConnectOptions) -> Result<bool, LedgerError> {
    let mut connection = options.connect().await.map_err(|error| reading(path, error))?;
    match whose(&mut connection).await.map_err(|error| reading(path, error))? {
        Whose::Ours => {}
        Whose::Nobodys => return Ok(false),
        Whose::Theirs => return Err(LedgerError::NotALedger { path: path.to_owned() }),
    }
    let applied = connection.list_applied_migrations(MIGRATIONS).await;
    let applied = applied.map_err(|error| LedgerError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
    let known = migrator();
    if let Some(newer) = applied.iter().find(|a| !known.iter().any(|k| k.version == a.version && k.checksum == a.checksum)) {
        return Err(LedgerError::Newer { path: path.to_owned(), version: newer.version });
    }
    if let Some(missing) = known.iter().find(|known| !applied.iter().any(|applied| applied.version == known.version)) {
        return Err(LedgerError::Older { path: path.to_owned(), version: missing.version });
    }
    connection.close().await.map(|()| true).map_err(|error| reading(path, error))
}

/// Whose database this is.
#[derive(Debug, PartialEq, Eq)]
enum Whose {
    /// A ledger.
    Ours,
    /// Nothing in it yet; also what a crash before the first migration leaves.
    Nobodys,
    /// Tables of somebody else.
    Theirs,
}

/// Asks in one snapshot: between two, a first start elsewhere could finish, and its tables would look like a stranger's.
async fn whose(connection: &mut SqliteConnection) -> Result<Whose, sqlx::Error> {
    let mut tx = connection.begin().await?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *tx).await?;
    let others = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name <> ?";
    let others: i64 = sqlx::query_scalar(others).bind(MIGRATIONS).fetch_one(&mut *tx).await?;
    tx.rollback().await?;
    Ok(match (id, others) {
        (APPLICATION_ID, _) => Whose::Ours,
        (0, 0) => Whose::Nobodys,
        _ => Whose::Theirs,
    })
}

fn reading(path: &Path, error: sqlx::Error) -> LedgerError {
    match refusal(path, error) {
        LedgerError::Unwritable { path, why } => LedgerError::Unreadable { path, why },
        other => other,
    }
}

fn writing(path: &Path, error: sqlx::Error) -> LedgerError {
    refusal(path, error)
}

/// SQLite's result codes (<https://www.sqlite.org/rescode.html>), the extended ones by their low byte.
fn refusal(path: &Path, error: sqlx::Error) -> LedgerError {
    let path = path.to_owned();
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    let why = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    match (code.map(|code| code & 0xff), error) {
        (Some(5 | 6), _) | (None, sqlx::Error::PoolTimedOut) => LedgerError::Busy { path },
        // permission, read-only, input/output, full, cannot open, refused by the system
        (Some(3 | 8 | 10 | 13 | 14 | 23), _) | (None, sqlx::Error::Io(_)) => LedgerError::Unwritable { path, why },
        (Some(11), _) => LedgerError::Damaged { path, why },
        (Some(26), _) => LedgerError::NotADatabase { path },
        _ => LedgerError::Refused { path, why },
    }
}
