//! Redis and Valkey: one server, a cluster, or found through Sentinel. The only place that names the driver.

pub mod about;
mod answer;
pub mod change;
mod coming;
pub mod connect;
pub mod holds;
mod location;
pub mod lost;
pub mod names;
mod node;
pub mod nodes;
pub mod once;
mod pace;
mod place;
pub mod question;
pub mod sight;
mod slot;
pub mod walk;
