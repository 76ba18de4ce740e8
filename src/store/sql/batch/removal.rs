//! Makes rows ready to be removed or marked: what goes along, what fires, what the account cannot see. Reads only.

use super::archive::Archive;
use super::grants;
use super::rows::Rows;
use super::system_log;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::Cascade;
use crate::store::error::StoreFailure;
use crate::store::foreign_key::OnDelete;
use crate::store::holds::Holds;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::postgres;
use crate::store::sql::schema::effects::{self, Effects};
use crate::store::sql::schema::trigger::Event;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::settings::refuse_unfit_settings;
use crate::store::value::Cell;

impl Rows {
    /// The same rows, ready to be removed; with an archive, to be moved there. Without it nothing removes them.
    ///
    /// # Errors
    /// Something may be hidden from the account; a rule rewrites what is sent; a foreign key leads back to the table, or from it
    /// to the archive; the store does not take the statement.
    pub async fn removing(self, archive: Option<&Archive>, cascade: Cascade, holds: &Holds) -> Result<Self, StoreFailure> {
        let mut session = self.store.reading(&self.who).await?;
        let mut rows = self.seen(&mut session, archive, Event::Delete).await?;
        let found = effects::of_removal(&mut session, &rows.table).await?;
        rows.refuse_return(&found)?;
        rows.refuse_unreadable_children(&mut session, archive).await?;
        rows.see_blockers(&mut session, cascade).await?;
        if let Some(archive) = archive {
            refuse_archive_along(&rows, archive, &found)?;
            rows.notes.extend(notes(&rows, archive));
            rows.notes.extend(reused_ids(&mut session, &rows).await?);
        }
        rows.refuse_unidentified_along(&mut session, &found).await?;
        rows.effects = Some(with_archive(found, archive));
        rows.try_out(holds).await?;
        Ok(rows)
    }

    /// The same rows, ready to be marked.
    pub(crate) async fn seen_for_marking(self, session: &mut Session) -> Result<Self, StoreFailure> {
        let mut rows = self.seen(session, None, Event::Update).await?;
        let mut found = Effects::default();
        found.add_triggers(&rows.table.dependents.triggers, Event::Update, &rows.table.label());
        rows.effects = Some(found);
        Ok(rows)
    }

    async fn seen(mut self, session: &mut Session, archive: Option<&Archive>, event: Event) -> Result<Self, StoreFailure> {
        refuse_unfit_settings(session).await?;
        self.look_at_the_marks(session).await?;
        self.log = system_log::name(session).await?;
        let tables: Vec<_> = [Some(&self.table), archive.and_then(Archive::table)].into_iter().flatten().collect();
        let missing = session.dialect().hidden(session, &tables).await?;
        if !missing.is_empty() {
            return Err(self.hidden(&missing, archive));
        }
        self.table.refuse_rules(event)?;
        if self.dialect == Dialect::Postgres {
            let table = (self.table.schema.as_deref(), self.table.name.as_str());
            postgres::refuse_unidentified(session, [table], event).await?;
        }
        if let Some(table) = archive.and_then(Archive::table) {
            table.refuse_rules(Event::Insert)?;
        }
        Ok(self)
    }

    fn hidden(&self, missing: &[String], archive: Option<&Archive>) -> StoreFailure {
        StoreFailure::refused(
            codes::HIDDEN,
            format!(
                "this account may not see all that a removal from `{}` depends on; it lacks {}; nothing was touched",
                self.table.label(),
                missing.join("; ")
            ),
            format!("as an administrator:\n{};", self.grant_statements(archive).join(";\n")),
        )
    }

    /// Rows that are not due, or held, would go with those that are; and an archive would get rows that were changed before.
    fn refuse_return(&self, found: &Effects) -> Result<(), StoreFailure> {
        let Some((constraint, child)) = &found.returns_by else { return Ok(()) };
        let label = self.table.label();
        Err(StoreFailure::refused(
            codes::RETURNS,
            format!(
                "foreign key `{constraint}` of `{child}` leads back to `{label}` and removes or blanks: rows that are not due would go \
                 or change with those that are; nothing was touched"
            ),
            "declare that foreign key without ON DELETE CASCADE, SET NULL or SET DEFAULT; `cascade: allow` does not permit this",
        ))
    }

