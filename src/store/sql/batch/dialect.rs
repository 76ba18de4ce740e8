//! What SQL engines do in their own ways about batches of rows.

use crate::store::sql::schema::table::Column;

/// A page's keys in their temporary table, and the rows of the table they are of.
pub struct KeyedRows {
    /// The table of the rows, quoted.
    pub path: String,
    /// The rows' own key columns, quoted, with commas.
    pub columns: String,
    /// The temporary table.
    pub keys: String,
    /// Its columns, with commas.
    pub key_columns: String,
    /// Both, joined in that order.
    pub joined: String,
    /// True where a row bears one of the keys.
    pub matches: String,
}

/// Implemented in the folder of each engine.
pub trait BatchDialect {
    /// The temporary table that holds a page's keys, and the statement that makes it with the columns of `select`. `beside` is the
    /// same name in the schema of the rows.
    fn key_table(&self, name: &str, beside: &str, select: &str) -> (String, String);

    /// True where the table of keys goes with the transaction it is made in; elsewhere it stays with the connection and is made before.
    fn drops_keys_at_commit(&self) -> bool {
        false
    }

    /// The query for rows that are bound as one JSON array of arrays: each value as a text, to be read into the column.
    fn rows_of_json(&self, columns: &[Column]) -> String;

    /// Joins tables in the order they are named in.
    fn join_in_order(&self) -> &'static str;

    /// Has the planner look up each key by its index until the transaction ends, where [`Self::join_in_order`] does not say so. Left
    /// to itself it reads the whole of a table of some hundred thousand rows for every page: five times per batch.
    fn keys_first(&self) -> Option<&'static str> {
        None
    }

    /// What a query of rows of the table ends with to lock those that nobody else has locked, and to pass over the others.
    fn lock_free_rows(&self, table: &str) -> String;

    /// Behind the columns of an INSERT: values are written into identity columns, too.
    fn overriding_identity(&self) -> &'static str {
        ""
    }

    /// The query for a count and a digest of rows in any order, where that is faster than a comparison row by row.
    fn row_digest(&self, _names: &[String], _from: &str) -> Option<String> {
        None
    }

    /// The query for what changes when one of the rows changes, goes or comes. `names` are `columns`, quoted.
    fn copies_query(&self, columns: &[Column], names: &[String], from: &str) -> String;

    /// True where that query gives whole rows: there is no digest.
    fn copies_are_rows(&self) -> bool {
        false
    }

    /// Fires the triggers and constraints that wait for the COMMIT.
    fn fire_deferred(&self) -> Option<&'static str> {
        None
    }

    /// Removes the rows whose keys are there, where the condition is true.
    fn delete(&self, rows: &KeyedRows, condition: &str) -> String;

    /// Changes the rows whose keys are there, where the condition is true.
    fn update(&self, rows: &KeyedRows, set: &str, condition: &str) -> String;

    /// True where a change gives a column of times the hour of the change unless the statement names it.
    fn changes_unnamed_times(&self) -> bool {
        false
    }

    /// The query for the columns of the table of marks, and those of its primary key: sorted, with commas; NULL where there is no
    /// such table. The schema is bound, where there are schemas.
    fn mark_table_query(&self) -> String;

    /// The types of identifiers, of texts and of times in the table of marks; and what its statement ends with.
    fn mark_table_types(&self) -> (&'static str, &'static str, &'static str, &'static str);

    /// The statements by which `user` may use the table of marks that `create` makes.
    fn grant_mark_table(&self, path: &str, create: String, user: &str) -> Vec<String>;
}

/// The name of a key's column in the temporary table.
pub fn key_name(at: usize) -> String {
    format!("steward_k{at}")
}
