//! How a command ends: an exit code, and the reason in words as the last line on stderr.

use super::stderr;
use crate::job::outcome::Outcome;
use serde_json::Value;
use tracing::Level;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exit {
    code: u8,
    /// `done`, `usage`; none when there is nothing to say.
    word: Option<&'static str>,
    why: String,
    help: String,
}

impl Exit {
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

    /// The way out; empty where there is none.
    pub(crate) fn help(&self) -> &str {
        &self.help
    }

    /// The reason in words.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    /// Prints the last line, which names the code and the reason, and gives the code.
    pub(crate) fn say(self) -> u8 {
        let Some(word) = self.word else {
            if !self.help.is_empty() {
                stderr::line(Level::INFO, &format!("help: {}", self.help));
            }
            return self.code;
        };
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        let last = format!("{word} (exit {}){why}", self.code);
        let level = self.level();
        if stderr::is_json() {
            let help = Some(("help".to_owned(), self.help.into())).filter(|(_, help): &(String, Value)| help != "");
            let more = [("outcome".to_owned(), word.into()), ("exit".to_owned(), self.code.into())];
            stderr::object(level, &last, more.into_iter().chain(help).collect());
        } else {
            if !self.help.is_empty() {
                stderr::line(level, &format!("help: {}", self.help));
            }
            stderr::line(level, &last);
        }
        self.code
    }

    /// How grave it is: wrong, worth a look, or news.
    const fn level(&self) -> Level {
        match self.code {
            0 | 6 => Level::INFO,
            1 | 4 | 5 | 75 => Level::WARN,
            _ => Level::ERROR,
        }
    }
}
