//! MySQL's and MariaDB's catalogue, read into a [`Table`].

use super::dialect::Mysql;
use super::privileges::Privileges;
use crate::diagnostic::codes;
use crate::store::clock::ClockKind;
use crate::store::error::StoreFailure;
use crate::store::foreign_key::{Child, OnDelete};
use crate::store::sql::dialect::Spelling;
use crate::store::sql::schema::dialect::SchemaDialect;
use crate::store::sql::schema::id_column::IdKind;
use crate::store::sql::schema::relatives::Relatives;
use crate::store::sql::schema::table::{Class, Column, Dependents, Index, Table};
use crate::store::sql::schema::trigger::{Event, Trigger};
use crate::store::sql::session::statements::{Answer, Statements};
use crate::store::value::Cell;

impl SchemaDialect for Mysql {
    fn instant(&self, utc: &str) -> String {
        format!("TIMESTAMP'{utc}'")
    }

    fn dated(&self, kind: &ClockKind, clock: &str) -> String {
        match kind {
            ClockKind::Epoch(_) => format!("(COALESCE({clock}, 0) <> 0)"),
            _ => format!("(COALESCE(YEAR({clock}) * MONTH({clock}) * DAYOFMONTH({clock}), 0) > 0)"),
        }
    }

    fn table_of<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Table>> {
        Box::pin(table(session, schema, name, self.is_mariadb))
    }

    fn tables<'a>(&'a self, session: &'a mut dyn Statements, schema: Option<&'a str>) -> Answer<'a, Vec<String>> {
        Box::pin(tables(session, schema))
    }

    fn dependents<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Dependents>> {
        Box::pin(dependents(session, schema, name, self.is_mariadb))
    }

    fn index_used<'a>(&'a self, session: &'a mut dyn Statements, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, Option<String>> {
        Box::pin(index_used(session, sql, binds, self.is_mariadb))
    }

    fn hidden<'a>(&'a self, session: &'a mut dyn Statements, tables: &'a [&'a Table]) -> Answer<'a, Vec<String>> {
        Box::pin(hidden(session, tables, self.is_mariadb))
    }

    fn own_schema(&self) -> Option<&'static str> {
        Some("SELECT DATABASE(), NULL")
    }

    fn locate(&self, schema: Option<&str>, table: &str) -> Option<(&'static str, Vec<Cell>)> {
        let (schema, table) = (Cell::text_or_null(schema), Cell::Text(table.to_owned()));
        Some((
            "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE NOT IN ('BASE TABLE', 'SYSTEM VERSIONED'), c.COLUMN_NAME, NULL \
             FROM information_schema.TABLES t LEFT JOIN information_schema.COLUMNS c \
             ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME \
             WHERE t.TABLE_SCHEMA = COALESCE(?, DATABASE()) AND t.TABLE_NAME = ? \
             AND CAST(t.TABLE_NAME AS BINARY) = CAST(? AS BINARY) ORDER BY c.ORDINAL_POSITION",
            vec![schema, table.clone(), table],
        ))
    }

    fn all_columns(&self) -> &'static str {
        "SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c \
         JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
         WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' AND c.TABLE_NAME <> 'steward_batches' \
         ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"
    }

    fn id_text(&self, kind: IdKind, value: &str) -> String {
        match kind {
            IdKind::Bytes => format!("CAST(LOWER(HEX({value})) AS BINARY)"),
            IdKind::Integer { .. } => format!("CAST({value} AS CHAR)"),
            IdKind::Uuid => format!("CAST(LOWER(CAST({value} AS CHAR)) AS BINARY)"),
            IdKind::Text => format!("CAST(CONVERT({value} USING utf8mb4) AS BINARY)"),
            IdKind::Dynamic | IdKind::Other => format!("CAST(CONVERT(CAST({value} AS CHAR) USING utf8mb4) AS BINARY)"),
        }
    }

    fn folded_id_text(&self, kind: IdKind, value: &str) -> String {
        match kind {
            IdKind::Text => format!("CAST(LOWER(CONVERT({value} USING utf8mb4)) AS BINARY)"),
            _ => self.id_text(kind, value),
        }
    }

    fn bare_id(&self, kind: IdKind, text: &str) -> String {
        match kind {
            IdKind::Integer { .. } => text.to_owned(),
            _ => format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)"),
        }
    }
}

