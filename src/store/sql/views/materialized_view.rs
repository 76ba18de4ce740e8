//! A materialized view of PostgreSQL: what may be done with it, and doing it.

use super::order::UNDERNEATH;
use super::unique_index;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::refresh::{Patience, Refreshed};
use crate::store::sql::batch::grants::MAY_MAINTAIN;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::read_only::refuse_read_only;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;
use std::time::Instant;

/// A materialized view that we may refresh.
#[derive(Debug, Clone)]
pub struct MaterializedView {
    store: Store,
    who: String,
    oid: String,
    path: String,
    label: String,
    populated: bool,
    concurrently: bool,
    next: Next,
}

/// What the next run will do, as far as a view that is filled for the first time lets us know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The same, or what is better for its readers.
    Goes,
    /// Let its readers wait.
    Waits,
    /// Refuse it.
    Refuses,
}

/// What the catalogue says of it.
struct Found {
    oid: String,
    schema: String,
    kind: String,
    populated: bool,
    allowed: bool,
    unique: bool,
}

impl MaterializedView {
    /// Finds it and decides how it is refreshed: concurrently where a unique index allows it. Touches nothing.
    ///
    /// A view that was never filled is filled plainly, since nobody can read it anyway.
    ///
    /// # Errors
    /// It is not there, or something else; the right is missing; `concurrently` is wanted and no index allows it.
    pub async fn prepare(store: &Store, who: &str, dataset: &DatasetName, concurrently: bool) -> Result<Self, StoreFailure> {
        let mut session = store.reading(who).await?;
        let dialect = session.dialect();
        if dialect != Dialect::Postgres {
            let text =
                format!("`{dataset}` is in a {} store, which has no materialized views; nothing was refreshed", dialect.name());
            return Err(StoreFailure::refused(codes::VIEW_UNFIT, text, "write the `statement` that fills it as a summary table"));
        }
        let Some(found) = look(&mut session, dataset).await? else { return Err(not_there(&mut session, dataset).await?) };
        let path = dialect.path(Some(&found.schema), &dataset.table);
        refuse_other_kinds(dataset, &found.kind)?;
        refuse_read_only(&mut session).await?;
        if !found.allowed {
            let user = dialect.quote(&store.user().unwrap_or_default());
            return Err(StoreFailure::refused(
                codes::DENIED,
                format!(
                    "materialized view `{dataset}` belongs to another owner, and only its owner may refresh it; nothing was refreshed"
                ),
                format!(
                    "ALTER MATERIALIZED VIEW {path} OWNER TO {user}; or from PostgreSQL 17 on: GRANT MAINTAIN ON {path} TO {user};"
                ),
            ));
        }
        if concurrently && found.populated && !found.unique {
            return Err(no_index(&mut session, &dataset.to_string(), &found.oid, &path).await);
        }
        Ok(Self {
            store: store.clone(),
            who: who.to_owned(),
            label: dataset.to_string(),
            concurrently: found.unique && found.populated,
            next: match (found.unique, concurrently) {
                (true, _) => Next::Goes,
                (false, false) => Next::Waits,
                (false, true) => Next::Refuses,
            },
            populated: found.populated,
            oid: found.oid,
            path,
        })
    }

    /// What a person should know before it runs.
    pub fn notes(&self) -> Vec<(String, String)> {
        let waits =
            format!("`{}` has no unique index over plain columns: whoever reads it waits while it is refreshed", self.label);
        let filled = format!("`{}` was never filled, so nobody can read it yet: it is filled plainly", self.label);
        let said = match (self.populated, self.next) {
            (false, Next::Goes) => (filled, String::new()),
            (false, Next::Waits) => (format!("{filled}. {waits} from then on"), String::new()),
            (false, Next::Refuses) => (
                format!("{filled}, this once. The next run will refuse it: {}", unindexed(&self.label)),
                way_out(&self.path, None),
            ),
            (true, _) if !self.concurrently => (waits, String::new()),
            (true, _) => return vec![],
        };
        vec![said]
    }

    /// The statement, which goes alone.
    pub fn statement(&self) -> String {
        format!("REFRESH MATERIALIZED VIEW {}{}", if self.concurrently { "CONCURRENTLY " } else { "" }, self.path)
    }

    /// Who may send it, for whoever administers the store.
    pub fn grants(&self) -> Vec<String> {
        vec![format!("-- the owner of {} may, and from PostgreSQL 17 on whoever has MAINTAIN on it", self.path)]
    }

    /// The query that counts its rows again.
    pub fn query(&self) -> String {
        format!("SELECT COUNT(*) FROM {}", self.path)
    }

    /// What the store's statistics say of everything underneath, in numbers: changed rows, files, definitions. `None` where
    /// they cannot say, as for foreign tables, or where the view was never filled.
    ///
    /// # Errors
    /// The store's own.
    pub async fn underneath(&self) -> Result<Option<String>, StoreFailure> {
        if !self.populated {
            return Ok(None);
        }
        // TRUNCATE and rewrites change a table's file and no counter; a view that is replaced changes its rule.
        let sql = format!(
            "{UNDERNEATH}, leaves(oid) AS (SELECT u.oid FROM under u WHERE u.oid <> $1::text::oid \
             UNION SELECT t.relid::oid FROM under u JOIN pg_class p ON p.oid = u.oid AND p.relkind = 'p', pg_partition_tree(p.oid) t) \
             SELECT COUNT(*) FILTER (WHERE c.relkind = 'f'), COUNT(*), \
             COALESCE(SUM(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0)::text, \
             COALESCE(SUM(pg_relation_filenode(c.oid)::bigint), 0)::text, \
             (SELECT COALESCE(SUM(r.xmin::text::bigint), 0)::text FROM under u JOIN pg_rewrite r ON r.ev_class = u.oid) \
             FROM leaves l JOIN pg_class c ON c.oid = l.oid LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid"
        );
        let rows = self.store.reading(&self.who).await?.rows(&sql, &[Cell::Text(self.oid.clone())]).await?;
        let Some(row) = rows.first().filter(|row| row[0].as_count() == 0 && row[1].as_count() > 0) else { return Ok(None) };
        let numbers: Vec<String> = row[1..].iter().map(Cell::shown).collect();
        Ok(Some(format!("{} {}", self.oid, numbers.join(" "))))
    }

