//! What SQL engines do in their own ways about connections and transactions.

/// Implemented in the folder of each engine.
pub trait SessionDialect {
    /// The question for a store's own time in milliseconds since 1970; a file has no clock of its own.
    fn time_query(&self) -> Option<&'static str>;

    /// True where a lock is one on rows, and not on the whole store.
    fn locks_rows(&self) -> bool {
        true
    }
}
