//! What the store's user must be allowed: as grants to be given, and as a question to the store whether it is.
//!
//! The store is asked by EXPLAIN, which every engine refuses to whoever could not run the statement itself; so roles,
//! defaults and grants at every level are the engine's own matter.

use super::archive::Archive;
use super::mark_grants;
use super::rows::Rows;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::Table;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::settings::refuse_unfit_settings;
use crate::store::sql::session::store::Store;

/// True for a relation `c` of `pg_class` that we may refresh and analyze: its owner may, and from PostgreSQL 17 on whoever was
/// granted MAINTAIN. The right has no name before, so nobody may be asked about it there.
pub(crate) const MAY_MAINTAIN: &str = "(pg_has_role(c.relowner, 'USAGE') OR CASE WHEN current_setting('server_version_num')::int >= 170000 \
     THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END)";

/// What is done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Use {
    /// Rows are removed from it, in batches that are locked first.
    pub removes: bool,
    /// Rows of it are marked in place, in batches that are locked first.
    pub marks: bool,
    /// Rows are copied into it.
    pub fills: bool,
    /// It is made when it is missing.
    pub makes: bool,
}

/// The grants that a table needs, each a statement for whoever administers the store. SQLite knows none.
pub fn grants(dialect: Dialect, schema: Option<&str>, name: &str, table: Use, user: &str) -> Vec<String> {
    let path = dialect.path(schema, name);
    let mut rights = vec!["SELECT"];
    let mut grants = vec![];
    match dialect {
        Dialect::Sqlite => {}
        Dialect::Postgres => {
            let user = dialect.quote(user);
            if let Some(schema) = schema {
                let make = if table.makes { "USAGE, CREATE" } else { "USAGE" };
                grants.push(format!("GRANT {make} ON SCHEMA {} TO {user}", dialect.quote(schema)));
            }
            // A row is locked before it goes, and PostgreSQL asks UPDATE for that.
            rights.extend(table.removes.then_some("UPDATE, DELETE"));
            rights.extend(table.marks.then_some("UPDATE"));
            rights.extend(table.fills.then_some("INSERT"));
            // Whoever makes a table owns it.
            if !table.makes {
                grants.push(format!("GRANT {} ON {path} TO {user}", rights.join(", ")));
            }
        }
        Dialect::Mysql | Dialect::Mariadb => {
            rights.extend(table.removes.then_some("DELETE"));
            rights.extend(table.marks.then_some("UPDATE"));
            rights.extend(table.fills.then_some("INSERT"));
            rights.extend(table.makes.then_some("CREATE, ALTER"));
            // Without it the catalogue shows no triggers.
            rights.extend((table.removes || table.marks || table.fills).then_some("TRIGGER"));
            let user = mysql_user(user);
            grants.push(format!("GRANT {} ON {path} TO {user}", rights.join(", ")));
            if let Some(schema) = schema.filter(|_| table.removes || table.marks) {
                grants.push(format!("GRANT CREATE TEMPORARY TABLES ON {}.* TO {user}", dialect.quote(schema)));
            }
        }
    }
    grants
}

/// The grants for reading a table that may be hidden from the account; none on SQLite.
pub fn grants_to_read(store: &Store, name: &DatasetName) -> Vec<String> {
    let Some(user) = store.user() else { return vec![] };
    grants(store.driver(), name.schema.as_deref(), &name.table, Use::default(), &user)
}

fn mysql_user(user: &str) -> String {
    format!("'{}'@'%'", user.replace('\'', "''"))
}

impl Rows {
    /// The grants for removing or marking these rows; with an archive, for moving them there. Begins with a comment.
    pub fn grants(&self, archive: Option<&Archive>) -> Vec<String> {
        let Some(user) = self.store.user() else {
            return vec![
                "-- SQLite knows no grants: the user that runs steward needs to write the file and its folder".to_owned(),
            ];
        };
        let about = "-- the grants that these need; where `audit_log.SYSTEM_LOG` exists, SELECT and INSERT on it too";
        std::iter::once(about.to_owned()).chain(self.grant_statements_for(&user, archive)).collect()
    }

