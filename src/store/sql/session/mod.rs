//! Connections: opening them, what they are set to, and one conversation.

pub mod connection;
pub mod dialect;
pub mod driver_values;
pub mod identity;
pub mod read_only;
pub mod settings;
pub mod statements;
pub mod store;
