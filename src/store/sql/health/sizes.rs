//! What takes room in a store: its tables, and indexes that nobody reads.

use super::metrics::{Vital, makes_no_sense, one};
use super::slow_queries::not_kept;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

impl Store {
    /// The bytes of the largest table of the connection's own schema, indexes included; and the largest few.
    ///
    /// # Errors
    /// The store's own.
    pub async fn largest_table(&self, who: &str, samples: u32) -> Result<Vital, StoreFailure> {
        let mut session = self.reading(who).await?;
        let query = match session.dialect() {
            Dialect::Sqlite => {
                "SELECT SUM(s.pgsize), m.tbl_name FROM dbstat s JOIN sqlite_master m ON m.name = s.name WHERE m.tbl_name <> 'steward_batches' GROUP BY m.tbl_name ORDER BY 1 DESC, 2"
            }
            Dialect::Postgres => {
                // The sum over a partitioned table's parts; a part is no table of its own here.
                "SELECT (SELECT COALESCE(SUM(pg_total_relation_size(p.relid)), pg_total_relation_size(c.oid)) \
                 FROM pg_partition_tree(c.oid) p)::bigint, c.relname::text FROM pg_class c \
                 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition \
                 AND c.relname <> 'steward_batches' ORDER BY 1 DESC, 2"
            }
            Dialect::Mysql | Dialect::Mariadb => {
                "SELECT COALESCE(DATA_LENGTH + INDEX_LENGTH, 0), TABLE_NAME FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME <> 'steward_batches' ORDER BY 1 DESC, 2"
            }
        };
        if session.dialect() == Dialect::Mysql {
            // Else the numbers may be a day old.
            session.raw("SET SESSION information_schema_stats_expiry = 0").await?;
        }
        let rows = session.rows(query, &[]).await?;
        let shown = |row: &Vec<Cell>| format!("{}: {}", row[1].shown(), bytes(row[0].as_count()));
        Ok(Vital {
            value: rows.first().map_or(0, |row| row[0].as_count()),
            samples: rows.iter().take(samples as usize).map(shown).collect(),
            query: query.to_owned(),
            notes: vec![format!("{} tables", rows.len())],
            nothing_seen: rows.is_empty(),
            ..Vital::default()
        })
    }

    /// Indexes of the connection's own schema that no query has read since the statistics began, and that keep nothing unique.
    ///
    /// # Errors
    /// The store does not keep such statistics: with the way to have it do so.
    pub async fn unused_indexes(&self, who: &str, samples: u32) -> Result<Vital, StoreFailure> {
        let mut session = self.reading(who).await?;
        let (from, unused, name, since) = match session.dialect() {
            Dialect::Sqlite => return Err(makes_no_sense(self, "the use of indexes", "it keeps no statistics of it")),
            Dialect::Postgres => (
                "FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid \
                 WHERE s.schemaname = current_schema() AND NOT i.indisunique AND NOT i.indisreplident AND NOT i.indisexclusion",
                "s.idx_scan = 0",
                "s.relname::text || '.' || s.indexrelname::text",
                "SELECT COALESCE(stats_reset::text, 'the database was made') FROM pg_stat_database WHERE datname = current_database()",
            ),
            dialect => {
                if !one(&mut session, "SELECT @@GLOBAL.performance_schema").await?[0].as_flag() {
                    let way_out = "set performance_schema = ON under [mysqld] and restart the server";
                    return Err(not_kept(self.name(), "`performance_schema` is off", way_out));
                }
                let since = if dialect == Dialect::Mariadb {
                    "SELECT CONCAT('the server was started ', VARIABLE_VALUE, ' s ago') FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Uptime'"
                } else {
                    "SELECT CONCAT('the server was started ', VARIABLE_VALUE, ' s ago') FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime'"
                };
                (
                    "FROM performance_schema.table_io_waits_summary_by_index_usage u \
                     WHERE u.OBJECT_SCHEMA = DATABASE() AND u.INDEX_NAME IS NOT NULL AND u.INDEX_NAME IN (SELECT t.INDEX_NAME \
                     FROM information_schema.STATISTICS t WHERE t.TABLE_SCHEMA = u.OBJECT_SCHEMA AND t.TABLE_NAME = u.OBJECT_NAME AND t.NON_UNIQUE = 1)",
                    "u.COUNT_READ = 0",
                    "CONCAT(u.OBJECT_NAME, '.', u.INDEX_NAME)",
                    since,
                )
            }
        };
        let query = format!("SELECT COUNT(CASE WHEN {unused} THEN 1 END), COUNT(*) {from}");
        let row = one(&mut session, &query).await?;
        let names = session.rows(&format!("SELECT {name} {from} AND {unused} ORDER BY 1 LIMIT {samples}"), &[]).await?;
        let since = one(&mut session, since).await?[0].shown();
        Ok(Vital {
            value: row[0].as_count(),
            of: Some(row[1].as_count()),
            samples: names.iter().map(|row| row[0].shown()).collect(),
            query,
            notes: vec![format!("not read since {since}; a replica may read what this server does not")],
            nothing_seen: false,
        })
    }
}

/// Bytes as people read them.
#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn bytes(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.iter().find(|(_, size)| bytes as f64 >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size),
        None => format!("{bytes} B"),
    }
}
