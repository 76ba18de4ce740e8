//! What was done, what was not and why: one value, told as text, as a page and as a mail.
//!
//! The sentences stand in `lines` and `told`; the forms only lay them out, so they cannot disagree.

pub mod checks;
pub mod columns;
pub mod deliver;
pub mod finding;
pub mod format;
pub mod headline;
pub mod html;
pub mod lines;
pub mod mail;
pub mod mail_policy;
pub mod mask;
pub mod presentation;
pub mod reason;
pub mod run;
#[cfg(test)]
mod samples;
pub mod smtp;
pub mod spool;
pub mod text;
pub mod totals;
pub mod view_model;
pub mod views;
pub mod write;
