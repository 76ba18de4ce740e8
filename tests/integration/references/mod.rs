//! References between stores: which ids are there, and which point at nothing.

mod presence;
pub mod stores;
