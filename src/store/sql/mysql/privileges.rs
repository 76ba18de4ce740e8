//! What MySQL and MariaDB say that an account may, read from `SHOW GRANTS`: their catalogues leave out what it may not see.

use crate::store::error::StoreFailure;
use crate::store::sql::session::statements::Statements;

/// The account's privileges, those of its active roles included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Privileges {
    grants: Vec<Grant>,
    /// Names of databases in grants are no patterns.
    literal: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    /// Taken away from what is granted on all databases.
    revokes: bool,
    /// Those that cover whole tables, in capitals.
    rights: Vec<String>,
    /// None is every database.
    schema: Option<String>,
    /// None is every table.
    table: Option<String>,
    grantee: String,
}

impl Privileges {
    /// Asks the server. It lists the privileges of active roles with the account's own.
    pub(crate) async fn read(session: &mut dyn Statements, is_mariadb: bool) -> Result<Self, StoreFailure> {
        let lines = session.rows("SHOW GRANTS", &[]).await?;
        let literal = if is_mariadb { vec![] } else { session.rows("SHOW VARIABLES LIKE 'partial\\_revokes'", &[]).await? };
        Ok(Self {
            grants: lines.iter().filter_map(|row| Grant::read(row.first()?.as_text()?)).collect(),
            literal: literal.first().and_then(|row| row.get(1)).is_some_and(|value| value.shown() == "ON"),
        })
    }

    /// True when the account surely has this right on the whole table. What cannot be read for certain does not count.
    pub(crate) fn allow(&self, right: &str, schema: &str, table: &str) -> bool {
        self.allow_everywhere(right) && !self.is_revoked(right, schema)
            || self.grants.iter().any(|grant| {
                let here = grant.schema.as_deref() == Some(schema) && grant.table.as_deref() == Some(table);
                here && grant.gives(right)
            })
            || self.allow_schema(right, schema)
    }

    /// True when it has the right on everything, apart from databases that it was taken away from.
    pub(crate) fn allow_everywhere(&self, right: &str) -> bool {
        self.grants.iter().any(|grant| !grant.revokes && grant.schema.is_none() && grant.gives(right))
    }

    /// True when nothing was taken away from what it has on everything.
    pub(crate) fn are_whole(&self) -> bool {
        !self.grants.iter().any(|grant| grant.revokes)
    }

    fn is_revoked(&self, right: &str, schema: &str) -> bool {
        self.grants.iter().any(|grant| grant.revokes && grant.gives(right) && grant.schema.as_deref() == Some(schema))
    }

    /// Of several patterns that match, the server goes by the most special one alone: only what all of them give is certain.
    fn allow_schema(&self, right: &str, schema: &str) -> bool {
        let mut grantees: Vec<&str> = self.grants.iter().map(|grant| grant.grantee.as_str()).collect();
        grantees.dedup();
        grantees.into_iter().any(|grantee| {
            let on_schemas = self
                .grants
                .iter()
                .filter(|grant| !grant.revokes && grant.grantee == grantee && grant.table.is_none() && grant.schema.is_some());
            let named =
                |grant: &&Grant| grant.schema.as_deref().is_some_and(|name| unescaped(name) == schema && !is_pattern(name));
            let exact: Vec<&Grant> = on_schemas.clone().filter(named).collect();
            if !exact.is_empty() {
                return exact.iter().any(|grant| grant.gives(right));
            }
            let matches = |grant: &&Grant| {
                grant.schema.as_deref().is_some_and(|name| if self.literal { name == schema } else { is_like(name, schema) })
            };
            let matching: Vec<&Grant> = on_schemas.filter(matches).collect();
            !matching.is_empty() && matching.iter().all(|grant| grant.gives(right))
        })
    }
}

impl Grant {
    /// Reads a line; none for a role, a procedure or a proxy.
    fn read(line: &str) -> Option<Self> {
        let (revokes, rest) = match line.strip_prefix("GRANT ") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("REVOKE ")?),
        };
        let (rights, rest) = split(rest, " ON ")?;
        let (object, rest) = split(rest, if revokes { " FROM " } else { " TO " })?;
        let (schema, table) = split(object, ".")?;
        let name = |text: &str| (text != "*").then(|| unquoted(text));
        Some(Self {
            revokes,
            rights: whole_rights(rights),
            schema: name(schema),
            table: name(table),
            grantee: split(rest, " ").map_or(rest, |(grantee, _)| grantee).to_owned(),
        })
    }

    fn gives(&self, right: &str) -> bool {
        self.rights.iter().any(|given| given == right || given == "ALL PRIVILEGES")
    }
}

