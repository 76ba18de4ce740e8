//! The way out for mails: a server, spoken to in time and over TLS, or a folder.

use super::format::plain;
use super::write::appear;
use crate::file_owner;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, Tls, TlsParameters};
use lettre::transport::smtp::commands::{Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between the two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Where mails go.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// How they travel.
    pub kind: MailKind,
    /// The server; unused for a folder.
    pub host: String,
    /// The port; the kind's own when absent.
    pub port: Option<u16>,
    /// Who logs in; nobody when absent.
    pub user: Option<String>,
    /// With what.
    pub password: Option<SecretString>,
    /// Certificates to trust besides the system's, in PEM.
    pub ca: Option<Vec<u8>>,
    /// The sender: `steward <steward@example.com>`.
    pub from: String,
    /// Receivers where a job names none.
    pub to: Vec<String>,
}

/// How mails travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailKind {
    /// STARTTLS, required and verified: `smtp://`. Port 587.
    StartTls,
    /// A server on this machine: STARTTLS where it is offered, not verified, since nothing leaves the machine. Port 25.
    Local,
    /// TLS from the first byte: `smtps://`. Port 465.
    Tls,
    /// In clear, because somebody asked for it in so many words. Port 25. A password goes in clear to this machine only.
    Plain,
    /// A file per mail in this folder: `file:DIR`.
    Folder(PathBuf),
}

impl MailKind {
    /// What `smtp://HOST` means: `Local` on a loopback address without a `ca` of its own, else `StartTls`.
    pub fn smtp(host: &str, has_ca: bool) -> Self {
        if is_loopback(host) && !has_ca { Self::Local } else { Self::StartTls }
    }

    fn port(&self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::Local | Self::Plain | Self::Folder(_) => 25,
        }
    }
}

/// Why a mail was not handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The settings cannot work: a person looks.
    #[error("{0}")]
    Setup(String),
    /// Nobody answers, or not in time: the same for every mail.
    #[error("{0}")]
    Away(String),
    /// The server does not take this mail now.
    #[error("{0}")]
    Deferred(String),
    /// The server will never take this mail.
    #[error("{0}")]
    Refused(String),
}

/// Who a mail is from, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The sender's address.
    pub from: Option<String>,
    /// The receivers' addresses.
    pub to: Vec<String>,
}

/// A receiver that did not get a mail, or would not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Without {
    /// The address.
    pub receiver: String,
    /// Why.
    pub why: SendError,
}

/// An open way out.
pub(super) struct Post {
    way: Way,
    /// The server as people would name it.
    server: String,
    whole: Duration,
}

enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

impl Post {
    pub(super) fn open(settings: &MailSettings, whole: Duration) -> Result<Self, SendError> {
        let way = match &settings.kind {
            MailKind::Folder(folder) => Way::Folder(folder.clone()),
            _ => Way::Smtp(smtp(settings, whole)?),
        };
        let server = format!("{}:{}", plain(&settings.host), settings.port.unwrap_or(settings.kind.port()));
        Ok(Self { way, server, whole })
    }

    /// Asks whether mail from this sender would be taken for these receivers, and sends none.
    ///
    /// # Errors
    /// The way is closed, or the sender refused. Receivers that would be refused come back, each with why.
    pub(super) async fn probe(&self, settings: &MailSettings, envelope: &Envelope) -> Result<Vec<Without>, SendError> {
        match &self.way {
            Way::Folder(folder) => make(folder).map(|()| vec![]),
            Way::Smtp(transport) => {
                self.in_time(self.greet(transport)).await?;
                self.in_time(self.ask(settings, envelope)).await
            }
        }
    }

    async fn ask(&self, settings: &MailSettings, envelope: &Envelope) -> Result<Vec<Without>, SendError> {
        let parsed = envelope.parse()?;
        let mut server = self.connect(settings).await?;
        let sender = envelope.from.as_deref().unwrap_or_default();
        let sent = server.command(Mail::new(parsed.from().cloned(), vec![])).await;
        sent.map_err(|error| self.untaken(&format!("mail from `{}`", plain(sender)), &error))?;
        let mut without = vec![];
        for receiver in parsed.to() {
            if let Err(error) = server.command(Rcpt::new(receiver.clone(), vec![])).await {
                let why = self.untaken(&format!("mail to `{receiver}`"), &error);
                if let SendError::Away(_) = why {
                    return Err(why);
                }
                without.push(Without { receiver: receiver.to_string(), why });
            }
        }
        // What it answers to a farewell changes nothing.
        let _ = server.quit().await;
        Ok(without)
    }

