//! References from one store to another: both sides in one order, compared in constant memory.

pub mod compare;
pub mod diff;
pub mod external_sort;
pub mod id_walk;
pub mod neo4j;
pub mod order;
pub mod page;
pub mod recheck;
pub mod redis;
pub mod side;
pub mod sql;
pub mod stream;
