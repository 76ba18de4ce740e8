//! What is read from disk: the shipped declarations, the reference's own examples, and many wrong ones.

mod examples;
mod kinds;
mod mistakes;
mod sections;
mod tables;

use super::reading::Declarations;
use crate::diagnostic::diagnosis::Diagnosis;
use crate::job::registry::Registry;
use crate::policy::section::Section;

/// The words the tests use; the table of actions stands on a higher floor.
pub(super) fn registry() -> Registry {
    use Section::{Archive, Cache, Checks, Delete, Sessions, Views};
    let actions = vec![
        ("archive", Archive),
        ("delete", Delete),
        ("expire-sessions", Sessions),
        ("sweep-cache", Cache),
        ("refresh-views", Views),
        ("check-quality", Checks),
    ];
    Registry { actions, checks: kinds::ALL.to_vec() }
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["policies", "jobs"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn read(files: &[(&str, &str)]) -> Result<(Declarations, Diagnosis), Diagnosis> {
    let dir = folder(files);
    Declarations::read(
        &dir.path().join("steward.yaml"),
        &|name| (name == "SET").then(|| "SIX months".replace("SIX", "6")),
        &registry(),
    )
}

const CONFIG: &str = "stores:\n  core: { url: \"sqlite:core.db\" }\n  other: { url: \"sqlite:other.db\" }\n";

/// The codes found when a policy file holds this, with a sound configuration.
fn codes(policy: &str) -> Vec<String> {
    match read(&[("steward.yaml", CONFIG), ("policies/p.yaml", policy)]) {
        Ok((_, warnings)) => warnings.diagnostics.iter().map(|one| one.code.to_string()).collect(),
        Err(diagnosis) => diagnosis.diagnostics.iter().map(|one| one.code.to_string()).collect(),
    }
}

fn rendered(files: &[(&str, &str)]) -> String {
    read(files).map(|(_, warnings)| warnings.to_string()).unwrap_or_else(|diagnosis| diagnosis.to_string())
}

/// A policy that is right.
const SOUND: &str = "lifecycle:\n  - { dataset: core.u, clock: c, delete: { after: 6 years } }\n";
