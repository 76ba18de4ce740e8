//! How MySQL and MariaDB write names and values.

use crate::policy::condition::Language;
use crate::store::sql::dialect::{Spelling, quoted};
use crate::store::sql::schema::table::{Class, Column};

/// MySQL, or MariaDB.
#[derive(Debug)]
pub struct Mysql {
    /// MariaDB has other names for a few things.
    pub is_mariadb: bool,
}

impl Spelling for Mysql {
    fn name(&self) -> &'static str {
        if self.is_mariadb { "MariaDB" } else { "MySQL" }
    }

    fn language(&self) -> Language {
        Language::Mysql
    }

    fn quote(&self, name: &str) -> String {
        quoted('`', name)
    }

    fn bind(&self, _: usize) -> String {
        "?".to_owned()
    }

    fn outgoing(&self, table: &str, column: &Column) -> String {
        let name = format!("{table}.{}", self.quote(&column.name));
        match column.class {
            Class::Bytes => format!("HEX({name})"),
            Class::Bit | Class::Choice => format!("CAST({name} + 0 AS CHAR)"),
            _ => format!("CAST({name} AS CHAR)"),
        }
    }

    fn incoming(&self, text: &str, column: &Column) -> String {
        match column.class {
            Class::Bytes => format!("UNHEX({text})"),
            // By way of a decimal: MySQL takes a bound text beyond 63 bits for the largest signed number.
            Class::Integer { unsigned: true } | Class::Bit => format!("CAST(CAST({text} AS DECIMAL(20)) AS UNSIGNED)"),
            Class::Choice => format!("CAST({text} AS UNSIGNED)"),
            Class::Integer { unsigned: false } => format!("CAST({text} AS SIGNED)"),
            Class::Decimal => {
                format!("CAST({text} AS {})", column.declared.replace("unsigned", "").replace("zerofill", "").trim())
            }
            Class::Date => format!("CAST({text} AS DATE)"),
            Class::Naive | Class::Zoned => format!("CAST({text} AS DATETIME(6))"),
            _ => text.to_owned(),
        }
    }

    fn same(&self, left: &str, right: &str, column: &Column) -> String {
        match column.class {
            Class::Json | Class::Text => format!("(CAST({left} AS BINARY) <=> CAST({right} AS BINARY))"),
            Class::Other => format!("(HEX({left}) <=> HEX({right}))"),
            _ => format!("({left} <=> {right})"),
        }
    }
}
