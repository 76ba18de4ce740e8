//! `steward man`: manual pages from the very words that are parsed.

use super::{Ended, exit::Exit, out};
use crate::job::outcome::Outcome;
use clap::{Args, Command};
use clap_mangen::Man;
use std::path::{Path, PathBuf};

/// Print a manual page; with --dir, write them all
#[derive(Debug, Args)]
pub(crate) struct PrintMan {
    /// The page of this command, such as `run-job` or `hold add`; the first page when none is named
    command: Vec<String>,
    /// Write every page into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

impl PrintMan {
    /// `words` is everything that can be typed.
    pub(crate) fn run(self, words: Command) -> Ended {
        match self.dir {
            Some(dir) => write_all(words, &dir)?,
            None => out::say(&page(words, &self.command)?)?,
        }
        Ok(Exit::quiet())
    }
}

fn write_all(words: Command, dir: &Path) -> Result<(), Exit> {
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(words, dir))
        .map_err(|error| Exit::of(Outcome::Partial, &format!("manual pages in `{}`: {error}", dir.display())))
}

fn page(mut words: Command, names: &[String]) -> Result<String, Exit> {
    words.build();
    let mut command = &words;
    for name in names {
        command =
            command.find_subcommand(name).ok_or_else(|| Exit::usage(&format!("there is no command `{}`", names.join(" "))))?;
    }
    let title = std::iter::once("steward").chain(names.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let mut text = vec![];
    Man::new(command.clone())
        .title(title)
        .render(&mut text)
        .map_err(|error| Exit::of(Outcome::Partial, &format!("the page cannot be written: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_has_a_page_and_an_unknown_one_is_typed_wrongly() {
        let words = crate::cli::Cli::command();
        for command in words.get_subcommands() {
            let text = page(words.clone(), &[command.get_name().to_owned()]).unwrap();
            assert!(text.contains(".SH NAME") && text.contains("steward"), "{}", command.get_name());
        }
        assert_eq!(page(words, &["nonsense".to_owned()]).unwrap_err().code(), 2);
    }
}
