//! Tables that share rows with a table: its partitions, its partitioned parents, and those related to it by inheritance.

/// The tables whose rows are also read through a table, or that read its rows. PostgreSQL alone has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relatives {
    /// Tables that read this table's rows as their own, the nearest first.
    pub ancestors: Vec<Relation>,
    /// Tables whose rows are read as this table's own, at any depth, the nearest first.
    pub descendants: Vec<Relation>,
}

/// One of these tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its schema.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// The catalogue's own number for it.
    pub oid: String,
    /// What keeps its rows.
    pub storage: Storage,
    /// A partition of the table above it; else it inherits.
    pub is_partition: bool,
    /// Divided into partitions itself.
    pub is_partitioned: bool,
}

/// What keeps a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// The server, across a crash.
    Permanent,
    /// The server, until it crashes.
    Unlogged,
    /// One session.
    Temporary,
    /// Another server.
    Foreign,
}

impl Storage {
    /// What to call a table that cannot be governed for it; none where it can.
    pub const fn is_unfit(self) -> Option<&'static str> {
        match self {
            Self::Permanent => None,
            Self::Unlogged => Some("an unlogged table: a crash of the server empties it"),
            Self::Temporary => Some("a temporary table"),
            Self::Foreign => Some("a foreign table"),
        }
    }
}

impl Relation {
    /// `schema.name`.
    pub fn label(&self) -> String {
        self.schema.iter().chain([&self.name]).cloned().collect::<Vec<_>>().join(".")
    }
}

impl Relatives {
    /// True for a relative, or none of the others, by schema and name.
    pub fn include(&self, schema: Option<&str>, name: &str) -> bool {
        self.all().any(|relation| relation.schema.as_deref() == schema && relation.name == name)
    }

    /// Ancestors and descendants.
    pub fn all(&self) -> impl Iterator<Item = &Relation> {
        self.ancestors.iter().chain(&self.descendants)
    }
}
