//! What was done, what was not and why: one value, told as text, as a page and as a mail.

pub mod run;
