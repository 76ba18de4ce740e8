//! References between stores: which ids are there, and which point at nothing.

mod check;
mod graph;
mod keys;
mod presence;
mod settle;
mod sides;
mod stores;
