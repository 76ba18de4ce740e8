//! The process as the place where secrets are.

use crate::config::secret::Surroundings;
use std::io;
use std::path::Path;

/// This process: its environment and its files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }
}