    /// The same as statements alone.
    pub(crate) fn grant_statements(&self, archive: Option<&Archive>) -> Vec<String> {
        self.store.user().map_or_else(Vec::new, |user| self.grant_statements_for(&user, archive))
    }

    fn grant_statements_for(&self, user: &str, archive: Option<&Archive>) -> Vec<String> {
        let marks = !self.marks.is_empty();
        let removes = Use { removes: !marks, marks, ..Use::default() };
        let mut needed = vec![];
        needed.extend(grants(self.dialect, self.table.schema.as_deref(), &self.table.name, removes, user));
        if let Some(archive) = archive {
            let fills = Use { fills: true, makes: !archive.statements().is_empty(), ..Use::default() };
            let (schema, name) = archive.name();
            needed.extend(grants(self.dialect, schema, name, fills, user));
        }
        needed.extend(self.batch_table_grants(user));
        if self.dialect.is_mysql() {
            // Without it the catalogue hides foreign keys of tables that the account has no right on.
            needed.push(format!("GRANT PROCESS ON *.* TO {}", mysql_user(user)));
        }
        // Rows of these are counted: they go along, or keep the rows that they refer to.
        for child in &self.table.dependents.children {
            needed.extend(grants(self.dialect, child.schema.as_deref(), &child.table, Use::default(), user));
        }
        if let Some(log) = &self.log {
            let writes = Use { fills: true, ..Use::default() };
            needed.extend(grants(self.dialect, log.schema.as_deref(), &log.table, writes, user));
        }
        let mut seen = std::collections::HashSet::new();
        needed.retain(|grant| seen.insert(grant.clone()));
        needed
    }

    /// The grants for counting these rows.
    pub fn grants_to_look(&self) -> Vec<String> {
        let user = self.store.user().unwrap_or_default();
        grants(self.dialect, self.table.schema.as_deref(), &self.table.name, Use::default(), &user)
    }
}

impl Store {
    /// Refuses a store that takes no writes, or in which settings that are not ours would have a removal do something else.
    ///
    /// # Errors
    /// It is so, and why; the store is away.
    pub async fn refuse_unfit(&self, who: &str) -> Result<(), StoreFailure> {
        refuse_unfit_settings(&mut self.reading(who).await?).await
    }

    /// The rights on a dataset that the store's user lacks, in words; empty when nothing is missing. Changes nothing.
    ///
    /// # Errors
    /// The store went away, or the dataset is not there and nobody said that it may be made.
    pub async fn lacks(&self, dataset: &DatasetName, used: Use) -> Result<Vec<String>, StoreFailure> {
        let mut session = self.locking("doctor").await?;
        let table = match catalog::find(&mut session, dataset).await? {
            Some(table) => table,
            None if used.makes => return Ok(vec![]),
            None => return Err(catalog::must_find(&mut session, dataset).await.err().unwrap_or_else(|| gone(dataset))),
        };
        let mut missing = vec![];
        for (right, sql) in questions(session.dialect(), &table, used) {
            if !is_allowed(&mut session, &sql).await? {
                missing.push(format!("{right} on `{}`", table.label()));
            }
        }
        if used.removes || used.marks || used.fills {
            missing.extend(session.dialect().hidden(&mut session, &[&table]).await?);
        }
        if (used.removes || used.marks) && !may_make_temporary(&mut session, &table).await? {
            missing.push("temporary tables".to_owned());
        }
        Ok(missing)
    }
}

impl Store {
    /// The rights without which batches of a dataset leave no mark; empty when nothing is missing. Reads only.
    ///
    /// # Errors
    /// The store went away.
    pub async fn lacks_marks(&self, dataset: &DatasetName) -> Result<Vec<String>, StoreFailure> {
        let mut session = self.reading("doctor").await?;
        match catalog::find(&mut session, dataset).await? {
            Some(table) => mark_grants::missing(&mut session, table.schema.as_deref()).await,
            None => Ok(vec![]),
        }
    }
}

