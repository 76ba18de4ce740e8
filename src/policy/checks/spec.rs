//! The shape of a kind of check: which key makes it, and what may stand beside it. Its own file and a line in the table of
//! kinds are all that a new kind needs; reading, the JSON Schema and the listings derive from the shape.

/// What people may write for one kind of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckSpec {
    /// The key that makes a check one of this kind: `duplicate`.
    pub key: &'static str,
    /// What it finds, in a line.
    pub about: &'static str,
    /// What stands under the key.
    pub takes: ParamType,
    /// Further keys.
    pub with: &'static [ParamSpec],
    /// What `dataset` must be.
    pub on: On,
    /// What is counted, and so what a bound's number means.
    pub counts: Counts,
    /// The bound when neither `warn` nor `fail` is written; none where there is no sensible one, and then one must be.
    pub warns: Option<&'static str>,
}

impl CheckSpec {
    /// True where `where` says which rows or nodes count. Elsewhere it would say nothing, and is refused.
    pub fn takes_where(&self) -> bool {
        match self.on {
            On::Table | On::TableOrLabel => true,
            On::GraphStore => self.takes != ParamType::Query,
            On::TableStore | On::KeyStore | On::AnyStore | On::Nothing => false,
        }
    }
}

/// A key beside the kind's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamSpec {
    /// The key.
    pub key: &'static str,
    /// What it means.
    pub about: &'static str,
    /// What stands under it.
    pub takes: ParamType,
    /// The check means nothing without it.
    pub needed: bool,
}

/// What may stand under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// One text.
    Text,
    /// A query in the language of the check's own store.
    Query,
    /// A pattern for texts, in the one language that decides on every store.
    Pattern,
    /// A length of time with its unit, as a bound has it: `1000 ms`.
    Time,
    /// The name of a time zone.
    Zone,
    /// One text or a list of them: columns, labels, types.
    Names,
    /// One name or glob of lifecycle policies, or a list of them.
    Policies,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A period.
    Period,
    /// A size: `10 MB`.
    Bytes,
    /// A pattern for keys.
    Keys,
    /// A field of any store: `core.users.id`, or `{ field: …, where: …, clock: … }`.
    ReferenceEnd,
    /// Two fields: `{ from: …, to: … }`.
    Ends,
}

/// What `dataset` must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// A table.
    Table,
    /// A table, or a label of a store with nodes.
    TableOrLabel,
    /// A store with tables; `dataset` is its name alone.
    TableStore,
    /// A store with keys; `dataset` is its name alone.
    KeyStore,
    /// A store with nodes; `dataset` is its name alone.
    GraphStore,
    /// Any store; `dataset` is its name alone.
    AnyStore,
    /// Nothing: the check names its datasets itself.
    Nothing,
}

/// What a check counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Rows, keys, nodes; a bound may be a number or a share in percent.
    Things,
    /// A share in percent.
    Percent,
    /// Milliseconds; a bound is written with its unit.
    Time,
    /// Bytes; a bound is written with its unit.
    Bytes,
}
