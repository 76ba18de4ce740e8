//! A lock that is gone with its process: the operating system holds it, so nothing is left to break after a crash.

use crate::file_owner;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A locked file. Dropping it frees the lock; the file stays, since removing it would let two hold "the same" lock.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// The lock, or none when somebody has it.
    ///
    /// # Errors
    /// The folder or file cannot be made or opened, or the file system knows no locks.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let lock = Self::open(path)?;
            match lock.file.try_lock() {
                Ok(()) if lock.is_still_there() => return Ok(Some(lock)),
                Ok(()) => {} // somebody removed the file between opening and locking
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Whether somebody has the lock, asked without taking it from anybody: a file that may be read is enough.
    ///
    /// # Errors
    /// The file cannot be opened, or the file system knows no locks.
    pub fn is_taken(path: &Path) -> io::Result<bool> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether the path still leads to the file we locked. When somebody removed it, another process can lock a new one.
    pub fn is_still_there(&self) -> bool {
        identity(&self.path).is_some_and(|there| self.file.metadata().ok().map(|ours| inode(&ours)) == Some(there))
    }

    fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            file_owner::create_dir_all(folder)?;
        }
        Ok(Self { file: file_owner::open(path)?, path: path.to_owned() })
    }
}

/// What tells one file from another that took its name; none when there is no file.
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| inode(&metadata))
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere an open file cannot be replaced.
#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_had_once_and_freed_by_dropping_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("locks/a.lock");
        let held = LockFile::try_take(&path).unwrap().unwrap();
        assert!(LockFile::try_take(&path).unwrap().is_none());
        drop(held);
        assert!(LockFile::try_take(&path).unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_removed_lock_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let held = LockFile::try_take(&path).unwrap().unwrap();
        assert!(held.is_still_there());
        std::fs::remove_file(&path).unwrap();
        assert!(!held.is_still_there());
        let second = LockFile::try_take(&path).unwrap().unwrap();
        assert!(second.is_still_there() && !held.is_still_there());
    }
}
