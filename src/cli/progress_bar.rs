//! Progress on stderr: a bar with rate and time left on a terminal, a plain line every few seconds elsewhere.

use super::stderr;
use crate::action::Label;
use crate::report::format;
use crate::runner::progress::{Looking, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::Level;

/// Elsewhere than on a terminal a line this often is enough.
const EVERY: Duration = Duration::from_secs(10);

/// Watches a run for whoever sits in front of it.
#[derive(Debug)]
pub(crate) struct TerminalProgress {
    bar: ProgressBar,
    plain: Option<Mutex<Plain>>,
    /// When a look was told last, elsewhere than on a terminal.
    looked: Mutex<Instant>,
}

#[derive(Debug)]
struct Plain {
    dataset: String,
    done: u64,
    rows: u64,
    began: Instant,
    said: Instant,
}

impl TerminalProgress {
    /// A bar on a terminal; plain lines elsewhere.
    pub(crate) fn new() -> Self {
        if std::io::stderr().is_terminal() && !stderr::is_json() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            return Self { bar, plain: None, looked: Mutex::new(Instant::now()) };
        }
        let now = Instant::now();
        let plain = Plain { dataset: String::new(), done: 0, rows: 0, began: now, said: now };
        Self { bar: ProgressBar::hidden(), plain: Some(Mutex::new(plain)), looked: Mutex::new(now) }
    }
}

impl Progress for TerminalProgress {
    fn begin(&self, label: &Label, rows: u64) {
        // The name first: every call draws, and a row count under another dataset's name would be a lie, however short.
        self.bar.set_style(drawn("{wide_msg}  {bar:12}  {human_pos} of {human_len}  {rate} rows/s  {eta} left"));
        self.bar.set_message(label.dataset.clone());
        self.bar.set_length(rows);
        self.bar.reset();
        if let Some(plain) = &self.plain {
            let now = Instant::now();
            *plain.lock().unwrap_or_else(PoisonError::into_inner) =
                Plain { dataset: label.dataset.clone(), done: 0, rows, began: now, said: now };
        }
    }

    fn advance(&self, rows: u64) {
        self.bar.inc(rows);
        let Some(plain) = &self.plain else { return };
        let mut plain = plain.lock().unwrap_or_else(PoisonError::into_inner);
        plain.done += rows;
        if plain.said.elapsed() >= EVERY {
            plain.said = Instant::now();
            stderr::line(Level::INFO, &plain.line());
        }
    }

    fn note(&self, text: &str) {
        if self.plain.is_some() {
            stderr::line(Level::INFO, text);
        } else {
            self.bar.suspend(|| stderr::line(Level::INFO, text));
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// On a terminal the line stays and moves; elsewhere a line now and then is enough.
    fn looking(&self, look: &Looking<'_>) {
        if self.plain.is_none() {
            self.bar.set_style(drawn("{wide_msg}"));
            self.bar.reset();
            self.bar.set_message(look.to_string());
            return;
        }
        let mut said = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if look.took >= EVERY && said.elapsed() >= EVERY {
            *said = Instant::now();
            stderr::line(Level::INFO, &look.to_string());
        }
    }

    fn looked(&self) {
        self.bar.finish_and_clear();
    }
}

/// A line of the bar; the plain one where the template cannot be read.
fn drawn(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
}

/// Rows a second, whole ones.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is small, positive and read by people")]
fn rate(state: &ProgressState, to: &mut dyn std::fmt::Write) {
    // A line that cannot be drawn is drawn again with the next batch.
    let _ = to.write_str(&format::count(state.per_sec() as u64));
}

impl Plain {
    fn line(&self) -> String {
        let seconds = self.began.elapsed().as_secs().max(1);
        let rate = self.done / seconds;
        let left = self.rows.saturating_sub(self.done).checked_div(rate).map_or_else(|| "?".to_owned(), |left| left.to_string());
        format!(
            "{}: {} of {} rows, {} a second, {left} s left",
            self.dataset,
            format::count(self.done),
            format::count(self.rows),
            format::count(rate)
        )
    }
}
