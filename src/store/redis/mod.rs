//! Redis and Valkey: one server, a cluster, or found through Sentinel. The only place that names the driver.

pub mod connect;
