//! The databases we can speak to, a folder for each engine. Driver crates are named only here and in the ledger.

pub mod address;
pub mod answer;
pub mod batch_mark;
pub mod clock;
pub mod cutoff;
pub mod error;
pub mod file_access;
pub mod foreign_key;
pub mod holds;
pub mod identity;
pub mod neo4j;
pub mod page;
pub mod protocol_probe;
pub mod redis;
pub mod refresh;
pub mod registry;
pub mod server_message;
pub mod source;
pub mod sql;
pub mod survey;
pub mod survey_source;
pub mod value;
