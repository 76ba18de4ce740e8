//! The kinds of checks: one file each, and one line here. Reading, schema, listing and measuring derive from the table.

mod kind;
mod look;
mod row_count;
mod sample;

pub use kind::Kind;
pub use sample::Sampler;

/// Every kind that is built, in the order people read them.
pub const KINDS: &[Kind] = &[
    row_count::KIND, //
];

/// The kind of that key.
pub fn named(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.shape.key == key)
}
