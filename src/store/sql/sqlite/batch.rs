//! What SQLite does in its own way about batches of rows.

use super::dialect::Sqlite;
use crate::store::batch_mark::BATCH_TABLE;
use crate::store::sql::batch::dialect::{BatchDialect, KeyedRows};
use crate::store::sql::dialect::Spelling;
use crate::store::sql::schema::table::Column;

impl BatchDialect for Sqlite {
    fn key_table(&self, name: &str, _: &str, select: &str) -> (String, String) {
        (format!("temp.{name}"), format!("CREATE TEMPORARY TABLE IF NOT EXISTS {name} AS {select}"))
    }

    fn rows_of_json(&self, columns: &[Column]) -> String {
        let values = columns.iter().enumerate().map(|(at, column)| {
            let value = format!(
                "CASE json_type(r.value, '$[{at}]') WHEN 'array' THEN unhex(json_extract(r.value, '$[{at}][0]')) \
                 WHEN 'object' THEN CAST(json_extract(r.value, '$[{at}].real') AS REAL) ELSE json_extract(r.value, '$[{at}]') END"
            );
            self.incoming(&value, column)
        });
        format!("SELECT {} FROM json_each(?) r", values.collect::<Vec<_>>().join(", "))
    }

    fn join_in_order(&self) -> &'static str {
        "CROSS JOIN"
    }

    fn lock_free_rows(&self, _: &str) -> String {
        String::new()
    }

    fn copies_query(&self, _: &[Column], names: &[String], from: &str) -> String {
        let quoted: Vec<_> = names.iter().map(|name| format!("quote({name})")).collect();
        format!("SELECT {} FROM {from}", quoted.join(", "))
    }

    fn copies_are_rows(&self) -> bool {
        true
    }

    fn delete(&self, rows: &KeyedRows, condition: &str) -> String {
        let KeyedRows { path, columns, keys, key_columns, .. } = rows;
        format!("DELETE FROM {path} WHERE ({columns}) IN (SELECT {key_columns} FROM {keys}) AND {condition}")
    }

    fn update(&self, rows: &KeyedRows, set: &str, condition: &str) -> String {
        let KeyedRows { path, columns, keys, key_columns, .. } = rows;
        format!("UPDATE {path} SET {set} WHERE ({columns}) IN (SELECT {key_columns} FROM {keys}) AND {condition}")
    }

    fn mark_table_query(&self) -> String {
        format!(
            "SELECT (SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info('{BATCH_TABLE}') ORDER BY name)), \
             (SELECT group_concat(name) FROM pragma_table_info('{BATCH_TABLE}') WHERE pk > 0)"
        )
    }

    fn mark_table_types(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("text", "text", "text", "")
    }

    fn grant_mark_table(&self, _: &str, _: String, _: &str) -> Vec<String> {
        vec![]
    }
}
