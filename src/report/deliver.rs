//! Hands mails over: to a server or a folder. What cannot be handed over now is kept, and sent by the next run.

use super::format::plural;
use super::run::{MailState, Reason, Weight};
use super::smtp::{Envelope, Post};
pub use super::smtp::{MailKind, MailSettings, SendError, Without};
use super::spool::{self, Flushed};
use crate::config::mailbox::mailbox;
use lettre::Message;
use std::path::Path;
use std::time::Duration;

/// One mail takes at most this long, a second attempt included. The library's own limit ends with the connect.
const WHOLE: Duration = Duration::from_secs(30);

/// What became of a run's mail, and of the older ones before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// For the report.
    pub state: MailState,
    /// Why it was not sent.
    pub reason: Option<Reason>,
    /// What became of the mails of earlier runs.
    pub flushed: Flushed,
}

/// Sends what earlier runs had to keep, then this mail. `stem` names its files (`write::stem`).
///
/// A mail that is not accepted is kept in `spool`. If we die after the server accepted it, nothing is
/// kept and nothing is sent twice; if we die before, the report stands in `reports/` and no mail tells it.
pub async fn deliver(settings: &MailSettings, spool: &Path, stem: &str, mail: &Message) -> Delivered {
    deliver_within(settings, spool, stem, mail, WHOLE).await
}

/// Sends what earlier runs had to keep, oldest first. For runs that have no mail of their own.
pub async fn flush_spool(settings: &MailSettings, spool: &Path) -> Flushed {
    match Post::open(settings, WHOLE) {
        Ok(post) => spool::flush(&post, spool).await,
        Err(error) => spool::waiting(spool, error),
    }
}

/// Connects, logs in, and asks whether mail to these receivers would be taken, without sending: what `doctor --mail` asks. Receivers that
/// would not get it come back, each with why.
pub async fn probe(settings: &MailSettings, receivers: &[String]) -> Result<Vec<Without>, SendError> {
    let address = |text: &str| mailbox(text).map(|mailbox| mailbox.email.to_string()).map_err(SendError::Setup);
    let to = receivers.iter().map(|receiver| address(receiver)).collect::<Result<Vec<_>, _>>()?;
    let envelope = Envelope { from: Some(address(&settings.from)?), to };
    Post::open(settings, WHOLE)?.probe(settings, &envelope).await
}

async fn deliver_within(settings: &MailSettings, spool: &Path, stem: &str, mail: &Message, whole: Duration) -> Delivered {
    let envelope = Envelope::of(mail);
    let bytes = mail.formatted();
    let (flushed, sent) = match Post::open(settings, whole) {
        Err(error) => (spool::waiting(spool, error.clone()), Err(error)),
        Ok(post) => {
            let flushed = spool::flush(&post, spool).await;
            let sent = match flushed.stopped.clone() {
                Some(error) => Err(error),
                None => post.send(stem, &envelope, &bytes).await,
            };
            (flushed, sent)
        }
    };
    let reason = match sent {
        Ok(without) if without.is_empty() => None,
        Ok(without) => Some(kept_for(spool, stem, &envelope, &bytes, &without)),
        Err(error) => Some(kept(spool, stem, &envelope, &bytes, &error)),
    };
    let state = if reason.is_some() { MailState::Spooled } else { MailState::Sent };
    Delivered { state, reason, flushed }
}

/// Keeps a mail for the next run, and says why.
fn kept(spool: &Path, stem: &str, envelope: &Envelope, bytes: &[u8], error: &SendError) -> Reason {
    let (text, help) = match spool::keep(spool, stem, envelope, bytes) {
        Ok(()) => (format!("{error}; the mail was kept, not sent"), next(error).to_owned()),
        Err(disk) => (
            format!("{error}; the mail was neither sent nor kept: {disk}"),
            format!("make room in `{}`; the report itself is written", spool.display()),
        ),
    };
    Reason { weight: Weight::Warning, code: None, text, help: Some(help) }
}

/// Keeps a mail for those of its receivers that did not get it.
fn kept_for(spool: &Path, stem: &str, envelope: &Envelope, bytes: &[u8], without: &[Without]) -> Reason {
    let rest = Envelope { from: envelope.from.clone(), to: without.iter().map(|one| one.receiver.clone()).collect() };
    let why = match without.iter().find(|one| matches!(one.why, SendError::Refused(_))) {
        Some(_) => SendError::Refused(spool::why(without)),
        None => SendError::Deferred(spool::why(without)),
    };
    let mut reason = kept(spool, stem, &rest, bytes, &why);
    let got = plural((envelope.to.len() - rest.to.len()) as u64, "other receiver");
    reason.text = format!("{} for {}; the report went to {got}", reason.text, plural(rest.to.len() as u64, "receiver"));
    reason
}