fn gone(dataset: &DatasetName) -> StoreFailure {
    StoreFailure::Away { store: dataset.store.clone(), text: format!("`{dataset}` was there and is gone") }
}

/// Statements that nobody runs: EXPLAIN says whether one could.
fn questions(dialect: Dialect, table: &Table, used: Use) -> Vec<(&'static str, String)> {
    let path = dialect.table(table);
    let mut questions = vec![("SELECT", format!("SELECT 1 FROM {path} WHERE 1 = 0"))];
    if used.removes {
        questions.push(("DELETE", format!("DELETE FROM {path} WHERE 1 = 0")));
        if dialect == Dialect::Postgres {
            questions.push(("UPDATE", format!("SELECT 1 FROM {path} WHERE 1 = 0 FOR UPDATE")));
        }
    }
    if used.marks {
        let column = table.columns.iter().find(|column| !column.generated).map(|column| dialect.quote(&column.name));
        questions.extend(column.map(|column| ("UPDATE", format!("UPDATE {path} SET {column} = {column} WHERE 1 = 0"))));
    }
    if used.fills {
        let names = table.columns.iter().filter(|column| !column.generated).map(|column| dialect.quote(&column.name));
        let names = names.collect::<Vec<_>>().join(", ");
        let overriding = if dialect == Dialect::Postgres { " OVERRIDING SYSTEM VALUE" } else { "" };
        questions.push(("INSERT", format!("INSERT INTO {path} ({names}){overriding} SELECT {names} FROM {path} WHERE 1 = 0")));
    }
    questions
}

pub(crate) async fn is_allowed(session: &mut Session, sql: &str) -> Result<bool, StoreFailure> {
    if session.dialect() == Dialect::Sqlite {
        return Ok(true);
    }
    match session.rows(&format!("EXPLAIN {sql}"), &[]).await {
        Ok(_) => Ok(true),
        Err(StoreFailure::Refused { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

async fn may_make_temporary(session: &mut Session, table: &Table) -> Result<bool, StoreFailure> {
    match session.dialect() {
        Dialect::Sqlite => Ok(true),
        Dialect::Postgres => {
            let sql = "SELECT has_database_privilege(current_database(), 'TEMPORARY')";
            Ok(session.rows(sql, &[]).await?.first().and_then(|row| row.first()).is_some_and(crate::store::value::Cell::as_flag))
        }
        // Nobody can be asked; the table is this connection's own and gone at once.
        Dialect::Mysql | Dialect::Mariadb => {
            let path = session.dialect().path(table.schema.as_deref(), "steward_doctor");
            match session.raw(&format!("CREATE TEMPORARY TABLE {path} (id int PRIMARY KEY)")).await {
                Ok(()) => session.raw(&format!("DROP TEMPORARY TABLE {path}")).await.map(|()| true),
                Err(StoreFailure::Refused { .. }) => Ok(false),
                Err(other) => Err(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_spelt_in_each_dialect_and_a_hostile_name_stays_a_name() {
        let remove = Use { removes: true, ..Use::default() };
        assert_eq!(
            grants(Dialect::Postgres, Some("public"), "orders", remove, "st\"eward"),
            [
                "GRANT USAGE ON SCHEMA \"public\" TO \"st\"\"eward\"",
                "GRANT SELECT, UPDATE, DELETE ON \"public\".\"orders\" TO \"st\"\"eward\""
            ]
        );
        assert_eq!(
            grants(Dialect::Mysql, Some("jobfirst"), "users", remove, "steward"),
            [
                "GRANT SELECT, DELETE, TRIGGER ON `jobfirst`.`users` TO 'steward'@'%'",
                "GRANT CREATE TEMPORARY TABLES ON `jobfirst`.* TO 'steward'@'%'"
            ]
        );
        let make = Use { fills: true, makes: true, ..Use::default() };
        assert_eq!(
            grants(Dialect::Postgres, Some("archive"), "a", make, "s"),
            ["GRANT USAGE, CREATE ON SCHEMA \"archive\" TO \"s\""]
        );
        assert_eq!(grants(Dialect::Sqlite, None, "a", remove, "s"), Vec::<String>::new());
    }
}