    /// Refreshes it, in a session of its own. Cut short it is as it was.
    ///
    /// # Errors
    /// Busy: a lock was not to be had in time. Failed: it took too long, or the store refused it.
    pub async fn refresh(&self, patience: Patience) -> Result<Refreshed, StoreFailure> {
        let mut session = self.store.patient(&self.who, patience.lock, patience.statement).await?;
        // Whether its rows can be counted or not, it is refreshed.
        let before = if self.populated { session.count(&self.query(), &[]).await.ok() } else { None };
        let began = Instant::now();
        session.raw(&self.statement()).await.map_err(|failure| self.too_long(failure, began, patience))?;
        let took = began.elapsed();
        // Done is done, whether its rows can be counted or not.
        let after = session.count(&self.query(), &[]).await.ok();
        let how = match (self.populated, self.concurrently) {
            (false, _) => "for the first time",
            (true, true) => "concurrently",
            (true, false) => "while its readers waited",
        };
        Ok(Refreshed { how: how.to_owned(), took, before, after })
    }

    /// What took the whole time limit would take it again at once: no use trying again.
    fn too_long(&self, failure: StoreFailure, began: Instant, patience: Patience) -> StoreFailure {
        if !failure.is_temporary() || began.elapsed() < patience.statement {
            return failure;
        }
        let text = format!(
            "`{}` was not refreshed within {} s and is as it was; `statement_timeout` sets the limit",
            self.label,
            patience.statement.as_secs()
        );
        StoreFailure::Failed { store: self.store.name().to_owned(), text }
    }
}

async fn look(session: &mut Session, dataset: &DatasetName) -> Result<Option<Found>, StoreFailure> {
    let sql = format!(
        "SELECT c.oid::text, n.nspname::text, c.relkind::text, c.relispopulated, \
               {MAY_MAINTAIN}, \
               EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate \
               AND x.indpred IS NULL AND x.indexprs IS NULL) \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relname = $1::text AND n.nspname = COALESCE($2::text, current_schema()) AND c.relkind IN ('m', 'v', 'r', 'p', 'f')"
    );
    let schema = Cell::text_or_null(dataset.schema.as_deref());
    let rows = session.rows(&sql, &[Cell::Text(dataset.table.clone()), schema]).await?;
    Ok(rows.first().map(|row| Found {
        oid: row[0].shown(),
        schema: row[1].shown(),
        kind: row[2].shown(),
        populated: row[3].as_flag(),
        allowed: row[4].as_flag(),
        unique: row[5].as_flag(),
    }))
}

fn refuse_other_kinds(dataset: &DatasetName, kind: &str) -> Result<(), StoreFailure> {
    let what = match kind {
        "m" => return Ok(()),
        "v" => "a plain view, which is always fresh",
        "f" => "a foreign table",
        _ => "a table",
    };
    Err(StoreFailure::refused(
        codes::VIEW_UNFIT,
        format!("`{dataset}` is {what}, not a materialized view; nothing was refreshed"),
        "name a materialized view, or write the `statement` that fills a summary table",
    ))
}

async fn not_there(session: &mut Session, dataset: &DatasetName) -> Result<StoreFailure, StoreFailure> {
    let sql = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = COALESCE($1::text, current_schema()) AND c.relkind = 'm' ORDER BY 1 LIMIT 12";
    let names = session.rows(sql, &[Cell::text_or_null(dataset.schema.as_deref())]).await?;
    let names: Vec<String> = names.iter().map(|row| format!("`{}`", row[0].shown())).collect();
    let help = if names.is_empty() {
        "the schema has no materialized views, or does not exist".to_owned()
    } else {
        format!("it has: {}", names.join(", "))
    };
    Ok(StoreFailure::refused(codes::NOT_THERE, format!("there is no materialized view `{dataset}`"), help))
}

/// What it lacks, in the words of the refusal and of the warning that comes before it.
fn unindexed(label: &str) -> String {
    format!("materialized view `{label}` has no unique index over plain columns, so it cannot be refreshed while others read it")
}

/// The index that would help, over columns that are known to do or over those that a person chooses.
fn way_out(path: &str, columns: Option<&str>) -> String {
    let index = match columns {
        Some(columns) => {
            format!("all its rows differ in these columns now; if they always will: CREATE UNIQUE INDEX ON {path} ({columns});")
        }
        None => format!("over columns in which its rows always differ, for you to choose: CREATE UNIQUE INDEX ON {path} (…);"),
    };
    format!("{index} or write `concurrently: false`, and its readers wait")
}

async fn no_index(session: &mut Session, label: &str, oid: &str, path: &str) -> StoreFailure {
    // Who may refresh a view need not be allowed to read it; then the columns are for a person to choose.
    let columns = unique_index::columns(session, oid, path).await.ok().flatten();
    StoreFailure::refused(
        codes::VIEW_UNFIT,
        format!("{}; nothing was refreshed", unindexed(label)),
        way_out(path, columns.as_deref()),
    )
}