/// A table by its exact name, or `None`; what is there and cannot be governed is refused.
async fn table(
    session: &mut dyn Statements,
    schema: Option<&str>,
    name: &str,
    is_mariadb: bool,
) -> Result<Option<Table>, StoreFailure> {
    let sql = "SELECT TABLE_SCHEMA, TABLE_TYPE, ENGINE, TABLE_ROWS FROM information_schema.TABLES \
               WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND CAST(TABLE_NAME AS BINARY) = CAST(? AS BINARY)";
    let binds = [Cell::text_or_null(schema), Cell::Text(name.to_owned()), Cell::Text(name.to_owned())];
    let Some(row) = session.rows(sql, &binds).await?.into_iter().next() else {
        return Ok(None);
    };
    let schema = row[0].shown();
    refuse_other_kinds(session.store(), &schema, name, &row[1].shown(), &row[2].shown())?;
    let at = [Cell::Text(schema.clone()), Cell::Text(name.to_owned())];
    let (indexes, prefix_keys) = indexes(session, &at).await?;
    Ok(Some(Table {
        store: session.store().to_owned(),
        schema: Some(schema),
        name: name.to_owned(),
        columns: columns(session, &at).await?,
        unique: indexes.iter().filter(|(_, unique)| *unique).map(|(index, _)| index.clone()).collect(),
        indexes: indexes.into_iter().map(|(index, _)| index).collect(),
        prefix_keys,
        unlogged: false,
        dependents: of_name(session, &at, is_mariadb).await?,
        estimate: (row[3] != Cell::Null).then(|| row[3].as_count()),
    }))
}

fn refuse_other_kinds(store: &str, schema: &str, name: &str, kind: &str, engine: &str) -> Result<(), StoreFailure> {
    let label = format!("{store}.{schema}.{name}");
    if !kind.contains("BASE TABLE") {
        let text = format!("`{label}` is a {}; nothing is moved from or to it", kind.to_lowercase());
        return Err(StoreFailure::refused(codes::TABLE_UNFIT, text, "name the table itself"));
    }
    if !matches!(engine.to_ascii_lowercase().as_str(), "innodb" | "rocksdb" | "ndbcluster") {
        let text = format!(
            "`{label}` uses the engine {engine}, which has no transactions: a stop in the middle would lose or double rows"
        );
        return Err(StoreFailure::refused(
            codes::TABLE_UNFIT,
            text,
            format!("ALTER TABLE {} ENGINE = InnoDB;", Mysql { is_mariadb: false }.path(Some(schema), name)),
        ));
    }
    Ok(())
}

async fn columns(session: &mut dyn Statements, at: &[Cell]) -> Result<Vec<Column>, StoreFailure> {
    let sql = "SELECT COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, EXTRA, COLUMN_DEFAULT IS NOT NULL FROM information_schema.COLUMNS \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";
    let rows = session.rows(sql, at).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let (declared, extra) = (row[1].shown(), row[4].shown().to_lowercase());
            Column {
                name: row[0].shown(),
                class: class(&row[2].shown(), &declared),
                nullable: row[3].as_flag(),
                generated: extra.contains("virtual generated") || extra.contains("stored generated"),
                has_default: row[5].as_flag() || extra.contains("auto_increment"),
                declared,
            }
        })
        .collect())
}

fn class(base: &str, declared: &str) -> Class {
    match base.to_ascii_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Class::Integer { unsigned: declared.contains("unsigned") },
        "decimal" => Class::Decimal,
        "float" | "double" => Class::Float,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Class::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Class::Bytes,
        "bit" => Class::Bit,
        "enum" | "set" => Class::Choice,
        "date" => Class::Date,
        "datetime" => Class::Naive,
        "timestamp" => Class::Zoned,
        "json" => Class::Json,
        _ => Class::Other,
    }
}

