//! Where the tables that declarations name really are.

use crate::action::context::Context;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::policy::expiry::Expiring;
use crate::policy::hold::{Hold, HoldOrigin};
use crate::policy::policies::Policies;
use crate::store::error::StoreFailure;
use crate::store::neo4j::store::GraphStore;
use crate::store::registry::{AnyStore, Stores};
use crate::store::sql::batch::grants;
use crate::store::sql::schema::table_location::{Located, Share};
use std::collections::{BTreeMap, BTreeSet};

/// The tables that declarations name, in the stores that may lead to one database.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// The database in question; empty where it has no tables.
    database: String,
    /// Every name that was looked for; none for what is not there.
    found: BTreeMap<DatasetName, Option<Located>>,
    /// Which database a store leads to, where it answered.
    databases: BTreeMap<String, String>,
    /// Names of stores that have no tables: they are compared by their names alone.
    others: BTreeSet<DatasetName>,
}

impl Places {
    /// Looks for every declared name in the dataset's own store, and in others of the same kind that may be the same database.
    ///
    /// # Errors
    /// A store that must be asked is away.
    pub(super) async fn find(cx: &Context, dataset: &DatasetName) -> Result<Self, StoreFailure> {
        let mut names = declared(&cx.policies, &cx.all_holds());
        names.insert(dataset.clone());
        if !matches!(cx.stores.any(&dataset.store)?, AnyStore::Tables(_)) {
            refuse_unknown_labels(cx, dataset).await?;
            return Ok(Self { others: names, ..Self::default() });
        }
        let mut places = Self::default();
        let stores: BTreeSet<String> = names.iter().map(|name| name.store.clone()).collect();
        for name in stores {
            let of_store: Vec<&DatasetName> = names.iter().filter(|one| one.store == name).collect();
            match places.look(cx, &dataset.store, &name, &of_store).await {
                Ok(true) => {}
                Ok(false) => places.others.extend(of_store.into_iter().cloned()),
                // Another address that gives no answer, or refuses us, is another server; the same address would have answered.
                Err(_) if name != dataset.store && !cx.stores.are_at_one_address(&name, &dataset.store) => {
                    places.others.extend(of_store.into_iter().cloned());
                }
                Err(failure) => return Err(failure),
            }
        }
        places.database = places.databases.get(&dataset.store).cloned().unwrap_or_default();
        Ok(places)
    }

    /// The same places, with another dataset of the same store: what a foreign key leads to was declared by nobody.
    ///
    /// # Errors
    /// The store is away.
    pub(super) async fn with(mut self, cx: &Context, dataset: &DatasetName) -> Result<Self, StoreFailure> {
        if !self.others.contains(dataset) && !self.found.contains_key(dataset) {
            if matches!(cx.stores.any(&dataset.store)?, AnyStore::Tables(_)) {
                self.look(cx, &dataset.store, &dataset.store, &[dataset]).await?;
            } else {
                self.others.insert(dataset.clone());
            }
        }
        Ok(self)
    }

    /// Looks in one store; false for one that cannot be the same database.
    async fn look(&mut self, cx: &Context, own: &str, store: &str, names: &[&DatasetName]) -> Result<bool, StoreFailure> {
        if !cx.stores.speak_alike(own, store) {
            return Ok(false);
        }
        let store = cx.stores.get(store)?;
        let (database, found) = store.locate(&cx.application_name(), names).await?;
        self.found.extend(names.iter().map(|name| (*name).clone()).zip(found));
        self.databases.insert(store.name().to_owned(), database);
        Ok(true)
    }

    /// Every name that was looked for.
    pub(super) fn names(&self) -> impl Iterator<Item = &DatasetName> {
        self.found.keys().chain(&self.others)
    }

    /// Which rows of `other` a name is about: by where both are, else by their names.
    pub(super) fn share(&self, name: &DatasetName, other: &DatasetName) -> Share {
        let located = |name| self.found.get(name).and_then(Option::as_ref);
        let by_place = match (located(name), located(other)) {
            (Some(one), Some(other)) => one.share_of(other),
            _ => Share::None,
        };
        if by_place == Share::None && name.may_be(other) { Share::All } else { by_place }
    }

