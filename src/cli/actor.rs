//! Who typed a command, for evidence that names a person.

use std::env::var;

/// `li (uid 1000) on host-a`; behind sudo also who asked for it. The uid is the system's word, the names are hints.
pub(super) fn actor() -> String {
    let name = var("USER").or_else(|_| var("LOGNAME")).ok().filter(|name| !name.is_empty());
    let sudo = var("SUDO_USER").ok().filter(|name| !name.is_empty());
    let host = hostname::get().ok().map(|host| host.to_string_lossy().into_owned());
    said(uid().map(|uid| (uid, account(uid))), name, sudo, host)
}

fn said(uid: Option<(u32, Option<String>)>, name: Option<String>, sudo: Option<String>, host: Option<String>) -> String {
    let mut text = match uid {
        Some((uid, account)) => format!("{} (uid {uid})", account.or(name).unwrap_or_else(|| "someone".into())),
        None => name.unwrap_or_else(|| "someone".into()),
    };
    if let Some(sudo) = sudo {
        text += &format!(", for {sudo}");
    }
    if let Some(host) = host {
        text += &format!(" on {host}");
    }
    text.replace(char::is_control, " ")
}

/// Whose process this is, as the kernel knows it.
#[cfg(unix)]
fn uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").ok().map(|process| process.uid())
}

#[cfg(not(unix))]
fn uid() -> Option<u32> {
    None
}

/// The account of that number, where it stands in the system's own list.
fn account(uid: u32) -> Option<String> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|parts| parts.get(2).is_some_and(|id| *id == uid.to_string())).map(|parts| parts[0].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_word_stands_before_what_the_environment_says() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said(Some((1000, some("li"))), some("mallory"), None, some("a")), "li (uid 1000) on a");
        assert_eq!(said(Some((0, some("root"))), None, some("li"), None), "root (uid 0), for li");
        assert_eq!(said(Some((65_534, None)), some("app"), None, None), "app (uid 65534)");
        assert_eq!(said(None, None, None, None), "someone");
    }
}
