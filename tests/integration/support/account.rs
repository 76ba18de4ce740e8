//! An account with exactly the grants that `plan --sql` prints, and no other: what steward asks for must be enough.

use super::database::Database;
use super::engine::Engine;
use std::collections::BTreeSet;

/// An account of a database; gone with it.
#[derive(Debug)]
pub struct Account {
    pub name: String,
    url: String,
    given: BTreeSet<String>,
}

const PASSWORD: &str = "Least-Pr1v";

impl Account {
    /// Makes it on the database's server; it may do nothing yet.
    pub fn new(database: &Database) -> Self {
        // Dropped with the database, by its name.
        let name = format!("{}_u", database.name);
        let account = Self { url: database.url_as(&name, PASSWORD), name, given: BTreeSet::new() };
        database.admin(&match database.engine {
            Engine::Postgres => format!("CREATE ROLE {} LOGIN PASSWORD '{PASSWORD}'", account.name),
            _ => format!("CREATE USER '{}'@'%' IDENTIFIED BY '{PASSWORD}'", account.name),
        });
        account
    }

    /// Grants what these words of steward name; true when something of it is new.
    pub fn grant(&mut self, database: &Database, said: &str) -> bool {
        let to = match database.engine {
            Engine::Postgres => format!("\"{}\"", self.name),
            _ => format!("'{}'@'%'", self.name),
        };
        let mut is_new = false;
        for statement in said.lines().filter_map(for_an_administrator) {
            let statement = match statement.rsplit_once(" TO ") {
                Some((grant, _)) if statement.starts_with("GRANT ") => format!("{grant} TO {to}"),
                _ => statement.to_owned(),
            };
            if self.given.insert(statement.clone()) {
                database.sql(&statement);
                is_new = true;
            }
        }
        is_new
    }

    /// The database's URL for whoever logs in with it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A grant, wherever in the line it stands; or a table of steward's own, which must be there before rights on it can be granted.
fn for_an_administrator(line: &str) -> Option<&str> {
    let line = line.trim_end().trim_end_matches([';', '`']);
    if line.starts_with("CREATE TABLE ") && line.contains("steward_batches") {
        return Some(line);
    }
    // A sentence about grants is none.
    line.find("GRANT ").map(|at| &line[at..]).filter(|grant| grant.contains(" ON ") && grant.contains(" TO "))
}
