//! How a command ends: an exit code, and the reason in words as the last line on stderr.

use crate::job::outcome::Outcome;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    code: u8,
    /// `done`, `usage`; none when there is nothing to say.
    word: Option<&'static str>,
    why: String,
    help: String,
}

impl End {
    /// Nothing to say.
    pub(crate) const fn quiet() -> Self {
        Self { code: 0, word: None, why: String::new(), help: String::new() }
    }

    /// An outcome, and why.
    pub(crate) fn of(outcome: Outcome, why: &str) -> Self {
        Self { code: outcome.exit(), word: Some(outcome.word()), why: why.to_owned(), help: String::new() }
    }

    /// Typed wrongly.
    pub(crate) fn usage(why: &str) -> Self {
        Self { code: 2, word: Some("usage"), why: why.to_owned(), help: String::new() }
    }

    /// Adds the way out, which stands before the last line.
    pub(crate) fn with_help(self, help: &str) -> Self {
        Self { help: help.to_owned(), ..self }
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    /// The reason in words.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    /// Prints the last line, which names the code and the reason, and gives the code.
    pub(crate) fn say(self) -> u8 {
        if !self.help.is_empty() {
            anstream::eprintln!("help: {}", self.help);
        }
        if let Some(word) = self.word {
            let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
            anstream::eprintln!("{word} (exit {}){why}", self.code);
        }
        self.code
    }
}