    /// A connection of its own, logged in: the library's transport keeps what it is answered about single receivers to itself.
    async fn connect(&self, settings: &MailSettings) -> Result<AsyncSmtpConnection, SendError> {
        let away = |error| self.untaken("a connection", &error);
        let hello = ClientId::default();
        let tls = (settings.kind != MailKind::Plain).then(|| parameters(settings)).transpose()?;
        let at_once = tls.clone().filter(|_| settings.kind == MailKind::Tls);
        let address = (bare(&settings.host).to_owned(), settings.port.unwrap_or(settings.kind.port()));
        let connected = AsyncSmtpConnection::connect_tokio1(address, Some(self.whole), &hello, at_once, None).await;
        let mut server = connected.map_err(away)?;
        let wanted = settings.kind == MailKind::StartTls || server.can_starttls();
        if let Some(tls) = tls.filter(|_| wanted && !server.is_encrypted()) {
            server.starttls(tls, &hello).await.map_err(away)?;
        }
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            server.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(away)?;
        }
        Ok(server)
    }

    /// Hands one mail over; once more after an error that may pass. Where the server refuses one receiver of several, each is tried
    /// alone: those that did not get the mail come back, each with why.
    ///
    /// # Errors
    /// Nobody got it.
    pub(super) async fn send(&self, stem: &str, envelope: &Envelope, bytes: &[u8]) -> Result<Vec<Without>, SendError> {
        let transport = match &self.way {
            Way::Folder(folder) => {
                make(folder)?;
                let path = folder.join(format!("{stem}.eml"));
                let written = appear(&path, bytes);
                let error = |cause| SendError::Away(format!("the mail `{}` was not written: {cause}", path.display()));
                return written.map(|()| vec![]).map_err(error);
            }
            Way::Smtp(transport) => transport,
        };
        let twice = async {
            match self.hand_over(transport, envelope, bytes).await {
                Err(SendError::Away(_) | SendError::Deferred(_)) => {
                    tokio::time::sleep(PAUSE).await;
                    self.hand_over(transport, envelope, bytes).await
                }
                other => other,
            }
        };
        match self.in_time(twice).await {
            Ok(()) => Ok(vec![]),
            Err(SendError::Refused(_) | SendError::Deferred(_)) if envelope.to.len() > 1 => {
                self.one_by_one(transport, envelope, bytes).await
            }
            Err(error) => Err(error),
        }
    }

    /// Before this no receiver got the mail: a server that refuses one takes no message for the others.
    async fn one_by_one(
        &self,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Result<Vec<Without>, SendError> {
        let mut without: Vec<Without> = vec![];
        for receiver in &envelope.to {
            let one = Envelope { from: envelope.from.clone(), to: vec![receiver.clone()] };
            let why = match without.last() {
                Some(Without { why: SendError::Away(text), .. }) => Err(SendError::Away(text.clone())),
                _ => self.in_time(self.hand_over(transport, &one, bytes)).await,
            };
            without.extend(why.err().map(|why| Without { receiver: receiver.clone(), why }));
        }
        match without.first() {
            Some(first) if without.len() == envelope.to.len() => Err(first.why.clone()),
            _ => Ok(without),
        }
    }

    /// Greets first: what fails there says nothing about the mail.
    async fn hand_over(
        &self,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Result<(), SendError> {
        let mail = match envelope.to.as_slice() {
            [only] => format!("the mail to `{}`", plain(only)),
            _ => "the mail".to_owned(),
        };
        let envelope = envelope.parse()?;
        self.greet(transport).await?;
        let answer = transport.send_raw(&envelope, bytes).await;
        answer.map(drop).map_err(|error| self.untaken(&mail, &error))
    }

    /// Why the server did not take something.
    fn untaken(&self, what: &str, error: &lettre::transport::smtp::Error) -> SendError {
        let server = &self.server;
        match error.status() {
            Some(_) if error.is_permanent() => {
                SendError::Refused(format!("mail server `{server}` refuses {what}: {}", said(error)))
            }
            Some(_) => SendError::Deferred(format!("mail server `{server}` does not take {what} now: {}", said(error))),
            // The library's own objection: an address that this server has no form for.
            None if error.is_client() => {
                SendError::Refused(format!("{what} cannot go to mail server `{server}`: {}", said(error)))
            }
            None => SendError::Away(format!("mail server `{server}` broke off: {}", said(error))),
        }
    }

    async fn greet(&self, transport: &AsyncSmtpTransport<Tokio1Executor>) -> Result<(), SendError> {
        match transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SendError::Away(format!("mail server `{}` closed the connection", self.server))),
            Err(error) if error.is_permanent() => {
                Err(SendError::Setup(format!("mail server `{}` refuses us: {}", self.server, said(&error))))
            }
            Err(error) if error.is_tls() || error.is_client() || is_untrusted(&error) => Err(SendError::Setup(format!(
                "mail server `{}` is not trusted, or cannot be spoken to: {}",
                self.server,
                said(&error)
            ))),
            Err(error) => Err(SendError::Away(format!("mail server `{}` does not answer: {}", self.server, said(&error)))),
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, SendError>>) -> Result<T, SendError> {
        let late =
            |_| Err(SendError::Away(format!("mail server `{}` did not finish within {} s", self.server, self.whole.as_secs())));
        tokio::time::timeout(self.whole, work).await.unwrap_or_else(late)
    }
}