    /// Refuses where a hold, a tag or a minimum of this database names what is not there.
    ///
    /// A table that is not there may be meant to be this one; a column that is not there is one of the table that was named.
    pub(super) fn refuse_missing(&self, cx: &Context, dataset: &DatasetName) -> Result<(), StoreFailure> {
        let here = |name: &DatasetName| self.databases.get(&name.store) == Some(&self.database);
        let is_there = |name: &DatasetName| self.found.get(name).is_some_and(Option::is_some);
        let concerns = |about: &About<'_>| {
            about.keeps
                && here(about.dataset)
                && (about.field.is_none() || !is_there(about.dataset) || self.share(about.dataset, dataset) != Share::None)
        };
        let holds = cx.all_holds();
        let abouts: Vec<About<'_>> = abouts(&cx.policies, &holds).into_iter().filter(concerns).collect();
        let missing: BTreeSet<&DatasetName> = abouts
            .iter()
            .map(|about| about.dataset)
            .filter(|name| !is_there(name) && !will_be_made(&cx.policies, name))
            .collect();
        for about in &abouts {
            let located = self.found.get(about.dataset).and_then(Option::as_ref);
            about.refuse_missing(&cx.policies, &grants(&cx.stores, &missing), located)?;
        }
        Ok(())
    }
}

/// The same for the labels of a graph, as far as holds and minimums go by them.
async fn refuse_unknown_labels(cx: &Context, dataset: &DatasetName) -> Result<(), StoreFailure> {
    let Ok(AnyStore::Graph(store)) = cx.stores.any(&dataset.store) else { return Ok(()) };
    let holds = cx.all_holds();
    for about in abouts(&cx.policies, &holds).iter().filter(|about| about.field.is_none()) {
        if cx.stores.are_at_one_address(&about.dataset.store, &dataset.store) {
            about.refuse_unknown_label(store, &cx.application_name()).await?;
        }
    }
    Ok(())
}

/// Everything that must be there for a declaration to mean anything.
struct About<'a> {
    what: String,
    dataset: &'a DatasetName,
    field: Option<&'a str>,
    /// A hold in the ledger alone: no file to correct.
    release: Option<&'a str>,
    /// It keeps rows from being removed.
    keeps: bool,
}

fn abouts<'a>(policies: &'a Policies, holds: &'a [Hold]) -> Vec<About<'a>> {
    let holds = holds.iter().map(|hold| About {
        what: format!("hold `{}`", hold.name),
        dataset: &hold.dataset,
        field: None,
        release: (!matches!(hold.origin, HoldOrigin::File(_))).then_some(hold.name.as_str()),
        keeps: true,
    });
    let tags = policies.tags.iter().map(|tag| About {
        what: format!("the tag of `{}` ({})", tag.field, tag.place),
        dataset: &tag.dataset,
        field: Some(&tag.field),
        release: None,
        keeps: tag.retention.is_some_and(|retention| !retention.is_zero()),
    });
    let kept = policies.lifecycle.iter().filter(|policy| policy.active && policy.keep_at_least.is_some());
    let kept = kept.map(|policy| About {
        what: format!("`keep_at_least` of policy `{}`", policy.name),
        dataset: &policy.dataset,
        field: None,
        release: None,
        keeps: true,
    });
    holds.chain(tags).chain(kept).collect()
}

impl About<'_> {
    /// An archive that the first run makes is not missing.
    fn refuse_missing(&self, policies: &Policies, grants: &[String], located: Option<&Located>) -> Result<(), StoreFailure> {
        let Self { what, dataset, .. } = self;
        let release = self.release.map(|name| format!("; or end it: steward hold release {name} --why …")).unwrap_or_default();
        match (located, self.field) {
            (None, _) if will_be_made(policies, dataset) => Ok(()),
            (None, _) => {
                let hidden = if grants.is_empty() {
                    String::new()
                } else {
                    format!("; if it is there, it is hidden from the account:\n{}", grants.join(";\n"))
                };
                Err(StoreFailure::refused(
                    codes::NOT_COVERED,
                    format!(
                        "{what} is on `{dataset}`, and there is no such table, so what it covers is not known; nothing was touched"
                    ),
                    format!("write the table's exact name, schema and letter case included{release}{hidden}"),
                ))
            }
            (Some(view), _) if view.is_view => Err(StoreFailure::refused(
                codes::NOT_COVERED,
                format!("{what} is on `{dataset}`, which is a view and keeps no rows; nothing was touched"),
                format!("name the tables that the view reads{release}"),
            )),
            (Some(table), Some(field)) if !table.columns.iter().any(|column| column == field) => Err(StoreFailure::refused(
                codes::NOT_COVERED,
                format!("{what} is on a column that `{dataset}` does not have, so it means nothing; nothing was touched"),
                format!("it has: {}", table.columns.join(", ")),
            )),
            _ => Ok(()),
        }
    }
}

