//! How a command ends: an exit code, and the reason in words as the last line on stderr.

use crate::job::outcome::Outcome;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    code: u8,
    help: Option<String>,
    line: Option<String>,
}

impl End {
    /// Nothing to say.
    pub(crate) const fn quiet() -> Self {
        Self { code: 0, help: None, line: None }
    }

    /// An outcome, and why.
    pub(crate) fn of(outcome: Outcome, why: &str) -> Self {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Self { code: outcome.exit(), help: None, line: Some(format!("{} (exit {}){why}", outcome.word(), outcome.exit())) }
    }

    /// Typed wrongly.
    pub(crate) fn usage(why: &str) -> Self {
        Self { code: 2, help: None, line: Some(format!("usage (exit 2): {why}")) }
    }

    /// Adds the way out, which stands before the last line.
    pub(crate) fn with_help(self, help: &str) -> Self {
        Self { help: (!help.is_empty()).then(|| help.to_owned()), ..self }
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    /// The reason in words, as the last line says it.
    pub(crate) fn line(&self) -> &str {
        self.line.as_deref().unwrap_or_default()
    }

    /// Prints the last line and gives the code.
    pub(crate) fn say(self) -> u8 {
        if let Some(help) = &self.help {
            anstream::eprintln!("help: {help}");
        }
        if let Some(line) = &self.line {
            anstream::eprintln!("{line}");
        }
        self.code
    }
}
