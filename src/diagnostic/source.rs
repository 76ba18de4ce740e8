//! The texts that diagnostics point into, with passwords made unreadable.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What was read, by the name that places use.
///
/// A text is kept masked: what looks like a password is starred before it is stored, so that no
/// snippet can show one, whatever the error on that line is about.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    texts: BTreeMap<Arc<str>, String>,
}

impl Sources {
    /// Remembers a text.
    pub fn add(&mut self, file: Arc<str>, text: &str) {
        self.texts.insert(file, masked(text));
    }

    /// The text of a file, masked; absent for one that could not be read.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.get(file).map(String::as_str)
    }

    /// How many files were read.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// True when nothing was read.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

/// The same text with passwords starred, one star per character: lines and columns stay.
///
/// Works on lines and not on YAML, because a file that cannot be parsed is shown too.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // The indentation of a `password:` whose value stands on the lines below it.
    let mut block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if block.is_some_and(|outer| indent > outer && !line.trim().is_empty() && !is_reference(line.trim())) {
            out.push_str(&starred(line));
            continue;
        }
        if !line.trim().is_empty() {
            block = None;
        }
        let (line, opens) = masked_line(line);
        if opens {
            block = Some(indent);
        }
        out.push_str(&line);
    }
    out
}

/// A line without its passwords, and whether one continues on the lines below.
fn masked_line(line: &str) -> (String, bool) {
    let line = masked_parameter(&masked_userinfo(line));
    let Some(at) = line.to_ascii_lowercase().find("password") else { return (line, false) };
    let after_word = at + "password".len();
    let Some(colon) = line[after_word..].find(':').map(|found| after_word + found + 1) else { return (line, false) };
    let value = line[colon..].trim();
    if value.is_empty() || value.starts_with(['|', '>', '#']) {
        return (line, true);
    }
    if is_reference(value) {
        return (line, false);
    }
    let blank = line[colon..].len() - line[colon..].trim_start().len();
    let (kept, secret) = line.split_at(colon + blank);
    (format!("{kept}{}", starred(secret)), false)
}

/// True for what names a secret instead of holding one.
fn is_reference(value: &str) -> bool {
    // A variable is the whole value or none: `${X}hunter2` holds a password.
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', ',', '}', '#', '"', '\'']);
    let variable = value
        .trim_start_matches(['"', '\''])
        .strip_prefix("${")
        .and_then(|rest| rest.split_once('}'))
        .is_some_and(|(_, rest)| ends(rest));
    let inner = value.trim_start_matches(['{', ' ']);
    let source = |word: &str| inner.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with(':'));
    value.starts_with('#') || variable || ["env", "file", "credential"].iter().any(|word| source(word))
}

/// `scheme://user:secret@host` with the secret starred.
fn masked_userinfo(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find([' ', '\t', '\n', '\r', ',', '}', '"', '\'']).unwrap_or(after.len());
        let secret = after[..end].rfind('@').and_then(|host| after[..host].find(':').map(|colon| (colon + 1, host)));
        match secret {
            Some((from, to)) => {
                out.push_str(&after[..from]);
                out.push_str(&starred(&after[from..to]));
                rest = &after[to..];
            }
            None => rest = after,
        }
    }
    out + rest
}

/// `?password=secret` with the secret starred: PostgreSQL's driver takes it from there.
fn masked_parameter(line: &str) -> String {
    const NAME: &str = "password=";
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.to_ascii_lowercase().find(NAME) {
        let (before, secret) = rest.split_at(at + NAME.len());
        let end = secret.find(['&', ' ', '\t', '\n', '\r', '"', '\'']).unwrap_or(secret.len());
        out.push_str(before);
        out.push_str(&starred(&secret[..end]));
        rest = &secret[end..];
    }
    out + rest
}

/// One star for every character but line ends.
fn starred(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || c == '\r' { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_kept_however_it_is_written() {
        for text in [
            "password: hunter2\n",
            "stores: { core: { url: \"x\", password: hunter2 } }",
            "  Password : 'hunter2'",
            "password: |\n  hunter2\n",
            "password:\n    hunter2\n",
            "url: mysql://root:hunter2@host/db",
            "url: \"mysql://root:hun@ter2hunter2@host/db\"",
            "mail_password: hunter2",
            "url: \"postgres://li@host/db?sslmode=require&Password=hunter2&x=y\"",
            "password: ${X}hunter2",
        ] {
            let shown = masked(text);
            assert!(!shown.contains("hunter2"), "{shown}");
            assert_eq!(shown.chars().count(), text.chars().count());
        }
    }

    #[test]
    fn what_only_names_a_secret_stays_readable() {
        for text in [
            "password: { env: CORE_PASSWORD }",
            "password: ${CORE_PASSWORD}",
            "password:\n  env: X\nurl: y",
            "url: mysql://steward@127.0.0.1/jobfirst",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
