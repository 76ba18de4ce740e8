//! The kinds of checks against real databases with planted faults: what they count is exact, on every engine.

mod duplicates;
mod health;
mod replicas;
mod rows;
mod sight;
mod whole_binary;
mod whole_stores;
