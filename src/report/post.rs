//! The way out for mails: a server, spoken to in time and over TLS, or a folder.

use super::figures::plain;
use super::write::appear;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;
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

    pub(super) async fn probe(&self) -> Result<(), SendError> {
        match &self.way {
            Way::Folder(folder) => {
                let folder = folder.clone();
                let made = tokio::fs::create_dir_all(&folder).await;
                made.map_err(|cause| SendError::Setup(format!("the mail folder `{}` was not made: {cause}", folder.display())))
            }
            Way::Smtp(transport) => self.in_time(self.greet(transport)).await,
        }
    }

    /// Hands one mail over; once more after an error that may pass.
    pub(super) async fn send(&self, stem: &str, envelope: &Envelope, bytes: &[u8]) -> Result<(), SendError> {
        match &self.way {
            Way::Folder(folder) => {
                self.probe().await?;
                let path = folder.join(format!("{stem}.eml"));
                appear(&path, bytes)
                    .map_err(|cause| SendError::Away(format!("the mail `{}` was not written: {cause}", path.display())))
            }
            Way::Smtp(transport) => {
                let twice = async {
                    match self.hand_over(transport, envelope, bytes).await {
                        Err(SendError::Away(_) | SendError::Deferred(_)) => {
                            tokio::time::sleep(PAUSE).await;
                            self.hand_over(transport, envelope, bytes).await
                        }
                        other => other,
                    }
                };
                self.in_time(twice).await
            }
        }
    }

    /// Greets first: what fails there says nothing about the mail.
    async fn hand_over(
        &self,
        transport: &AsyncSmtpTransport<Tokio1Executor>,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Result<(), SendError> {
        let envelope = envelope.parse()?;
        self.greet(transport).await?;
        let answer = transport.send_raw(&envelope, bytes).await;
        answer.map(drop).map_err(|error| match error.status() {
            Some(_) if error.is_permanent() => {
                SendError::Refused(format!("mail server `{}` refuses the mail: {}", self.server, said(&error)))
            }
            Some(_) => SendError::Deferred(format!("mail server `{}` does not take the mail now: {}", self.server, said(&error))),
            None => SendError::Away(format!("mail server `{}` broke off: {}", self.server, said(&error))),
        })
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
