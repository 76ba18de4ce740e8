//! How a command ends: an exit code, and the reason in words as the last line on stderr.

use crate::job::outcome::Outcome;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    code: u8,
    line: Option<String>,
}

impl End {
    /// Nothing to say.
    pub(crate) const fn quiet() -> Self {
        Self { code: 0, line: None }
    }

    /// An outcome, and why.
    pub(crate) fn of(outcome: Outcome, why: &str) -> Self {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Self { code: outcome.exit(), line: Some(format!("{} (exit {}){why}", outcome.word(), outcome.exit())) }
    }

    /// Typed wrongly.
    pub(crate) fn usage(why: &str) -> Self {
        Self { code: 2, line: Some(format!("usage (exit 2): {why}")) }
    }

    /// Prints the last line and gives the code.
    pub(crate) fn say(self) -> u8 {
        if let Some(line) = &self.line {
            anstream::eprintln!("{line}");
        }
        self.code
    }
}
