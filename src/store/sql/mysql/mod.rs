//! MySQL and MariaDB.

pub mod privileges;
pub mod schema;
