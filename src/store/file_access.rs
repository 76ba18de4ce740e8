//! Whether a file that is a store can be written.

use std::path::Path;

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
