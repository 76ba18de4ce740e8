//! The process as the place where secrets are.

use crate::config::secret::Surroundings;
use std::io::{self, Read};
use std::path::Path;

/// Bytes of a secret at most: a device that never ends is none.
const LONGEST_SECRET: u64 = 65_536;

/// This process: its environment and its files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let mut text = String::new();
        std::fs::File::open(path)?.take(LONGEST_SECRET + 1).read_to_string(&mut text)?;
        if text.len() as u64 > LONGEST_SECRET {
            return Err(io::Error::other(format!("it is longer than {LONGEST_SECRET} bytes, and no secret")));
        }
        Ok(text)
    }
}
