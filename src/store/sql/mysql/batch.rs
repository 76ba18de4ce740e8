//! What MySQL and MariaDB do in their own way about batches of rows.

use super::dialect::Mysql;
use crate::store::batch_mark::BATCH_TABLE;
use crate::store::sql::batch::dialect::{BatchDialect, KeyedRows, key_name};
use crate::store::sql::dialect::Spelling;
use crate::store::sql::schema::table::{Class, Column};

impl BatchDialect for Mysql {
    fn key_table(&self, _: &str, beside: &str, select: &str) -> (String, String) {
        // Servers may insist on a primary key, of temporary tables too.
        let key = "steward_n bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY";
        (beside.to_owned(), format!("CREATE TEMPORARY TABLE IF NOT EXISTS {beside} ({key}) ENGINE = InnoDB AS {select}"))
    }

    fn rows_of_json(&self, columns: &[Column]) -> String {
        let paths: Vec<_> = (0..columns.len()).map(|at| format!("{} LONGTEXT PATH '$[{at}]'", key_name(at))).collect();
        let values = columns.iter().enumerate().map(|(at, column)| self.incoming(&format!("r.{}", key_name(at)), column));
        format!("SELECT {} FROM JSON_TABLE(?, '$[*]' COLUMNS ({})) r", values.collect::<Vec<_>>().join(", "), paths.join(", "))
    }

    fn join_in_order(&self) -> &'static str {
        "STRAIGHT_JOIN"
    }

    fn lock_free_rows(&self, _: &str) -> String {
        " FOR UPDATE SKIP LOCKED".to_owned()
    }

    fn copies_query(&self, columns: &[Column], names: &[String], from: &str) -> String {
        // MySQL 9.6 took MD5 away; half a SHA-256 in two numbers adds up in any order.
        let one: Vec<_> = columns
            .iter()
            .zip(names)
            .map(|(column, name)| format!("COALESCE(SHA2({}, 256), '-')", bytes_of(column, name)))
            .collect();
        let row = format!("SHA2(CONCAT({}), 256)", one.join(", "));
        let half = |side: &str| format!("CAST(SUM(CAST(CONV({side}({row}, 16), 16, 10) AS DECIMAL(40, 0))) AS CHAR)");
        format!("SELECT COUNT(*), {}, {} FROM {from}", half("LEFT"), half("RIGHT"))
    }

    fn delete(&self, rows: &KeyedRows, condition: &str) -> String {
        let KeyedRows { path, joined, .. } = rows;
        format!("DELETE {path} FROM {joined} WHERE {condition}")
    }

    fn update(&self, rows: &KeyedRows, set: &str, condition: &str) -> String {
        format!("UPDATE {} SET {set} WHERE {condition}", rows.joined)
    }

    fn changes_unnamed_times(&self) -> bool {
        true
    }

    fn mark_table_query(&self) -> String {
        format!(
            "SELECT GROUP_CONCAT(LOWER(COLUMN_NAME) ORDER BY LOWER(COLUMN_NAME)), \
             GROUP_CONCAT(CASE WHEN COLUMN_KEY = 'PRI' THEN LOWER(COLUMN_NAME) END) \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = '{BATCH_TABLE}'"
        )
    }

    fn mark_table_types(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        (
            "varchar(64) CHARACTER SET ascii COLLATE ascii_bin",
            "varchar(255)",
            "datetime",
            " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4",
        )
    }

    fn grant_mark_table(&self, path: &str, _: String, user: &str) -> Vec<String> {
        vec![format!("GRANT CREATE, SELECT, INSERT, UPDATE ON {path} TO '{}'@'%'", user.replace('\'', "''"))]
    }
}

/// A value's bytes, so that two that differ give two digests.
fn bytes_of(column: &Column, name: &str) -> String {
    match column.class {
        Class::Bytes => name.to_owned(),
        Class::Other => format!("HEX({name})"),
        Class::Bit => format!("CAST({name} + 0 AS CHAR)"),
        // A FLOAT is shown with six digits, a DOUBLE with all.
        Class::Float => format!("CAST({name} + 0e0 AS CHAR)"),
        _ => format!("CAST({name} AS BINARY)"),
    }
}
