//! What `steward.yaml` says: stores, ledger, folders, mail. Secrets are named here and fetched only when they are needed.

pub mod address;
pub mod file;
pub mod mail;
pub mod mailbox;
pub mod read;
pub mod secret;
pub mod settings;
pub mod store;
