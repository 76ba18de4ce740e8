//! The kinds of checks: one file each, and one line here. Reading, schema, listing and measuring derive from the table.

mod big_keys;
mod clock;
mod cypher;
mod dangling;
mod duplicate;
mod duplicate_relations;
mod expired;
mod freshness;
mod idle_keys;
mod key_check;
mod kind;
mod memory;
mod missing;
mod node_check;
mod orphan_nodes;
mod overdue;
mod range;
mod reference;
mod regex;
mod row_check;
mod row_count;
mod sample;
mod server_health;
mod sql;
mod target;
mod unclassified;
mod uncovered_keys;
mod unsealed;
mod without_ttl;

pub use kind::Kind;
pub use sample::Sampler;

/// Every kind that is built, in the order people read them.
pub const KINDS: &[Kind] = &[
    row_count::KIND, //
    duplicate::KIND,
    missing::KIND,
    range::KIND,
    regex::KIND,
    freshness::KIND,
    expired::KIND,
    dangling::KIND,
    unsealed::KIND,
    unclassified::KIND,
    overdue::KIND,
    sql::KIND,
    reference::KIND,
    server_health::CONNECTIONS,
    server_health::CACHE_HIT,
    server_health::REPLICATION_LAG,
    server_health::SLOW_STATEMENTS,
    server_health::TABLE_SIZE,
    server_health::UNUSED_INDEXES,
    without_ttl::KIND,
    idle_keys::KIND,
    big_keys::KIND,
    uncovered_keys::KIND,
    memory::KIND,
    orphan_nodes::KIND,
    duplicate_relations::KIND,
    cypher::KIND,
];

/// The kind of that key.
pub fn named(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.shape.key == key)
}
