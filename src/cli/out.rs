//! What goes to stdout: results, and nothing else.

use super::exit::Exit;
use crate::job::outcome::Outcome;
use crate::report::format::straight;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write, stdout};

/// Text on stdout, coloured only where somebody sees it. A reader that went away (`| head`) has seen enough.
pub(crate) fn say(text: &str) -> Result<(), Exit> {
    written(anstream::stdout().lock().write_all(straight(text).as_bytes()))
}

/// One object on stdout, and nothing else there.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), Exit> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Exit::of(Outcome::Partial, &format!("the result cannot be written as JSON: {error}")))?;
    say(&(text + "\n"))
}

/// Whether stdout is read by a person.
pub(crate) fn is_seen() -> bool {
    stdout().is_terminal()
}

fn written(done: std::io::Result<()>) -> Result<(), Exit> {
    match done.and_then(|()| stdout().flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Exit::of(Outcome::Partial, &format!("the result could not be written to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
