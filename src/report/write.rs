//! Where a report's files stand, and how a file appears whole or not at all.

use super::html;
use super::run::RunReport;
use crate::file_owner;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The files of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub html: PathBuf,
    /// The object, whole.
    pub json: PathBuf,
    /// The page's bytes, to attach to the mail.
    pub page: String,
    /// Both by name, with the SHA-256 of their bytes.
    pub hashes: [(String, String); 2],
}

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk said no.
    #[error("the report `{path}` was not written: {cause}")]
    Disk {
        /// The file, or its folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The page could not be rendered.
    #[error("the report's page was not rendered: {0}")]
    Page(#[from] askama::Error),
    /// The object could not be rendered.
    #[error("the report's object was not rendered: {0}")]
    Object(#[from] serde_json::Error),
}

/// Writes the page and the object into `folder` (`state/reports/`), the object first.
///
/// If we die here the folder holds both, or the object alone, or neither; never half a file.
pub fn write(report: &RunReport, folder: &Path) -> Result<Written, WriteError> {
    let stem = report.stem();
    let (html, json) = (folder.join(format!("{stem}.html")), folder.join(format!("{stem}.json")));
    let page = html::page(report)?;
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |cause| WriteError::Disk { path, cause }
    };
    file_owner::create_dir_all(folder).map_err(disk(folder))?;
    let object = serde_json::to_vec_pretty(report)?;
    appear(&json, &object).map_err(disk(&json))?;
    appear(&html, page.as_bytes()).map_err(disk(&html))?;
    let hashes = [(format!("{stem}.html"), hash(page.as_bytes())), (format!("{stem}.json"), hash(&object))];
    Ok(Written { html, json, page, hashes })
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a file appear whole: written beside its place, flushed to the disk, renamed, and the rename flushed.
pub fn appear(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file needs a folder"))?;
    let name = path.file_name().ok_or_else(|| io::Error::other("a file needs a name"))?;
    let beside = folder.join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    // Left by a process that died; or a link that somebody put there, which is not followed.
    drop(fs::remove_file(&beside));
    let written = file_owner::create_new(&beside).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(cause) = written.and_then(|()| fs::rename(&beside, path)) {
        drop(fs::remove_file(&beside));
        return Err(cause);
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_report_is_a_page_and_its_object_named_by_time_job_and_run() {
        let folder = tempfile::tempdir().unwrap();
        let report = samples::done();
        let written = write(&report, &folder.path().join("reports")).unwrap();
        assert!(written.html.ends_with("reports/20261120T181500Z-archive-orders-1e2fbeef.html"));
        let read: serde_json::Value = serde_json::from_slice(&fs::read(&written.json).unwrap()).unwrap();
        assert_eq!(read, serde_json::to_value(&report).unwrap());
        assert_eq!(fs::read_to_string(&written.html).unwrap(), written.page);
        assert_eq!(fs::read_dir(folder.path().join("reports")).unwrap().count(), 2, "nothing half written is left");
    }

    #[test]
    fn a_hostile_name_stays_in_its_folder() {
        let stem = RunReport { job: "../../etc/passwd".into(), run: Some("../..".into()), ..samples::done() }.stem();
        assert_eq!(stem, "20261120T181500Z-------etc-passwd-plan");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("reports"), "").unwrap();
        let error = write(&samples::done(), &folder.path().join("reports")).unwrap_err().to_string();
        assert!(error.starts_with("the report `") && error.contains("was not written"), "{error}");
    }
}
