//! Which materialized views stand on which, by PostgreSQL's catalogue; plain views in between are followed.

use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

/// Everything under a view, at any depth, as `(oid, kind)`: its rule names what it reads.
pub(crate) const UNDERNEATH: &str = "WITH RECURSIVE under(oid) AS (\
     SELECT $1::text::oid \
     UNION SELECT d.refobjid FROM under u JOIN pg_class v ON v.oid = u.oid AND v.relkind IN ('v', 'm') \
     JOIN pg_rewrite r ON r.ev_class = u.oid \
     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> u.oid)";

/// The places of these datasets such that each comes after those that it stands on; else in the order they came in.
///
/// A dataset that is no view, or is not there, stands on nothing. Stores other than PostgreSQL keep their order.
///
/// # Errors
/// The store is away.
pub async fn arrange(store: &Store, who: &str, datasets: &[&DatasetName]) -> Result<Vec<usize>, StoreFailure> {
    let mut places: Vec<usize> = (0..datasets.len()).collect();
    let mut session = store.reading(who).await?;
    if session.dialect() != Dialect::Postgres || datasets.len() < 2 {
        return Ok(places);
    }
    let mut oids = vec![];
    for dataset in datasets {
        oids.push(oid(&mut session, dataset).await?);
    }
    let mut below = vec![];
    for own in &oids {
        let under = match own {
            Some(own) => underneath(&mut session, own).await?,
            None => vec![],
        };
        below.push(oids.iter().flatten().filter(|other| under.contains(other)).count());
    }
    // Whatever stands on a view has all that is under it too, and itself: more of the job's views are under it.
    places.sort_by_key(|place| below[*place]);
    Ok(places)
}

async fn oid(session: &mut Session, dataset: &DatasetName) -> Result<Option<String>, StoreFailure> {
    let sql = "SELECT c.oid::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relname = $1::text AND n.nspname = COALESCE($2::text, current_schema()) AND c.relkind IN ('m', 'v', 'r', 'p')";
    let schema = Cell::text_or_null(dataset.schema.as_deref());
    let rows = session.rows(sql, &[Cell::Text(dataset.table.clone()), schema]).await?;
    Ok(rows.first().and_then(|row| row.first()).map(Cell::shown))
}

/// The oids of everything under a view, itself left out.
async fn underneath(session: &mut Session, own: &str) -> Result<Vec<String>, StoreFailure> {
    let sql = format!("{UNDERNEATH} SELECT oid::text FROM under WHERE oid <> $1::text::oid");
    Ok(session.rows(&sql, &[Cell::Text(own.to_owned())]).await?.iter().map(|row| row[0].shown()).collect())
}
