//! Redis and Valkey: one server, a cluster, or found through Sentinel. The only place that names the driver.

pub mod commands;
pub mod cursor;
pub mod dedup;
pub mod holds;
pub mod lost;
pub mod mutate;
pub mod node;
pub mod pending;
pub mod progress;
pub mod reply;
pub mod scan;
pub mod scan_count;
pub mod scan_names;
pub mod server_info;
pub mod slot;
pub mod store;
pub mod topology;
pub mod url;