/// Indexes over whole columns, each with whether it is unique; and the names of unique ones that cover a column's beginning alone.
async fn indexes(session: &mut dyn Statements, at: &[Cell]) -> Result<(Vec<(Index, bool)>, Vec<String>), StoreFailure> {
    let sql = "SELECT INDEX_NAME, COLUMN_NAME, NON_UNIQUE, SUB_PART IS NOT NULL FROM information_schema.STATISTICS \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_TYPE = 'BTREE' ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX";
    let rows = session.rows(sql, at).await?;
    let mut found: Vec<(Index, bool, bool)> = vec![];
    let mut prefix_keys = vec![];
    for row in &rows {
        let name = row[0].shown();
        // An expression has no column name; a prefix covers only the beginning of its column.
        let plain = row[1] != Cell::Null && !row[3].as_flag();
        if row[3].as_flag() && !row[2].as_flag() {
            prefix_keys.push(name.clone());
        }
        match found.last_mut() {
            Some((index, _, all_plain)) if index.name == name => {
                index.columns.push(row[1].shown());
                *all_plain &= plain;
            }
            _ => {
                let primary = name == "PRIMARY";
                found.push((Index { name, columns: vec![row[1].shown()], primary }, !row[2].as_flag(), plain));
            }
        }
    }
    let whole = found.into_iter().filter(|(_, _, plain)| *plain).map(|(index, unique, _)| (index, unique)).collect();
    Ok((whole, prefix_keys))
}

/// What hangs on a table, whether or not it can be governed.
async fn dependents(
    session: &mut dyn Statements,
    schema: Option<&str>,
    name: &str,
    is_mariadb: bool,
) -> Result<Option<Dependents>, StoreFailure> {
    let own = session.rows("SELECT COALESCE(?, DATABASE())", &[Cell::text_or_null(schema)]).await?;
    let schema = own.first().and_then(|row| row.first()).map(Cell::shown).unwrap_or_default();
    of_name(session, &[Cell::Text(schema), Cell::Text(name.to_owned())], is_mariadb).await.map(Some)
}

async fn of_name(session: &mut dyn Statements, at: &[Cell], is_mariadb: bool) -> Result<Dependents, StoreFailure> {
    Ok(Dependents {
        children: children(session, at, is_mariadb).await?,
        triggers: triggers(session, at).await?,
        rules: vec![],
        relatives: Relatives::default(),
    })
}

