//! The demo's folder: a configuration, policies and jobs as a person would write them. Never overwrites anything.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Every file, with its text. A job or policy more is a file in `templates/` and a line here.
pub(super) const FILES: &[(&str, &str)] = &[
    ("steward.yaml", include_str!("templates/steward.yaml")),
    ("policies/finance.yaml", include_str!("templates/policies/finance.yaml")),
    ("policies/grading.yaml", include_str!("templates/policies/grading.yaml")),
    ("policies/legal.yaml", include_str!("templates/policies/legal.yaml")),
    ("policies/users.yaml", include_str!("templates/policies/users.yaml")),
    ("jobs/archive-consumption.yaml", include_str!("templates/jobs/archive-consumption.yaml")),
    ("jobs/check-quality.yaml", include_str!("templates/jobs/check-quality.yaml")),
    ("jobs/delete-consumption.yaml", include_str!("templates/jobs/delete-consumption.yaml")),
    ("jobs/delete-grading.yaml", include_str!("templates/jobs/delete-grading.yaml")),
    ("jobs/expire-sessions.yaml", include_str!("templates/jobs/expire-sessions.yaml")),
    ("jobs/refresh-sales.yaml", include_str!("templates/jobs/refresh-sales.yaml")),
];

/// Why there is no folder for the demo.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// Somebody's files are in it.
    #[error("`{0}` is not empty and was left alone; `--dir DIR` names another place, or remove it first")]
    NotEmpty(PathBuf),
    /// The disk said no.
    #[error("`{path}` was not made: {cause}")]
    Disk {
        /// What could not be made.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// Makes the folder and its files, and beside them an empty file, which is an empty SQLite database.
pub(super) fn make(dir: &Path) -> Result<(), FolderError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |cause| FolderError::Disk { path, cause }
    };
    fs::create_dir_all(dir).map_err(disk(dir))?;
    if fs::read_dir(dir).map_err(disk(dir))?.next().is_some() {
        return Err(FolderError::NotEmpty(dir.to_owned()));
    }
    for (name, text) in FILES.iter().chain(&[("company.db", "")]) {
        let path = dir.join(name);
        write_new(&path, text).map_err(disk(&path))?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create_new(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions;
    use crate::declarations::reading::Declarations;
    use crate::job::spec::Mode;

    #[test]
    fn what_the_demo_writes_is_valid_without_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path()).unwrap();
        let (declarations, warnings) = Declarations::read(&dir.path().join("steward.yaml"), &|_| None, &actions::registry())
            .unwrap_or_else(|all| panic!("{all}"));
        assert!(warnings.diagnostics.is_empty(), "{warnings}");
        assert!(declarations.jobs.iter().all(|job| job.mode == Mode::Enforce));
        assert_eq!(declarations.policies.holds.len(), 1);
    }

    #[test]
    fn a_folder_with_anything_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine.txt"), "mine").unwrap();
        assert!(matches!(make(dir.path()), Err(FolderError::NotEmpty(_))));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let file = dir.path().join("mine.txt");
        assert!(matches!(make(&file), Err(FolderError::Disk { .. })));
        assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    }
}
