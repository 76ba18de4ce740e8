//! What was done, what was not and why: one value, told as text, as a page and as a mail.
//!
//! The sentences stand in `lines` and `told`; the forms only lay them out, so they cannot disagree.

pub mod checks;
pub mod deed;
pub mod deliver;
pub mod figures;
pub mod finding;
pub mod headline;
pub mod html;
pub mod lines;
pub mod mail;
pub mod mask;
pub mod post;
pub mod reason;
pub mod run;
#[cfg(test)]
mod samples;
pub mod spool;
pub mod sums;
pub mod text;
pub mod told;
pub mod views;
pub mod when;
pub mod write;
