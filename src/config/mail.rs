//! How reports are mailed.

use super::address;
use super::file::MailEntry;
use super::mailbox::{SHAPE, mailbox};
use super::secret::{SecretError, SecretRef, Sourced, Surroundings, refuse_inline};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::place::Place;
use crate::yaml::node::{At, Node, Value};
use crate::yaml::reading::Reading;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};

/// Mail as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct MailConfig {
    /// The URL, or where it is.
    pub url: At<Sourced>,
    /// The user.
    pub user: Option<At<Sourced>>,
    /// Where the password is.
    pub password: Option<SecretRef>,
    /// The sender.
    pub from: String,
    /// Who gets the reports of jobs without receivers of their own.
    pub to: Vec<String>,
    /// A private certificate authority; relative to the configuration.
    pub ca: Option<PathBuf>,
    /// Where it was declared.
    pub place: Place,
}

/// Where mails go, with what it takes.
#[derive(Debug, Clone)]
pub enum MailRoute {
    /// Each mail is a file in this folder; relative ones were joined to the configuration's.
    Folder(PathBuf),
    /// A server.
    Smtp(SmtpRoute),
}

/// A mail server, with what it takes.
#[derive(Debug, Clone)]
pub struct SmtpRoute {
    /// Host name or address.
    pub host: String,
    /// The port; 465 for TLS from the first byte and 587 otherwise, when none is written.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// A private certificate authority.
    pub ca: Option<PathBuf>,
}

/// How a mail connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte: `smtps://`.
    Implicit,
    /// By STARTTLS, and not without it: `smtp://` to another machine, or `?tls=starttls`.
    Required,
    /// By STARTTLS where it is offered: `smtp://` to this machine.
    IfOffered,
    /// Not at all: `smtp://…?tls=none`; without a password, or to this machine.
    Off,
}

/// The mail section; none, with notes, when it cannot be used.
pub(super) fn mail(entry: At<MailEntry>, reading: &mut Reading<'_>) -> Option<MailConfig> {
    let notes = reading.notes.len();
    let At { value: entry, place } = entry;
    if let Sourced::Here(url) = &entry.url.value {
        check_url(url, entry.password.is_some(), &entry.url.place, reading);
    }
    let to = entry.to.unwrap_or_default();
    if to.is_empty() {
        reading.note(
            Diagnostic::error(codes::MAIL, "`mail` names nobody to write to").at(&place).help("add `to: [someone@example.com]`"),
        );
    }
    for written in std::iter::once(&entry.from).chain(&to) {
        if let Err(why) = mailbox(&written.value) {
            let message = format!("`{}` is not an address: {why}", written.value);
            reading.note(Diagnostic::error(codes::MAIL, message).at(&written.place).help(SHAPE));
        }
    }
    if entry.password.is_some() && entry.user.is_none() {
        let diagnostic = Diagnostic::error(codes::MAIL, "`mail` has a `password` and no `user`").at(&place);
        reading.note(diagnostic.help("add `user`"));
    }
    (reading.notes.len() == notes).then(|| MailConfig {
        url: entry.url,
        user: entry.user,
        password: entry.password,
        from: entry.from.value,
        to: to.into_iter().map(|to| to.value).collect(),
        ca: entry.ca.map(|ca| ca.value.into()),
        place,
    })
}

/// What a mail URL asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Folder(PathBuf),
    Server { host: String, port: u16, tls: Tls },
}

