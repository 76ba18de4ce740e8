//! Tables as their catalog describes them, and what follows from that.

pub mod catalog;
pub mod children_first;
pub mod clock;
pub mod columns;
pub mod dialect;
pub mod effects;
pub mod id_column;
pub mod id_text;
pub mod relatives;
pub mod table;
pub mod table_location;
pub mod trigger;
