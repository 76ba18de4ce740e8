//! Rows in batches: finding, copying, proving, removing, marking.

pub mod analyze;
pub mod archive;
pub mod archive_ddl;
pub mod assignment;
pub mod blocked;
pub mod dialect;
pub mod expire;
pub mod explain;
pub mod grants;
pub mod holds;
pub mod key_table;
pub mod keyset;
pub mod mark_grants;
pub mod mark_table;
pub mod proof;
pub mod removal;
pub mod rows;
pub mod system_log;
pub mod transfer;
