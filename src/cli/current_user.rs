//! Who typed a command, for evidence that names a person.

use crate::job::origin::{Origin, StartedBy};
use std::env::var;
use std::io::IsTerminal;

/// `li (uid 1000) on host-a`; behind sudo also who asked for it. The uid is the system's word, the names are hints.
pub(super) fn current_user() -> String {
    said(account_of_process(), login_name(), sudo_user(), host())
}

/// Who starts a run, from where.
pub(super) fn started_by(origin: Origin) -> StartedBy {
    StartedBy {
        actor: said(account_of_process(), login_name(), sudo_user(), None),
        origin,
        host: host().unwrap_or_else(|| "unknown host".into()).replace(char::is_control, " "),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// From where a command was started, by the marks that services leave: whoever sits at a terminal is there by hand.
pub(super) fn origin() -> Origin {
    let is_set = |name| std::env::var_os(name).is_some();
    let seen = std::io::stdin().is_terminal() || std::io::stderr().is_terminal();
    origin_of(seen, is_set("KUBERNETES_SERVICE_HOST"), is_set("INVOCATION_ID"), below_cron())
}

fn origin_of(on_a_terminal: bool, in_a_pod: bool, in_a_unit: bool, below_cron: bool) -> Origin {
    match () {
        () if on_a_terminal => Origin::ByHand,
        () if in_a_pod => Origin::CronJob,
        // Itself a unit of systemd: the nearer cause is told.
        () if below_cron => Origin::Cron,
        () if in_a_unit => Origin::Systemd,
        () => Origin::ByHand,
    }
}

/// Whether a cron daemon is among the processes above this one.
fn below_cron() -> bool {
    let mut process = std::process::id();
    for _ in 0..16 {
        let Some(parent) = parent(process) else { return false };
        let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
        if matches!(name.trim().to_lowercase().as_str(), "cron" | "crond" | "anacron" | "fcron" | "supercronic") {
            return true;
        }
        process = parent;
    }
    false
}

/// The process above; its number follows the state, behind the name in brackets.
fn parent(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    (parent > 0).then_some(parent)
}

fn login_name() -> Option<String> {
    var("USER").or_else(|_| var("LOGNAME")).ok().filter(|name| !name.is_empty())
}

fn sudo_user() -> Option<String> {
    var("SUDO_USER").ok().filter(|name| !name.is_empty())
}

fn host() -> Option<String> {
    hostname::get().ok().map(|host| host.to_string_lossy().into_owned())
}

fn account_of_process() -> Option<(u32, Option<String>)> {
    uid().map(|uid| (uid, account(uid)))
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
    fn who_sits_at_a_terminal_is_there_by_hand_wherever_the_terminal_is() {
        assert_eq!(origin_of(true, true, true, true), Origin::ByHand);
        assert_eq!(origin_of(false, true, false, false), Origin::CronJob);
        assert_eq!(origin_of(false, false, true, true), Origin::Cron);
        assert_eq!(origin_of(false, false, true, false), Origin::Systemd);
        assert_eq!(origin_of(false, false, false, false), Origin::ByHand);
    }

    #[test]
    fn the_systems_word_stands_before_what_the_environment_says() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(said(Some((1000, some("li"))), some("mallory"), None, some("a")), "li (uid 1000) on a");
        assert_eq!(said(Some((0, some("root"))), None, some("li"), None), "root (uid 0), for li");
        assert_eq!(said(Some((65_534, None)), some("app"), None, None), "app (uid 65534)");
        assert_eq!(said(None, None, None, None), "someone");
    }
}
