//! Row level security: policies that would leave rows out for this account.

use super::dialect::Postgres;
use super::effects::OID;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Spelling;
use crate::store::sql::session::statements::Statements;
use crate::store::value::Cell;

/// Refuses a table of which this account may not see every row. Sessions have `row_security` off, so that the server would
/// raise an error too; this says it before anything is read, with the policies.
pub(crate) async fn refuse_hidden_rows(
    session: &mut dyn Statements,
    schema: Option<&str>,
    name: &str,
) -> Result<(), StoreFailure> {
    let sql = format!(
        "SELECT (SELECT string_agg(polname::text, '`, `' ORDER BY polname) FROM pg_policy WHERE polrelid = found.oid::oid), current_user::text \
         FROM ({OID}) found WHERE row_security_active(found.oid::oid)"
    );
    let binds = [Cell::Text(name.to_owned()), Cell::text_or_null(schema)];
    let Some(row) = session.rows(&sql, &binds).await?.into_iter().next() else { return Ok(()) };
    let label: Vec<&str> = [Some(session.store()), schema, Some(name)].into_iter().flatten().collect();
    let policies =
        row[0].as_text().map_or_else(|| "row level security without a policy".to_owned(), |names| format!("policy `{names}`"));
    let user = Postgres.quote(&row[1].shown());
    Err(StoreFailure::refused(
        codes::ROWS_HIDDEN,
        format!("rows of `{}` may be hidden from this account by {policies}; nothing was counted or touched", label.join(".")),
        format!("as an administrator: ALTER ROLE {user} BYPASSRLS; or let it own the table, without FORCE ROW LEVEL SECURITY"),
    ))
}
