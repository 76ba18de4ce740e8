//! What the catalogue, the account and the session show: what cannot be seen is never taken for absent.

mod account;
mod doctor;
mod firing;
mod foreign_keys;
mod hierarchy;
mod not_taken;
mod plain_words;
mod read_only;
mod replica_identity;
mod settings;
pub mod setup;