fn make(folder: &Path) -> Result<(), SendError> {
    let made = file_owner::create_dir_all(folder);
    made.map_err(|cause| SendError::Setup(format!("the mail folder `{}` was not made: {cause}", folder.display())))
}

fn smtp(settings: &MailSettings, whole: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
    let in_clear = settings.kind == MailKind::Plain && !is_loopback(&settings.host);
    if in_clear && settings.password.is_some() {
        let host = plain(&settings.host);
        return Err(SendError::Setup(format!("the password for mail server `{host}` would travel in clear; it was not sent")));
    }
    let tls = match settings.kind {
        MailKind::StartTls => Tls::Required(parameters(settings)?),
        MailKind::Local => Tls::Opportunistic(parameters(settings)?),
        MailKind::Tls => Tls::Wrapper(parameters(settings)?),
        MailKind::Plain | MailKind::Folder(_) => Tls::None,
    };
    let port = settings.port.unwrap_or(settings.kind.port());
    let server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(bare(&settings.host));
    let server = server.port(port).tls(tls).timeout(Some(whole));
    Ok(match (&settings.user, &settings.password) {
        (Some(user), Some(password)) => {
            server.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned())).build()
        }
        (None, None) => server.build(),
        _ => {
            return Err(SendError::Setup(
                "the mail settings name a user without a password, or the reverse; nothing was sent".into(),
            ));
        }
    })
}

/// Trust: the system's roots and `ca`; nothing is verified on the way to this very machine.
fn parameters(settings: &MailSettings) -> Result<TlsParameters, SendError> {
    let bad = |error: lettre::transport::smtp::Error| {
        SendError::Setup(format!("the mail settings' `ca` cannot be used: {}", said(&error)))
    };
    let mut trust = TlsParameters::builder(bare(&settings.host).to_owned());
    if let Some(ca) = &settings.ca {
        if !String::from_utf8_lossy(ca).contains("-----BEGIN CERTIFICATE-----") {
            return Err(SendError::Setup("the mail settings' `ca` holds no certificate in PEM; nothing was sent".into()));
        }
        trust = trust.add_root_certificate(Certificate::from_pem(ca).map_err(bad)?);
    }
    trust.dangerous_accept_invalid_certs(settings.kind == MailKind::Local).build().map_err(bad)
}

/// `[::1]` as a URL writes it, without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_loopback(host: &str) -> bool {
    bare(host) == "localhost" || bare(host).parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// What the server or the system said, on one line: the reply's code and words, or the innermost cause.
fn said(error: &lettre::transport::smtp::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let code = error.status().map(|code| format!("{code} ")).unwrap_or_default();
    plain(&format!("{code}{cause}"))
}

/// True when the handshake was refused on our side: a certificate nobody vouches for, another name in it.
fn is_untrusted(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Envelope {
    /// The envelope of a mail.
    pub fn of(mail: &Message) -> Self {
        let envelope = mail.envelope();
        Self { from: envelope.from().map(ToString::to_string), to: envelope.to().iter().map(ToString::to_string).collect() }
    }

    /// As the mail library wants it.
    pub(super) fn parse(&self) -> Result<lettre::address::Envelope, SendError> {
        let address = |text: &String| text.parse::<Address>();
        let bad = |what: String| SendError::Refused(format!("the kept mail's envelope is damaged: {what}"));
        let from = self.from.as_ref().map(address).transpose().map_err(|error| bad(error.to_string()))?;
        let to: Result<Vec<Address>, _> = self.to.iter().map(address).collect();
        lettre::address::Envelope::new(from, to.map_err(|error| bad(error.to_string()))?).map_err(|error| bad(error.to_string()))
    }
}
