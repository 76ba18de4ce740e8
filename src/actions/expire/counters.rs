//! What is counted of what ends.

use crate::counter::{Counter, Effect};

/// Rows removed or marked as expired, sessions ended.
pub const EXPIRED: Counter = Counter {
    key: "expired",
    done: "expired",
    would: "would expire",
    column: "expired",
    effect: Effect::Rows,
    note: None,
    told_by: &[],
    stays: false,
};

/// Cache entries removed.
pub const SWEPT: Counter = Counter { key: "swept", done: "swept", would: "would be swept", column: "swept", ..EXPIRED };

/// Keys that were given a time to live, or a shorter one.
pub const TTL_SET: Counter = Counter {
    key: "ttl_set",
    done: "given a time to live",
    would: "would be given a time to live",
    column: "ttl set",
    stays: true,
    ..EXPIRED
};
