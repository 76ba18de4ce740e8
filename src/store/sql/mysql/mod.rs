//! MySQL and MariaDB.

pub mod batch;
pub mod dialect;
pub mod health;
pub mod privileges;
pub mod schema;
pub mod session;
