//! What `doctor` says of mail: whether the server takes it for everybody, and what waits for it.

use super::app::mail;
use super::health::{Check, Verdict};
use crate::config::settings::Config;
use crate::declarations::reading::Declarations;
use crate::report::deliver::{self, SendError, Without};
use crate::report::format::plural;
use crate::report::spool;
use std::path::Path;

/// Whoever gets a report of some job, each once.
pub(super) fn receivers(declarations: &Declarations) -> Vec<String> {
    let mut all: Vec<String> = declarations.jobs.iter().flat_map(|job| job.report.to.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// Mails that wait for their server, and mails that no server will take; nothing to say where there are none.
pub(super) fn waiting(state: &Path) -> Option<Check> {
    const WHAT: &str = "mails that wait";
    let (waiting, refused) = spool::count(&state.join("spool"));
    let told =
        format!("{} in `spool/`, {} refused for good in `spool/refused/`", plural(waiting, "mail"), plural(refused, "mail"));
    let help = if refused > 0 {
        "`steward doctor --mail` names the receivers that the server refuses; look at the mails, then remove the files"
    } else {
        "the next run sends them; `steward doctor --mail` tries the server now"
    };
    (waiting + refused > 0).then(|| Check::not(WHAT, Verdict::Warn, told, help))
}

/// The server, and each receiver that it would refuse.
pub(super) async fn server(config: &Config, receivers: &[String]) -> Vec<Check> {
    const WHAT: &str = "mail";
    let Some(declared) = &config.mail else {
        let told = "none is configured: reports are written and not mailed";
        return vec![Check::not(WHAT, Verdict::Warn, told, "add `mail` to steward.yaml")];
    };
    let settings = match mail(declared, &config.base) {
        Ok(settings) => settings,
        Err(end) => return vec![Check::not(WHAT, Verdict::Fail, end.why(), "")],
    };
    let mut all = settings.to.clone();
    all.extend(receivers.iter().filter(|receiver| !settings.to.contains(receiver)).cloned());
    match deliver::probe(&settings, &all).await {
        Ok(without) if without.is_empty() => {
            vec![Check::ok(WHAT, format!("takes our mail for {}", plural(all.len() as u64, "receiver")))]
        }
        Ok(without) => without.iter().map(refused).collect(),
        Err(error) => {
            let help = "until it does, mails are kept in the spool and sent by the next run";
            vec![Check::not(WHAT, verdict(&error), error.to_string(), help)]
        }
    }
}

fn refused(without: &Without) -> Check {
    let help = format!("correct `{}` in `mail.to` or the job's `report.to`, or let the mail server accept it", without.receiver);
    Check::not("mail", verdict(&without.why), without.why.to_string(), help)
}

const fn verdict(error: &SendError) -> Verdict {
    match error {
        SendError::Away(_) | SendError::Deferred(_) => Verdict::Away,
        SendError::Setup(_) | SendError::Refused(_) => Verdict::Fail,
    }
}
