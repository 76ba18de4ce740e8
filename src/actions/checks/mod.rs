//! The kinds of checks: one file each, and one line here. Reading, schema, listing and measuring derive from the table.

mod clock;
mod cypher;
mod dangling;
mod duplicate_relations;
mod expired;
mod faulty;
mod freshness;
mod kind;
mod look;
mod missing;
mod nodes;
mod orphan_nodes;
mod overdue;
mod range;
mod reference;
mod row_count;
mod sample;
mod sql;
mod unclassified;
mod unsealed;

pub use kind::Kind;
pub use sample::Sampler;

/// Every kind that is built, in the order people read them.
pub const KINDS: &[Kind] = &[
    row_count::KIND, //
    missing::KIND,
    range::KIND,
    freshness::KIND,
    expired::KIND,
    dangling::KIND,
    unsealed::KIND,
    unclassified::KIND,
    overdue::KIND,
    sql::KIND,
    orphan_nodes::KIND,
    duplicate_relations::KIND,
    cypher::KIND,
    reference::KIND,
];

/// The kind of that key.
pub fn named(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.shape.key == key)
}
