//! Finding and reading files: in the order of their names, hidden ones skipped, none of them fatal to the others.

use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::parse::MAX_BYTES;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The YAML files of a folder in the order of their names, or the one file that is named.
///
/// # Errors
/// `SW0009` when it is not there or may not be read.
pub fn listed(path: &Path, named_at: Option<&Place>) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| Box::new(absent(path, named_at, &error)))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| is_declared(path)).collect();
    files.sort();
    Ok(files)
}

fn absent(path: &Path, named_at: Option<&Place>, error: &std::io::Error) -> Diagnostic {
    let (what, help) = match error.kind() {
        std::io::ErrorKind::NotFound => {
            ("is not there".to_owned(), "make it, or name another; relative paths begin at the configuration file")
        }
        std::io::ErrorKind::NotADirectory => ("is not a folder".to_owned(), "name a folder"),
        _ => (format!("cannot be read: {error}"), "let this user read it"),
    };
    let diagnostic = Diagnostic::error(codes::FILE, format!("`{}` {what}", path.display())).help(help);
    match named_at {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    }
}

/// A visible `.yaml` or `.yml` file.
fn is_declared(path: &Path) -> bool {
    let hidden = path.file_name().and_then(OsStr::to_str).is_none_or(|name| name.starts_with('.'));
    let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    !hidden && yaml && !path.is_dir()
}

/// The text of a file, at most a little more than is ever parsed.
///
/// # Errors
/// `SW0009` when it cannot be read or is not UTF-8.
pub fn text(path: &Path, name: &Arc<str>) -> Result<String, Box<Diagnostic>> {
    let wrong = |message: String| Box::new(Diagnostic::error(codes::FILE, message));
    let mut bytes = vec![];
    // One byte more than the limit is enough for the parser to refuse the file; ten gigabytes are not read for that.
    let opened = std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    opened.map_err(|error| Box::new(absent(path, None, &error)))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if error.as_bytes().len() > MAX_BYTES => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Err(error) => Err(wrong(format!("`{name}` is not UTF-8 text: byte {} is not", error.utf8_error().valid_up_to() + 1))),
    }
}

/// A file's name as people would write it: relative to the configuration's folder where it lies in it.
pub fn shown(path: &Path, base: &Path) -> Arc<str> {
    path.strip_prefix(base).unwrap_or(path).display().to_string().trim_start_matches("./").into()
}
