//! `steward explain`: what a code means and what to do about it.

use super::table::listing;
use super::{Ended, exit::Exit, out};
use crate::diagnostic::codes::{CATALOGUE, Explained, explained};
use crate::diagnostic::suggest;
use clap::Args;
use serde::Serialize;

/// Explain a code, such as SW2104; without one, list them all
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code; or `row STORE.TABLE/KEY`, which is not built yet
    #[arg(value_name = "CODE")]
    words: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Codes {
    codes: &'static [Explained],
}

impl Explain {
    pub(crate) fn run(self) -> Ended {
        match self.words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => self.all()?,
            ["row", ..] => {
                let text = "`explain row` is not built yet: what would happen to a single row cannot be asked for so far";
                return Err(Exit::usage(text).with_help("`steward plan JOB` counts the rows that are due, held and undated"));
            }
            [code] => self.one(lookup(code)?)?,
            _ => return Err(Exit::usage("`explain` takes one code")),
        }
        Ok(Exit::quiet())
    }

    fn all(&self) -> Result<(), Exit> {
        if self.json {
            return out::json(&Codes { codes: CATALOGUE });
        }
        out::say(&listing(["CODE", "MEANING"], CATALOGUE.iter().map(|entry| [entry.code.to_string(), entry.title.to_owned()])))
    }

    fn one(&self, entry: &Explained) -> Result<(), Exit> {
        if self.json {
            return out::json(entry);
        }
        out::say(&format!("{}: {}\n\n{}\n", entry.code, entry.title, entry.explanation))
    }
}

/// A code as people type it: in any letter case, with or without its letters.
fn lookup(code: &str) -> Result<&'static Explained, Exit> {
    let known = explained(code).or_else(|| explained(&format!("SW{code}")));
    known.ok_or_else(|| {
        let near = suggest::nearest(code, CATALOGUE.iter().map(|entry| entry.code.as_str()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Exit::usage(&format!("there is no code `{code}`{near}")).with_help("`steward explain` lists them all")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        for typed in ["SW2104", "sw2104", "2104"] {
            assert_eq!(lookup(typed).unwrap().code.as_str(), "SW2104");
        }
    }

    #[test]
    fn a_code_that_is_none_is_typed_wrongly() {
        let end = lookup("SW2914").unwrap_err();
        assert!(end.code() == 2 && end.why().contains("did you mean"), "{end:?}");
        assert!(!lookup("nonsense").unwrap_err().why().contains("did you mean"));
    }
}