    /// What a foreign key removes or blanks along is published, too.
    async fn refuse_unidentified_along(&self, session: &mut Session, found: &Effects) -> Result<(), StoreFailure> {
        if self.dialect != Dialect::Postgres {
            return Ok(());
        }
        let (gone, blanked): (Vec<_>, Vec<_>) = found.along.iter().partition(|name| found.removed.contains(name));
        for (names, event) in [(gone, Event::Delete), (blanked, Event::Update)] {
            if !names.is_empty() {
                let names = names.iter().map(|name| (name.schema.as_deref(), name.table.as_str()));
                postgres::refuse_unidentified(session, names, event).await?;
            }
        }
        Ok(())
    }

    /// Children are counted in the survey: whether they can be is known before.
    async fn refuse_unreadable_children(&self, session: &mut Session, archive: Option<&Archive>) -> Result<(), StoreFailure> {
        for child in self.table.dependents.children.iter().filter(|child| child.on_delete != OnDelete::Refuse) {
            let path = self.dialect.path(child.schema.as_deref(), &child.table);
            if self.dialect == Dialect::Postgres {
                postgres::refuse_hidden_rows(session, child.schema.as_deref(), &child.table).await?;
            }
            if !grants::is_allowed(session, &format!("SELECT 1 FROM {path} WHERE 1 = 0")).await? {
                let what = format!("SELECT on {path}, whose rows would go or change along by foreign key `{}`", child.constraint);
                return Err(self.hidden(&[what], archive));
            }
        }
        Ok(())
    }
}

/// A copy that a foreign key would remove or change with its original proves nothing.
fn refuse_archive_along(rows: &Rows, archive: &Archive, found: &Effects) -> Result<(), StoreFailure> {
    let (schema, name) = archive.name();
    let is_archive = |along: &&DatasetName| along.schema.as_deref() == schema && along.table == name;
    let Some(along) = found.along.iter().find(is_archive) else { return Ok(()) };
    Err(StoreFailure::refused(
        codes::ARCHIVE_UNFIT,
        format!(
            "a foreign key removes or changes rows of archive `{along}` when rows of `{}` are removed; nothing is moved",
            rows.table.label()
        ),
        "take that foreign key off the archive: copies must not depend on their originals",
    ))
}

fn notes(rows: &Rows, archive: &Archive) -> Vec<(String, String)> {
    let Some(table) = archive.table() else { return vec![] };
    let arriving = table.dependents.triggers.iter().filter(|trigger| trigger.fires_on(Event::Insert));
    let note = |name: &str| (format!("trigger `{name}` fires when rows arrive in `{}`", table.label()), String::new());
    let also_unique = archive.also_unique(rows).map(|index| {
        let text = format!(
            "index `{}` keeps ({}) unique in archive `{}`: a row whose value an archived row had before can never follow it",
            index.name,
            index.columns.join(", "),
            table.label()
        );
        (text, "an archive needs its key to be unique, and nothing else: take that index off".to_owned())
    });
    arriving.map(|trigger| note(&trigger.name)).chain(also_unique).collect()
}

/// SQLite gives the largest id and one more; without AUTOINCREMENT that is an id that was archived, once the newest row is gone.
async fn reused_ids(session: &mut Session, rows: &Rows) -> Result<Option<(String, String)>, StoreFailure> {
    let [key] = rows.key.as_slice() else { return Ok(None) };
    let keeps_newest = rows.condition.as_ref().is_some_and(|condition| condition.to_lowercase().contains("max("));
    if rows.dialect != Dialect::Sqlite || keeps_newest || !key.declared.eq_ignore_ascii_case("integer") {
        return Ok(None);
    }
    let sql = "SELECT COUNT(*) FROM pragma_table_list(?1) l, pragma_table_xinfo(?1) k, sqlite_master m WHERE l.wr = 0 AND l.schema = 'main' \
               AND k.pk = 1 AND m.name = l.name AND m.type = 'table' AND m.sql NOT LIKE '%AUTOINCREMENT%'";
    if session.count(sql, &[Cell::Text(rows.table.name.clone())]).await? == 0 {
        return Ok(None);
    }
    let (table, name) = (&rows.table.name, &key.name);
    Ok(Some((
        format!(
            "`{}` gives the ids of archived rows again once its newest row is archived, and rows that share an id with an archived one \
             stay: its key is an INTEGER PRIMARY KEY without AUTOINCREMENT",
            rows.table.label()
        ),
        format!(
            "keep the newest row: where: \"{name} < (SELECT max({name}) FROM {table})\"; or declare the key with AUTOINCREMENT"
        ),
    )))
}

fn with_archive(mut found: Effects, archive: Option<&Archive>) -> Effects {
    if let Some(table) = archive.and_then(Archive::table) {
        found.add_triggers(&table.dependents.triggers, Event::Insert, &table.label());
    }
    found
}
