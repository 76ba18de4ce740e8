//! Neo4j. The only place that names the driver.

pub mod connect;
