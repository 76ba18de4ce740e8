//! Tells a run: the page and its JSON in the state folder, and the mail if one is due.

use crate::job::outcome::Outcome;
use crate::job::spec::ReportRule;
use crate::ledger::event::ReportFile;
use crate::report::deliver::{self, MailSettings};
use crate::report::run::{Delivery, MailState, Reason, RunReport, Weight};
use crate::report::{mail, mail_policy, write};
use std::path::PathBuf;

/// Where reports go.
#[derive(Debug, Clone)]
pub struct Reporting {
    /// The folder of pages.
    pub reports: PathBuf,
    /// Mails that wait for their server.
    pub spool: PathBuf,
    /// How mail travels; none when none is configured.
    pub mail: Option<MailSettings>,
}

impl Reporting {
    /// Writes the page, sends the mail, and notes in the report what became of both.
    ///
    /// Gives the files by their hashes, for the chain.
    ///
    /// What a run did stays done when its report cannot be delivered; the outcome says `undelivered` then.
    ///
    /// `remind` mails it though nothing differs from `last`.
    pub async fn tell(
        &self,
        rule: &ReportRule,
        report: &mut RunReport,
        last: Option<&RunReport>,
        remind: bool,
    ) -> Vec<ReportFile> {
        let mut files = vec![];
        let html = match write::write(report, &self.reports) {
            Ok(written) => {
                files = written.hashes.into_iter().map(|(name, sha256)| ReportFile { name, sha256 }).collect();
                Some(written.html.display().to_string())
            }
            Err(error) => {
                undelivered(report, Reason { weight: Weight::Warning, code: None, text: error.to_string(), help: None });
                None
            }
        };
        let mail = self.mail(rule, report, last, remind).await;
        report.report = Some(Delivery { html, mail });
        files
    }

    /// Mails what no run tells, whatever `report.when` says.
    ///
    /// # Errors
    /// It was neither sent nor kept.
    pub async fn notice(&self, rule: &ReportRule, report: &RunReport) -> Result<MailState, Reason> {
        let Some((settings, to)) = self.receivers(rule) else { return Ok(MailState::NotConfigured) };
        let failed = |text: String| Reason { weight: Weight::Warning, code: None, text, help: None };
        let message = mail::compose(report, &settings.from, to).map_err(|error| failed(error.to_string()))?;
        // Two notices about a job may come within a second.
        let stem = format!("{}-{:06}", report.stem(), report.as_of.timestamp_subsec_micros());
        let delivered = deliver::deliver(settings, &self.spool, &stem, &message).await;
        let is_kept = self.spool.join(format!("{stem}.json")).exists();
        delivered.reason.filter(|_| !is_kept).map_or(Ok(delivered.state), Err)
    }

    fn receivers<'a>(&'a self, rule: &'a ReportRule) -> Option<(&'a MailSettings, &'a [String])> {
        let settings = self.mail.as_ref()?;
        let to = if rule.to.is_empty() { &settings.to } else { &rule.to };
        (!to.is_empty()).then_some((settings, to.as_slice()))
    }

    async fn mail(&self, rule: &ReportRule, report: &mut RunReport, last: Option<&RunReport>, remind: bool) -> MailState {
        let Some((settings, to)) = self.receivers(rule) else { return MailState::NotConfigured };
        if !remind && !mail_policy::should_send(rule.when, report, last) {
            let flushed = deliver::flush_spool(settings, &self.spool).await;
            refused(report, flushed.refused);
            return MailState::NotDue;
        }
        let message = match mail::compose(report, &settings.from, to) {
            Ok(message) => message,
            Err(error) => {
                undelivered(report, Reason { weight: Weight::Warning, code: None, text: error.to_string(), help: None });
                return MailState::NotConfigured;
            }
        };
        let delivered = deliver::deliver(settings, &self.spool, &report.stem(), &message).await;
        refused(report, delivered.flushed.refused);
        if let Some(reason) = delivered.reason {
            undelivered(report, Reason { weight: Weight::Warning, ..reason });
        }
        delivered.state
    }
}

/// Mails of earlier runs that no server will ever take: told once, here.
fn refused(report: &mut RunReport, texts: Vec<String>) {
    report.reasons.extend(texts.into_iter().map(|text| Reason { weight: Weight::Warning, code: None, text, help: None }));
}

fn undelivered(report: &mut RunReport, reason: Reason) {
    report.reasons.push(reason);
    report.outcome = Some(report.outcome.unwrap_or(Outcome::Done).worse(Outcome::Undelivered));
    report.exit = report.outcome.map(Outcome::exit);
}
