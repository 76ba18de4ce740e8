//! Files that steward makes belong to the owner of their folder: one run by root leaves nothing that the service's user cannot open.
//!
//! Only what was made here is given away, by its open file and never by its name: whoever owns the folder can put a link in the way.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a folder and those above it. Each belongs to the owner of the one above it.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    create_dir_all(above)?;
    match std::fs::create_dir(path) {
        Ok(()) => hand_over(&open_folder(path)?, above),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens a file for writing, and makes it where there is none. What is in it stays.
pub fn open(path: &Path) -> io::Result<File> {
    match create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new().read(true).write(true).open(path),
        made => made,
    }
}

/// Makes a file that is not there yet.
pub fn create_new(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    hand_over(&file, path.parent().unwrap_or(Path::new("")))?;
    Ok(file)
}

/// The folder that was just made; whatever was put in its place meanwhile is refused.
fn open_folder(path: &Path) -> io::Result<File> {
    let folder = File::open(path)?;
    let (opened, there) = (folder.metadata()?, std::fs::symlink_metadata(path)?);
    let is_it = opened.is_dir() && (opened.dev(), opened.ino()) == (there.dev(), there.ino());
    if is_it { Ok(folder) } else { Err(io::Error::other("the folder was replaced while it was made")) }
}

/// Gives what was just made to the owner and the group of the folder it is in; members of the group may write where they may
/// write into the folder.
fn hand_over(made: &File, folder: &Path) -> io::Result<()> {
    let folder = std::fs::metadata(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    let ours = made.metadata()?;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if is_root && ours.uid() == 0 && (folder.uid(), folder.gid()) != (ours.uid(), ours.gid()) {
        std::os::unix::fs::fchown(made, Some(folder.uid()), Some(folder.gid()))?;
    }
    let shared = folder.mode() & 0o020 != 0 && folder.mode() & 0o1000 == 0;
    let wanted = if ours.is_dir() { 0o070 } else { 0o060 };
    if shared && ours.mode() & wanted != wanted {
        made.set_permissions(Permissions::from_mode(ours.mode() & 0o7777 | wanted))?;
    }
    Ok(())
}

/// What lies in a folder, or below it, that the folder's owner cannot write: a run by root of an older steward left it there.
pub fn strangers(folder: &Path) -> Vec<PathBuf> {
    std::fs::metadata(folder).map(|of| below(folder, &of)).unwrap_or_default()
}

fn below(folder: &Path, of: &Metadata) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(there) = entry.metadata().map(|there| (there.is_symlink(), there)) else { continue };
        let (is_link, there) = there;
        let by_group = there.gid() == of.gid() && there.mode() & 0o020 != 0;
        if !is_link && there.uid() != of.uid() && !by_group && there.mode() & 0o002 == 0 {
            found.push(entry.path());
        } else if there.is_dir() {
            found.extend(below(&entry.path(), of));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_a_group_shares_gets_files_that_the_group_can_write() {
        let dir = tempfile::tempdir().unwrap();
        for (mode, writable) in [(0o2770, true), (0o700, false), (0o1777, false)] {
            std::fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
            let path = dir.path().join(format!("{mode:o}"));
            create_dir_all(&path.join("a/b")).unwrap();
            let file = open(&path.join("a/b/c")).unwrap();
            open(&path.join("a/b/c")).unwrap();
            assert_eq!(file.metadata().unwrap().mode() & 0o060 == 0o060, writable, "{mode:o}");
            assert_eq!(std::fs::metadata(path.join("a/b")).unwrap().mode() & 0o070 == 0o070, writable, "{mode:o}");
        }
    }

    #[test]
    fn what_root_makes_is_its_folders_owners_and_a_link_in_the_way_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        if std::os::unix::fs::chown(dir.path(), Some(4_242), Some(4_243)).is_err() {
            eprintln!("not run: only root can give files away");
            return;
        }
        create_dir_all(&dir.path().join("a/b")).unwrap();
        drop(create_new(&dir.path().join("a/b/c")).unwrap());
        for path in ["a", "a/b", "a/b/c"] {
            let made = std::fs::metadata(dir.path().join(path)).unwrap();
            assert_eq!((made.uid(), made.gid()), (4_242, 4_243), "{path}");
        }
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("link")).unwrap();
        drop(open(&dir.path().join("link")));
        assert!(create_new(&dir.path().join("link")).is_err());
        assert_eq!(elsewhere.as_file().metadata().unwrap().uid(), 0, "what was there already is not given away");
        assert_eq!(strangers(dir.path()), Vec::<PathBuf>::new());
        std::fs::write(dir.path().join("a/left"), "").unwrap();
        assert_eq!(strangers(dir.path()), [dir.path().join("a/left")]);
    }
}