/// Splits at the first separator outside of quotes and brackets.
fn split<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let (mut quote, mut depth) = (None, 0_u32);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '`' | '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && text[at..].starts_with(separator) => {
                return Some((&text[..at], &text[at + separator.len()..]));
            }
            _ => {}
        }
    }
    None
}

/// `SELECT, UPDATE (a, b)` without those that are for some columns alone.
fn whole_rights(text: &str) -> Vec<String> {
    let mut rights = vec![];
    let mut rest = text;
    loop {
        let (one, more) = split(rest, ",").unwrap_or((rest, ""));
        if !one.contains('(') {
            rights.push(one.trim().to_ascii_uppercase());
        }
        if more.is_empty() {
            return rights;
        }
        rest = more;
    }
}

fn unquoted(text: &str) -> String {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '`' | '"')) else { return text.to_owned() };
    let inside = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)).unwrap_or(text);
    inside.replace(&format!("{quote}{quote}"), &quote.to_string())
}

fn unescaped(pattern: &str) -> String {
    pattern.replace("\\_", "_").replace("\\%", "%")
}

fn is_pattern(name: &str) -> bool {
    name.replace("\\_", "").replace("\\%", "").contains(['_', '%'])
}

/// SQL's LIKE, with `\` before what stands for itself.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    let Some(first) = pattern.next() else { return text.is_empty() };
    let rest = pattern.as_str();
    let mut letters = text.chars();
    match first {
        '%' => is_like(rest, text) || letters.next().is_some_and(|_| is_like(&format!("%{rest}"), letters.as_str())),
        '_' => letters.next().is_some() && is_like(rest, letters.as_str()),
        '\\' => {
            let wanted = pattern.next();
            wanted.is_some() && letters.next() == wanted && is_like(pattern.as_str(), letters.as_str())
        }
        letter => letters.next() == Some(letter) && is_like(rest, letters.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn privileges(lines: &[&str]) -> Privileges {
        Privileges { grants: lines.iter().filter_map(|line| Grant::read(line)).collect(), literal: false }
    }

    #[test]
    fn a_right_counts_where_it_surely_covers_the_whole_table() {
        for lines in [
            &["GRANT TRIGGER ON *.* TO `u`@`%`"][..],
            &["GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`"],
            &[
                "GRANT SELECT, TRIGGER ON `shop`.`a ``b` TO `u`@`%` WITH GRANT OPTION",
                "GRANT SELECT (`id`, `x`), TRIGGER ON `shop`.`t` TO `u`@`%`",
            ],
            &["GRANT TRIGGER ON \"shop\".\"t\" TO \"u\"@\"%\""],
            &["GRANT TRIGGER ON `sh%`.* TO `u`@`%`"],
            &[
                "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*B6'",
                "GRANT `r` TO `u`@`%`",
                "GRANT TRIGGER ON `shop`.* TO `r`",
            ],
            &["GRANT TRIGGER ON *.* TO `u`@`%`", "REVOKE TRIGGER ON `other`.* FROM `u`@`%`"],
            &["GRANT SELECT ON `shop`.* TO `u`@`%`", "GRANT TRIGGER ON `shop`.* TO `r`"],
        ] {
            assert!(privileges(lines).allow("TRIGGER", "shop", "t"), "{lines:?}");
        }
    }

    #[test]
    fn a_right_that_is_taken_away_or_shadowed_or_for_some_columns_does_not_count() {
        for lines in [
            &["GRANT SELECT ON *.* TO `u`@`%`"][..],
            &["GRANT TRIGGER ON *.* TO `u`@`%`", "REVOKE TRIGGER ON `shop`.* FROM `u`@`%`"],
            &["GRANT TRIGGER ON `sh%`.* TO `u`@`%`", "GRANT SELECT ON `shop`.* TO `u`@`%`"],
            &["GRANT TRIGGER ON `sh%`.* TO `u`@`%`", "GRANT SELECT ON `s%`.* TO `u`@`%`"],
            &["GRANT TRIGGER ON `shop`.`u` TO `u`@`%`", "GRANT TRIGGER ON `sho\\_`.* TO `u`@`%`"],
            &["GRANT TRIGGER (`id`) ON `shop`.`t` TO `u`@`%`"],
            &["GRANT EXECUTE ON PROCEDURE `shop`.`TRIGGER` TO `u`@`%`"],
            &["nonsense", ""],
        ] {
            assert!(!privileges(lines).allow("TRIGGER", "shop", "t"), "{lines:?}");
        }
    }
}