/// What an account needs to see these tables, if they are there and hidden from it.
fn grants(stores: &Stores, names: &BTreeSet<&DatasetName>) -> Vec<String> {
    let of = |name: &&DatasetName| stores.get(&name.store).map(|store| grants::grants_to_read(store, name)).unwrap_or_default();
    let mut grants: Vec<String> = names.iter().flat_map(of).collect();
    grants.sort_unstable();
    grants.dedup();
    grants
}

fn will_be_made(policies: &Policies, dataset: &DatasetName) -> bool {
    policies.lifecycle.iter().filter_map(|policy| policy.archive.as_ref()).any(|step| step.create && step.to.may_be(dataset))
}

/// Every table that a declaration names.
fn declared(policies: &Policies, holds: &[Hold]) -> BTreeSet<DatasetName> {
    let mut names: BTreeSet<DatasetName> = holds.iter().map(|hold| hold.dataset.clone()).collect();
    names.extend(policies.tags.iter().map(|tag| tag.dataset.clone()));
    for policy in &policies.lifecycle {
        names.insert(policy.dataset.clone());
        names.extend(policy.archive.iter().map(|step| step.to.clone()));
    }
    for expiry in policies.sessions.iter().chain(&policies.cache) {
        if let Expiring::Rows(rows) = &expiry.of {
            names.insert(rows.dataset.clone());
        }
    }
    names
}

/// Everything declared that is not there, or that means nothing: of every store, whatever jobs name. Reads only.
///
/// A store that gives no answer is among the failures.
pub async fn check_declared(policies: &Policies, holds: &[Hold], stores: &Stores) -> Vec<(DatasetName, StoreFailure)> {
    let mut wrong = vec![];
    let abouts = abouts(policies, holds);
    let names: BTreeSet<&str> = abouts.iter().map(|about| about.dataset.store.as_str()).collect();
    for name in names {
        let of_store: Vec<&About<'_>> = abouts.iter().filter(|about| about.dataset.store == name).collect();
        let datasets: Vec<&DatasetName> = of_store.iter().map(|about| about.dataset).collect();
        match stores.any(name) {
            Ok(AnyStore::Tables(store)) => match store.locate("validate", &datasets).await {
                Ok((_, found)) => {
                    let checked = of_store.iter().zip(found);
                    let failures = checked.filter_map(|(about, located)| {
                        let failure =
                            about.refuse_missing(policies, &grants(stores, &[about.dataset].into()), located.as_ref()).err()?;
                        Some((about.dataset.clone(), failure))
                    });
                    wrong.extend(failures);
                }
                Err(failure) => wrong.push((of_store[0].dataset.clone(), failure)),
            },
            Ok(AnyStore::Graph(store)) => {
                for about in of_store {
                    wrong.extend(
                        about.refuse_unknown_label(store, "validate").await.err().map(|failure| (about.dataset.clone(), failure)),
                    );
                }
            }
            // Keys come and go: a pattern without any is none the less a pattern.
            Ok(AnyStore::Keys(_)) => {}
            Err(failure) => wrong.push((of_store[0].dataset.clone(), failure)),
        }
    }
    wrong
}

impl About<'_> {
    async fn refuse_unknown_label(&self, store: &GraphStore, who: &str) -> Result<(), StoreFailure> {
        if store.knows(who, self.dataset).await? {
            return Ok(());
        }
        Err(StoreFailure::refused(
            codes::NOT_COVERED,
            format!(
                "{} is on `{}`, and no node bears that label, so what it covers is not known; nothing was touched",
                self.what, self.dataset
            ),
            "names match exactly, letter case included; where the label is right and merely has no nodes left, an index on it says so",
        ))
    }
}
