//! `steward completions`: what a shell reads to complete our words.

use super::{Ended, exit::Exit, out};
use clap::{Args, Command};
use clap_complete::Shell;

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    /// `words` is everything that can be typed.
    pub(crate) fn run(self, mut words: Command) -> Ended {
        let mut text = vec![];
        clap_complete::generate(self.shell, &mut words, "steward", &mut text);
        out::say(&String::from_utf8_lossy(&text))?;
        Ok(Exit::quiet())
    }
}
