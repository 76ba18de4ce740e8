//! References from one store to another: both sides in one order, compared in constant memory.

pub mod compare;
mod difference;
mod graph;
mod keys;
mod order;
pub mod page;
pub mod side;
mod sorted;
pub mod stream;
mod suspects;
mod table;
mod walk;
