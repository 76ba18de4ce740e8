//! Whether an account sees all of a graph: outside the Community edition Neo4j hides what an account may not read, without an error.

use super::session::Reading;
use super::store::GraphStore;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;
use std::time::{Duration, Instant};

/// So long what was found is taken for granted.
const FRESH: Duration = Duration::from_secs(60);

/// One row of `SHOW USER PRIVILEGES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Privilege {
    /// `GRANTED` or `DENIED`.
    access: String,
    /// `match`, `read`, `traverse`, `access`, `write`, …
    action: String,
    /// `all_properties`, `property(email)`, `graph`, `database`.
    resource: String,
    /// The graph that it is about: its name, `*`, or a word for the home graph.
    graph: String,
    /// `NODE(*)`, `NODE(User)`, `RELATIONSHIP(*)`, or a pattern.
    segment: String,
}

/// What keeps the account from seeing all of a graph; none where it sees all.
pub(crate) fn lacks(privileges: &[Privilege], graph: &str) -> Option<String> {
    let here = |of: &&Privilege| {
        of.graph == "*" || of.graph.eq_ignore_ascii_case(graph) || ["DEFAULT", "HOME"].contains(&of.graph.as_str())
    };
    let looks = |of: &&Privilege| ["match", "read", "traverse"].contains(&of.action.to_lowercase().as_str());
    let (denied, granted): (Vec<_>, Vec<_>) =
        privileges.iter().filter(here).filter(looks).partition(|of| of.access.eq_ignore_ascii_case("DENIED"));
    if let Some(denied) = denied.first() {
        return Some(format!("{} is denied on {}", denied.action.to_uppercase(), denied.segment));
    }
    ["NODE(*)", "RELATIONSHIP(*)"].into_iter().find_map(|segment| {
        let has = |action: &str, whole: bool| {
            granted.iter().any(|of| {
                of.action.eq_ignore_ascii_case(action)
                    && of.segment.eq_ignore_ascii_case(segment)
                    && (!whole || of.resource.eq_ignore_ascii_case("all_properties"))
            })
        };
        let sees = has("match", true) || (has("traverse", false) && has("read", true));
        (!sees).then(|| format!("MATCH {{*}} is not granted on {segment}"))
    })
}

impl GraphStore {
    /// Refuses where the account may not see all of the graph: what is hidden would be taken for absent.
    ///
    /// # Errors
    /// That refusal; the store's own.
    pub(crate) async fn must_see_all(&self, session: &Reading) -> Result<(), StoreFailure> {
        let mut seen = self.seen().lock().await;
        if seen.is_some_and(|at: Instant| at.elapsed() < FRESH) {
            return Ok(());
        }
        let edition = "CALL dbms.components() YIELD edition RETURN edition AS c0 LIMIT 1";
        let edition =
            session.rows(edition, vec![]).await?.into_iter().flatten().next().map(|cell| cell.shown()).unwrap_or_default();
        if !edition.eq_ignore_ascii_case("community") {
            let graph = "CALL db.info() YIELD name RETURN name AS c0";
            let graph =
                session.rows(graph, vec![]).await?.into_iter().flatten().next().map(|cell| cell.shown()).unwrap_or_default();
            let asked = "SHOW USER PRIVILEGES YIELD access, action, resource, graph, segment \
                         RETURN access AS c0, action AS c1, resource AS c2, graph AS c3, segment AS c4";
            let privileges: Vec<Privilege> = session.rows(asked, vec![]).await?.iter().filter_map(|row| privilege(row)).collect();
            if let Some(why) = lacks(&privileges, &graph) {
                return Err(StoreFailure::refused(
                    codes::PARTIAL_SIGHT,
                    format!(
                        "the account `{}` does not see all of store `{}`: {why}; nothing was touched",
                        self.user(),
                        self.name()
                    ),
                    format!(
                        "GRANT MATCH {{*}} ON GRAPH {} ELEMENTS * TO role, and deny nothing of it",
                        super::identifier::quote(&graph)
                    ),
                ));
            }
        }
        *seen = Some(Instant::now());
        Ok(())
    }
}

fn privilege(row: &[Cell]) -> Option<Privilege> {
    let [access, action, resource, graph, segment] = row else { return None };
    let [access, action, resource, graph, segment] = [access, action, resource, graph, segment].map(Cell::shown);
    Some(Privilege { access, action, resource, graph, segment })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn privileges(rows: &[[&str; 5]]) -> Vec<Privilege> {
        rows.iter().filter_map(|row| privilege(&row.map(|text| Cell::Text(text.into())))).collect()
    }

    const NODES: [&str; 5] = ["GRANTED", "match", "all_properties", "*", "NODE(*)"];
    const RELATIONS: [&str; 5] = ["GRANTED", "match", "all_properties", "neo4j", "RELATIONSHIP(*)"];

    #[test]
    fn an_account_that_sees_all_of_a_graph_lacks_nothing() {
        assert_eq!(lacks(&privileges(&[NODES, RELATIONS]), "neo4j"), None);
        let apart = [
            ["GRANTED", "traverse", "graph", "neo4j", "NODE(*)"],
            ["GRANTED", "read", "all_properties", "neo4j", "NODE(*)"],
            RELATIONS,
            ["DENIED", "match", "all_properties", "other", "NODE(*)"],
            ["DENIED", "write", "graph", "neo4j", "NODE(*)"],
        ];
        assert_eq!(lacks(&privileges(&apart), "neo4j"), None);
    }

    #[test]
    fn whatever_is_denied_or_granted_in_part_hides_something() {
        for rows in [
            &[][..],
            &[NODES],
            &[["GRANTED", "match", "all_properties", "neo4j", "NODE(User)"], RELATIONS],
            &[["GRANTED", "match", "property(id)", "neo4j", "NODE(*)"], RELATIONS],
            &[["GRANTED", "traverse", "graph", "neo4j", "NODE(*)"], RELATIONS],
            &[["GRANTED", "match", "all_properties", "other", "NODE(*)"], RELATIONS],
            &[NODES, RELATIONS, ["DENIED", "read", "property(email)", "neo4j", "NODE(User)"]],
            &[NODES, RELATIONS, ["DENIED", "traverse", "graph", "*", "RELATIONSHIP(KNOWS)"]],
            &[NODES, RELATIONS, ["DENIED", "match", "all_properties", "DEFAULT", "FOR(n) WHERE n.tenant = 2"]],
        ] {
            assert!(lacks(&privileges(rows), "neo4j").is_some(), "{rows:?}");
        }
    }
}
