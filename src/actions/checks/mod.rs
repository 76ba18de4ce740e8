//! The kinds of checks: one file each, and one line here. Reading, schema, listing and measuring derive from the table.

mod big_keys;
mod idle_keys;
mod key_look;
mod kind;
mod look;
mod memory;
mod row_count;
mod sample;
mod uncovered_keys;
mod without_ttl;

pub use kind::Kind;
pub use sample::Sampler;

/// Every kind that is built, in the order people read them.
pub const KINDS: &[Kind] = &[
    row_count::KIND, //
    without_ttl::KIND,
    idle_keys::KIND,
    big_keys::KIND,
    uncovered_keys::KIND,
    memory::KIND,
];

/// The kind of that key.
pub fn named(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.shape.key == key)
}