/// What a URL asks for, or what is wrong with it; the URL itself is never repeated.
fn asked(url: &str, has_password: bool) -> Result<Asked, Box<Diagnostic>> {
    let wrong = |code, message: String, help: &str| Err(Box::new(Diagnostic::error(code, message).help(help)));
    let shape = "such as `smtp://mail.example.com:587`, `smtps://mail.example.com`, `file:mails/`";
    let Some(parts) = address::split(url) else { return wrong(codes::URL, "this is not a mail URL".to_owned(), shape) };
    let path = format!("{}{}", parts.host, parts.path);
    let implicit = match parts.scheme.to_ascii_lowercase().as_str() {
        "file" if !path.is_empty() => return Ok(Asked::Folder(path.into())),
        "file" => return wrong(codes::URL, "this URL names no folder".to_owned(), "such as `file:mails/`"),
        "smtp" => false,
        "smtps" => true,
        other => {
            let help = suggest::suggestion(other, ["smtp", "smtps", "file"]).unwrap_or_default();
            return wrong(codes::URL, format!("`{other}` is not a way to send mail"), &help);
        }
    };
    if parts.host.is_empty() {
        return wrong(codes::URL, "this URL names no host".to_owned(), shape);
    }
    let tls = match (parts.parameter("tls"), implicit) {
        (None, true) => Tls::Implicit,
        (None, false) if parts.is_loopback() => Tls::IfOffered,
        (None | Some("starttls"), false) => Tls::Required,
        (Some("none"), false) if has_password && !parts.is_loopback() => {
            let message = "`tls=none` would send the password in the clear".to_owned();
            return wrong(codes::MAIL, message, "leave `tls=none` out, or use `smtps://`");
        }
        (Some("none"), false) => Tls::Off,
        (Some(other), _) => {
            let message = format!("`tls={other}` has no meaning here");
            return wrong(codes::MAIL, message, "`tls=starttls` or `tls=none`, with `smtp://`");
        }
    };
    Ok(Asked::Server { host: parts.host.to_owned(), port: parts.port.unwrap_or(if implicit { 465 } else { 587 }), tls })
}

fn check_url(url: &str, has_password: bool, place: &Place, reading: &mut Reading<'_>) {
    if address::split(url).is_some_and(|address| address.has_password) {
        refuse_inline(&Node { place: place.clone(), value: Value::Null }, reading);
    } else if let Err(diagnostic) = asked(url, has_password) {
        reading.note(diagnostic.at(place));
    }
}

impl MailConfig {
    /// Where mails go, everything fetched from where it is named.
    ///
    /// # Errors
    /// A secret that cannot be had; a URL from elsewhere that is no mail URL.
    pub fn route(&self, base: &Path, around: &dyn Surroundings) -> Result<MailRoute, SecretError> {
        let fetch = |at: &At<Sourced>| match &at.value {
            Sourced::Here(text) => Ok(text.clone()),
            Sourced::Elsewhere(source) => {
                source.fetch(base, &at.place, around).map(|secret| secret.expose_secret().trim().to_owned())
            }
        };
        let url = fetch(&self.url)?;
        let user = self.user.as_ref().map(fetch).transpose()?;
        let password = self.password.as_ref().map(|password| password.source.fetch(base, &password.place, around)).transpose()?;
        match asked(&url, password.is_some()).map_err(|wrong| SecretError::new(wrong.message, &self.url.place))? {
            Asked::Folder(folder) => Ok(MailRoute::Folder(base.join(folder))),
            Asked::Server { host, port, tls } => {
                let ca = self.ca.as_ref().map(|ca| base.join(ca));
                Ok(MailRoute::Smtp(SmtpRoute { host, port, tls, user, password, ca }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(url: &str, has_password: bool) -> Result<(u16, Tls), String> {
        match asked(url, has_password).map_err(|wrong| wrong.message)? {
            Asked::Server { port, tls, .. } => Ok((port, tls)),
            Asked::Folder(folder) => Err(format!("{} is a folder", folder.display())),
        }
    }

    #[test]
    fn a_password_travels_in_the_clear_to_this_machine_only() {
        assert_eq!(tls("smtp://127.0.0.1:1025", true), Ok((1025, Tls::IfOffered)));
        assert_eq!(tls("smtp://[::1]", true), Ok((587, Tls::IfOffered)));
        assert_eq!(tls("smtp://mail.example.com", true), Ok((587, Tls::Required)));
        assert_eq!(tls("smtps://mail.example.com", true), Ok((465, Tls::Implicit)));
        assert_eq!(tls("smtp://localhost?tls=starttls", true), Ok((587, Tls::Required)));
        assert_eq!(tls("smtp://relay.local:25?tls=none", false), Ok((25, Tls::Off)));
        assert!(tls("smtp://relay.local:25?tls=none", true).unwrap_err().contains("in the clear"));
        assert!(tls("smtps://relay.local?tls=none", false).is_err());
        assert!(tls("imap://x", false).unwrap_err().contains("imap"));
    }
}