/// True when this account is shown the foreign keys of every table, whatever its rights on them.
pub(crate) async fn shows_all_keys(session: &mut dyn Statements, is_mariadb: bool) -> Result<bool, StoreFailure> {
    let tables = if is_mariadb { "INNODB_SYS_FOREIGN" } else { "INNODB_FOREIGN" };
    match session.rows(&format!("SELECT 1 FROM information_schema.{tables} LIMIT 1"), &[]).await {
        Ok(_) => Ok(true),
        Err(StoreFailure::Refused { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Foreign keys that point at a table, from InnoDB's own list: the standard catalogue shows only those of tables on which the
/// account has rights. Without PROCESS the standard one is all there is; see [`crate::store::sql::schema::visibility`] for what follows.
async fn children(session: &mut dyn Statements, at: &[Cell], is_mariadb: bool) -> Result<Vec<Child>, StoreFailure> {
    let sql = if is_mariadb {
        // MariaDB writes the names as it writes file names: `ch@002d1`.
        let part = |name: &str, at: i8| {
            let encoded = format!("SUBSTRING_INDEX({name}, '/', {at})");
            format!("CONVERT(CAST(CAST({encoded} AS BINARY) AS CHAR CHARACTER SET filename) USING utf8mb4)")
        };
        innodb(
            ["INNODB_SYS_FOREIGN", "INNODB_SYS_FOREIGN_COLS"],
            [&part("f.FOR_NAME", 1), &part("f.FOR_NAME", -1)],
            &format!(
                "CAST({} AS BINARY) = CAST(? AS BINARY) AND CAST({} AS BINARY) = CAST(? AS BINARY)",
                part("f.REF_NAME", 1),
                part("f.REF_NAME", -1)
            ),
        )
    } else {
        innodb(
            ["INNODB_FOREIGN", "INNODB_FOREIGN_COLS"],
            ["SUBSTRING_INDEX(f.FOR_NAME, '/', 1)", "SUBSTRING(f.FOR_NAME, LOCATE('/', f.FOR_NAME) + 1)"],
            "CAST(f.REF_NAME AS BINARY) = CAST(CONCAT(?, '/', ?) AS BINARY)",
        )
    };
    let rows = match session.rows(&sql, at).await {
        Err(StoreFailure::Refused { .. }) => session.rows(STANDARD_KEYS, at).await?,
        other => other?,
    };
    let mut found: Vec<Child> = vec![];
    for row in &rows {
        let (schema, table, constraint) = (row[0].shown(), row[1].shown(), row[2].shown());
        match found.last_mut() {
            Some(child) if child.schema.as_ref() == Some(&schema) && child.table == table && child.constraint == constraint => {
                child.columns.push(row[4].shown());
                child.parent_columns.push(row[5].shown());
            }
            _ => found.push(Child {
                schema: Some(schema),
                table,
                constraint,
                on_delete: OnDelete::read(&row[3].shown()),
                columns: vec![row[4].shown()],
                parent_columns: vec![row[5].shown()],
            }),
        }
    }
    Ok(found)
}

/// The list's flags: 1 removes the child, 2 blanks its reference.
fn innodb([keys, columns]: [&str; 2], [schema, table]: [&str; 2], is_ours: &str) -> String {
    format!(
        "SELECT {schema}, {table}, SUBSTRING(f.ID, LOCATE('/', f.ID) + 1), \
         CASE WHEN f.TYPE & 1 THEN 'CASCADE' WHEN f.TYPE & 2 THEN 'SET NULL' ELSE 'RESTRICT' END, c.FOR_COL_NAME, c.REF_COL_NAME \
         FROM information_schema.{keys} f JOIN information_schema.{columns} c ON c.ID = f.ID WHERE {is_ours} ORDER BY f.ID, c.POS"
    )
}

const STANDARD_KEYS: &str = "SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, r.DELETE_RULE, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME \
     FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r \
     ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME \
     WHERE k.REFERENCED_TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME = ? \
     ORDER BY 1, 2, 3, k.ORDINAL_POSITION";

async fn triggers(session: &mut dyn Statements, at: &[Cell]) -> Result<Vec<Trigger>, StoreFailure> {
    let sql = "SELECT TRIGGER_NAME, EVENT_MANIPULATION FROM information_schema.TRIGGERS \
               WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY 1, 2";
    let trigger = |row: &Vec<Cell>| {
        let event =
            [Event::Insert, Event::Update, Event::Delete].into_iter().filter(|event| row[1].shown().contains(event.word()));
        Trigger { name: row[0].shown(), partition: None, events: event.collect() }
    };
    Ok(session.rows(sql, at).await?.iter().map(trigger).collect())
}

/// Tables that could have been meant.
async fn tables(session: &mut dyn Statements, schema: Option<&str>) -> Result<Vec<String>, StoreFailure> {
    let sql = "SELECT TABLE_NAME FROM information_schema.TABLES \
               WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1";
    let binds = [Cell::text_or_null(schema)];
    Ok(session.rows(sql, &binds).await?.iter().map(|row| row[0].shown()).collect())
}

/// Which index a query uses, by EXPLAIN; `None` when it reads the whole table.
async fn index_used(
    session: &mut dyn Statements,
    sql: &str,
    binds: &[Cell],
    is_mariadb: bool,
) -> Result<Option<String>, StoreFailure> {
    // MySQL 9 can be set to explain as a tree; MariaDB's table lacks the column `partitions`.
    let (format, key) = if is_mariadb { ("", 5) } else { ("FORMAT=TRADITIONAL ", 6) };
    let rows = session.rows(&format!("EXPLAIN {format}{sql}"), binds).await?;
    Ok(rows.first().and_then(|row| row.get(key)?.as_text().map(str::to_owned)))
}

/// The rights without which the catalog leaves out foreign keys, triggers or columns of these tables.
async fn hidden(session: &mut dyn Statements, tables: &[&Table], is_mariadb: bool) -> Result<Vec<String>, StoreFailure> {
    let privileges = Privileges::read(session, is_mariadb).await?;
    let mut missing = vec![];
    // MariaDB shows the rules of foreign keys by other rights than MySQL: there PROCESS alone is enough.
    let reads_all = !is_mariadb && privileges.allow_everywhere("SELECT") && privileges.are_whole();
    if !reads_all && !shows_all_keys(session, is_mariadb).await? {
        missing.push("PROCESS, without which foreign keys of other tables are hidden".to_owned());
    }
    for table in tables {
        let schema = table.schema.as_deref().unwrap_or_default();
        for (right, what) in [("SELECT", "columns"), ("TRIGGER", "triggers")] {
            if !privileges.allow(right, schema, &table.name) {
                missing.push(format!("{right} on `{}`, without which its {what} are hidden", table.label()));
            }
        }
    }
    Ok(missing)
}
