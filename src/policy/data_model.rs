//! What kinds of things a store holds, as far as a declaration must know.

/// What a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataModel {
    /// Tables with rows: MySQL, MariaDB, PostgreSQL, SQLite.
    Tables,
    /// Keys with values: Redis, Valkey.
    Keys,
    /// Nodes and relations: Neo4j.
    Graph,
}

impl DataModel {
    /// In a sentence: `holds …`.
    pub const fn holds(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Keys => "keys",
            Self::Graph => "nodes and relations",
        }
    }
}