/// What becomes of a kept mail.
fn next(error: &SendError) -> &'static str {
    match error {
        SendError::Refused(_) => {
            "the next run tries it once more, and sets it aside in `spool/refused/` when it is refused again"
        }
        SendError::Setup(_) => "mend the mail settings, and try them with `steward doctor --mail`; the next run then sends it",
        SendError::Away(_) | SendError::Deferred(_) => "the next run sends it; `steward doctor --mail` tries the way",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{mail::compose, samples};
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    /// A server on this machine that answers by a rule, and remembers the mails it took.
    async fn server(
        rule: impl Fn(&str, usize) -> Option<&'static str> + Send + Sync + 'static,
    ) -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(vec![]));
        let (rule, inbox, asked) = (Arc::new(rule), Arc::clone(&taken), Arc::new(Mutex::new(0)));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (rule, inbox, asked) = (Arc::clone(&rule), Arc::clone(&inbox), Arc::clone(&asked));
                tokio::spawn(async move {
                    let (read, mut write) = socket.into_split();
                    let mut lines = BufReader::new(read).lines();
                    let _ = write.write_all(b"220 hello\r\n").await;
                    while let Ok(Some(line)) = lines.next_line().await {
                        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
                        let turn = {
                            let mut asked = asked.lock().unwrap();
                            if verb == "MAIL" {
                                *asked += 1
                            };
                            *asked
                        };
                        let answer = rule(&verb, turn).unwrap_or(match verb.as_str() {
                            "EHLO" => "250-fake\r\n250 AUTH PLAIN",
                            "DATA" => "354 go",
                            "QUIT" => "221 bye",
                            _ => "250 ok",
                        });
                        let _ = write.write_all(format!("{answer}\r\n").as_bytes()).await;
                        if answer.starts_with("354") {
                            let mut mail = String::new();
                            while let Ok(Some(line)) = lines.next_line().await {
                                if line == "." {
                                    break;
                                }
                                mail.push_str(&line);
                                mail.push('\n');
                            }
                            inbox.lock().unwrap().push(mail);
                            let _ = write.write_all(b"250 taken\r\n").await;
                        }
                    }
                });
            }
        });
        (port, taken)
    }

    fn to(port: u16) -> MailSettings {
        let kind = MailKind::smtp("127.0.0.1", false);
        MailSettings {
            kind,
            host: "127.0.0.1".into(),
            port: Some(port),
            user: None,
            password: None,
            ca: None,
            from: "steward@example.com".into(),
            to: vec!["dpo@example.com".into()],
        }
    }

    fn mail() -> Message {
        compose(&samples::done(), "steward <steward@example.com>", &["dpo@example.com".to_owned()]).unwrap()
    }

    /// A port where nobody listens.
    async fn nobody() -> u16 {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != ".lock")
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_mail_that_nobody_takes_is_kept_and_sent_once_by_the_next_run() {
        let spool = tempfile::tempdir().unwrap();
        let away = deliver(&to(nobody().await), spool.path(), "1-first", &mail()).await;
        assert_eq!(away.state, MailState::Spooled);
        assert!(away.reason.as_ref().unwrap().text.contains("does not answer"), "{:?}", away.reason);
        assert_eq!(names(spool.path()), ["1-first.eml", "1-first.json"]);
        let (port, taken) = server(|_, _| None).await;
        let next = deliver(&to(port), spool.path(), "2-second", &mail()).await;
        assert_eq!((next.state, next.reason, next.flushed.sent, next.flushed.waiting), (MailState::Sent, None, 1, 0));
        assert_eq!((taken.lock().unwrap().len(), names(spool.path()).len()), (2, 0));
        assert_eq!(flush_spool(&to(port), spool.path()).await, Flushed::default());
        assert_eq!(taken.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_server_that_never_answers_costs_a_bounded_time_and_no_mail() {
        let (port, _) = server(|_, _| None).await;
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let spool = tempfile::tempdir().unwrap();
        let began = std::time::Instant::now();
        let late =
            deliver_within(&to(silent.local_addr().unwrap().port()), spool.path(), "1", &mail(), Duration::from_millis(300))
                .await;
        assert!(began.elapsed() < Duration::from_secs(2));
        assert!(late.reason.unwrap().text.contains("did not finish"));
        assert_eq!(flush_spool(&to(port), spool.path()).await.sent, 1);
    }

    #[tokio::test]
    async fn what_the_server_defers_is_tried_once_more() {
        let (port, taken) = server(|verb, turn| (verb == "RCPT" && turn == 1).then_some("451 later")).await;
        let spool = tempfile::tempdir().unwrap();
        let sent = deliver(&to(port), spool.path(), "1", &mail()).await;
        assert_eq!((sent.state, taken.lock().unwrap().len()), (MailState::Sent, 1));
    }

    #[tokio::test]
    async fn what_the_server_refuses_for_good_is_set_aside_and_does_not_stand_in_the_way() {
        let (port, taken) = server(|verb, turn| (verb == "RCPT" && turn <= 2).then_some("550 no such user")).await;
        let spool = tempfile::tempdir().unwrap();
        let refused = deliver(&to(port), spool.path(), "1-first", &mail()).await;
        assert!(refused.reason.unwrap().text.contains("550"));
        let next = deliver(&to(port), spool.path(), "2-second", &mail()).await;
        assert_eq!((next.state, taken.lock().unwrap().len()), (MailState::Sent, 1));
        assert!(
            next.flushed.refused[0].contains("550") && next.flushed.refused[0].contains("not sent again"),
            "{:?}",
            next.flushed
        );
        assert_eq!(names(&spool.path().join("refused")), ["1-first.eml", "1-first.json"]);
    }

    #[tokio::test]
    async fn a_refused_login_keeps_every_mail() {
        let (port, _) = server(|verb, _| (verb == "AUTH").then_some("535 wrong password")).await;
        let settings = MailSettings { user: Some("steward".into()), password: Some("hunter2-canary".into()), ..to(port) };
        let spool = tempfile::tempdir().unwrap();
        for stem in ["1", "2"] {
            let kept = deliver(&settings, spool.path(), stem, &mail()).await;
            let reason = kept.reason.unwrap().text;
            assert!(reason.contains("refuses us") && !reason.contains("canary"), "{reason}");
        }
        assert_eq!(names(spool.path()).len(), 4);
        assert!(matches!(probe(&settings, &[]).await, Err(SendError::Setup(_))));
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[tokio::test]
    async fn a_server_elsewhere_must_offer_starttls() {
        let (port, taken) = server(|_, _| None).await;
        let settings = MailSettings { kind: MailKind::StartTls, ..to(port) };
        let spool = tempfile::tempdir().unwrap();
        assert_eq!(deliver(&settings, spool.path(), "1", &mail()).await.state, MailState::Spooled);
        assert_eq!(taken.lock().unwrap().len(), 0);
        assert_eq!(MailKind::smtp("mail.example.com", false), MailKind::StartTls);
        assert_eq!([MailKind::smtp("[::1]", false), MailKind::smtp("localhost", true)], [MailKind::Local, MailKind::StartTls]);
    }

    #[tokio::test]
    async fn a_password_does_not_travel_in_clear() {
        let settings = MailSettings {
            kind: MailKind::Plain,
            host: "mail.example.com".into(),
            user: Some("a".into()),
            password: Some("b".into()),
            ..to(25)
        };
        assert!(probe(&settings, &[]).await.unwrap_err().to_string().contains("in clear"));
    }

    #[tokio::test]
    async fn a_folder_takes_a_file_per_mail() {
        let folder = tempfile::tempdir().unwrap();
        let mails = folder.path().join("mails");
        let settings = MailSettings { kind: MailKind::Folder(mails.clone()), ..to(1) };
        let sent = deliver(&settings, &folder.path().join("spool"), "20261120-a", &mail()).await;
        assert_eq!((sent.state, names(&mails)), (MailState::Sent, vec!["20261120-a.eml".to_owned()]));
        assert_eq!(std::fs::read(mails.join("20261120-a.eml")).unwrap()[..5], *b"Messa");
    }

    #[tokio::test]
    async fn a_damaged_envelope_is_set_aside_and_another_process_is_left_to_it() {
        let (port, taken) = server(|_, _| None).await;
        let spool = tempfile::tempdir().unwrap();
        std::fs::write(spool.path().join("0.json"), "{").unwrap();
        spool::keep(spool.path(), "1", &Envelope::of(&mail()), &mail().formatted()).unwrap();
        let other = std::fs::File::create(spool.path().join(".lock")).unwrap();
        other.lock().unwrap();
        assert_eq!(flush_spool(&to(port), spool.path()).await, Flushed { waiting: 2, ..Flushed::default() });
        drop(other);
        let flushed = flush_spool(&to(port), spool.path()).await;
        assert_eq!((flushed.sent, flushed.refused.len(), taken.lock().unwrap().len()), (1, 1, 1));
    }
}
