//! What goes to stderr: text for people, or one JSON object a line and nothing else.
//!
//! A stderr that takes nothing (its terminal was closed, its reader went away) never stops what is under way.

use crate::diagnostic::diagnosis::Diagnosis;
use crate::diagnostic::message::Severity;
use crate::report::format::straight;
use serde_json::{Map, Value};
use std::io::{IsTerminal, Write, stderr};
use std::sync::OnceLock;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

/// How stderr is written.
#[derive(Debug, Clone, Copy, Default)]
struct Form {
    /// One JSON object a line.
    json: bool,
    /// The journal reads it, and takes a priority before each line.
    journal: bool,
}

static FORM: OnceLock<Form> = OnceLock::new();

/// Says once how stderr is written; whether the journal reads it is found here.
pub(super) fn begin(json: bool) {
    let _ = FORM.set(Form { json, journal: is_journal() });
}

/// Whether each line is a JSON object.
pub(super) fn is_json() -> bool {
    form().json
}

fn form() -> Form {
    FORM.get().copied().unwrap_or_default()
}

/// A line for people; in JSON an object with it as `message`.
pub(super) fn line(level: Level, text: &str) {
    object(level, text, Map::new());
}

/// The same with more members, which only JSON shows.
pub(super) fn object(level: Level, message: &str, more: Map<String, Value>) {
    let form = form();
    if !form.json {
        return plain(form, level, &format!("{message}\n"));
    }
    let mut object = Map::new();
    object.insert("priority".into(), priority(level).into());
    object.insert("timestamp".into(), crate::clock::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into());
    object.insert("level".into(), level.as_str().into());
    object.insert("message".into(), anstream::adapter::strip_str(message).to_string().into());
    object.extend(more);
    written(form, level, format!("{}\n", Value::Object(object)).as_bytes());
}

/// A warning, and the way out.
pub(super) fn warning(text: &str, help: Option<&str>) {
    if is_json() {
        return object(Level::WARN, text, help.map(|help| ("help".into(), help.into())).into_iter().collect());
    }
    line(Level::WARN, &format!("warning: {text}"));
    help.into_iter().for_each(|help| line(Level::WARN, &format!("help: {help}")));
}

/// Everything that is wrong, with its snippets; in JSON an object for each.
pub(super) fn diagnosis(diagnosis: &Diagnosis) {
    if !is_json() {
        let level = if diagnosis.has_errors() { Level::ERROR } else { Level::WARN };
        return plain(form(), level, &diagnosis.render(stderr().is_terminal()));
    }
    for one in &diagnosis.diagnostics {
        let level = if one.severity == Severity::Error { Level::ERROR } else { Level::WARN };
        let place = one.place.as_ref().map(|place| ("place".to_owned(), place.to_string().into()));
        let help = (!one.help.is_empty()).then(|| ("help".to_owned(), one.help.join("; ").into()));
        let code = Some(("code".to_owned(), one.code.as_str().into()));
        object(level, &one.message, [code, place, help].into_iter().flatten().collect());
    }
}

/// Text as it is, in colour only where a terminal shows it.
fn plain(form: Form, level: Level, text: &str) {
    let text = straight(text);
    if form.journal {
        return written(form, level, text.as_bytes());
    }
    // Nothing can be said where nothing is heard.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

fn written(form: Form, level: Level, text: &[u8]) {
    let mut all = Vec::with_capacity(text.len() + 3);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if form.journal {
            all.extend(format!("<{}>", priority(level)).bytes());
        }
        all.extend(line);
    }
    let _ = stderr().lock().write_all(&all);
}

/// The number that syslog and the journal give a level.
const fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// Whether stderr is the stream that systemd says its journal reads: `JOURNAL_STREAM` is `device:inode`.
fn is_journal() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let file = stderr().as_fd().try_clone_to_owned().map(std::fs::File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|found| stream == format!("{}:{}", found.dev(), found.ino()))
}

/// Where log lines go: each with its priority, and never an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = LeveledLine;

    fn make_writer(&'a self) -> LeveledLine {
        LeveledLine(Level::INFO)
    }

    fn make_writer_for(&'a self, metadata: &tracing::Metadata<'_>) -> LeveledLine {
        LeveledLine(*metadata.level())
    }
}

/// Takes one log line at a time.
pub(super) struct LeveledLine(Level);

impl Write for LeveledLine {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let form = form();
        match line.strip_prefix(b"{") {
            Some(rest) if form.json => {
                let line = [format!("{{\"priority\":{},", priority(self.0)).as_bytes(), rest].concat();
                written(form, self.0, &line);
            }
            _ => written(form, self.0, line),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
