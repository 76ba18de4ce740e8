//! The commands that a policy on keys sends, and the rights that they need: what `plan --sql` prints, and what `doctor` tries.

use crate::action::Context;
use crate::policy::expiry::{Expiring, ExpiringKeys};
use crate::policy::key_pattern::KeyPattern;
use crate::policy::owner::Owners;
use crate::policy::policies::Policies;
use crate::store::error::StoreFailure;
use crate::store::redis::store::KeyStore;
use crate::store::redis::topology::About;

/// The keys of a store that policies ask for as owners of others.
pub fn asked_for(policies: &Policies, store: &str) -> Vec<KeyPattern> {
    let all = policies.cache.iter().chain(&policies.sessions);
    let belongings = all.flat_map(|expiry| match &expiry.of {
        Expiring::Keys(keys) => keys.belongs_to.as_slice(),
        Expiring::Rows(_) | Expiring::Permanent(_) => &[],
    });
    belongings.filter_map(|belonging| owners_in(&belonging.to, store)).cloned().collect()
}

/// The names of owners, where they are keys of this store.
fn owners_in<'o>(owners: &'o Owners, store: &str) -> Option<&'o KeyPattern> {
    match owners {
        Owners::Keys { store: of, keys } if of == store => Some(keys),
        _ => None,
    }
}

/// What is asked about owners that are keys.
pub fn questions(declared: &ExpiringKeys) -> impl Iterator<Item = String> {
    declared.belongs_to.iter().filter_map(|belonging| match &belonging.to {
        Owners::Keys { keys, .. } => Some(format!("EXISTS {keys}")),
        Owners::Rows { .. } => None,
    })
}

/// The commands, and the rights that they need, each store's for itself.
///
/// # Errors
/// A store of owners is away.
pub async fn statements(
    cx: &Context,
    declared: &ExpiringKeys,
    own: &[&str],
    (store, about): (&KeyStore, &About),
) -> Result<Vec<String>, StoreFailure> {
    let glob = shown(&declared.keys.glob());
    let mut statements = vec![format!("-- dataset {}", declared.dataset()), format!("SCAN cursor MATCH {glob} COUNT 500")];
    statements.extend(own.iter().map(|question| format!("{question} key")).chain(questions(declared)));
    statements
        .push("EVALSHA script: PTTL, OBJECT IDLETIME or what the key holds again, then PEXPIRE key ms or UNLINK key".into());
    statements.push(format!(
        "ACL SETUSER {} ~{glob} {} +cluster|slots +scan +pttl +object|idletime \
         +memory|usage +getrange +dump +type +strlen +llen +scard +hlen +zcard +xlen +time +eval +evalsha +pexpire +unlink{}{}",
        user(store),
        greeting(about),
        select(store),
        declared
            .belongs_to
            .iter()
            .filter_map(|belonging| owners_in(&belonging.to, store.name()))
            .map(|keys| may_ask(keys, about))
            .collect::<String>(),
    ));
    for belonging in &declared.belongs_to {
        let Owners::Keys { store: other, keys } = &belonging.to else { continue };
        if other != store.name() {
            let other = cx.stores.keys(other)?;
            let nodes = other.nodes(&cx.application_name()).await?;
            statements.push(format!("-- store {}", other.name()));
            let (user, greeting, asking) = (user(other), greeting(nodes.about()), shown(&keys.glob()));
            statements.push(format!("ACL SETUSER {user} ~{asking} {greeting} +cluster|slots +exists{}", select(other)));
        }
    }
    Ok(statements)
}

/// A right on owners, and on nothing else of theirs: to ask whether they are there.
fn may_ask(owners: &KeyPattern, about: &About) -> String {
    let glob = shown(&owners.glob());
    if about.knows_selectors() { format!(" (~{glob} +exists)") } else { format!(" ~{glob} +exists") }
}

fn user(store: &KeyStore) -> &str {
    store.user().unwrap_or("default")
}

fn greeting(about: &About) -> String {
    format!("+ping +info +client|setname{}", if about.knows_no_touch() { " +client|no-touch" } else { "" })
}

fn select(store: &KeyStore) -> &'static str {
    if store.database() == 0 { "" } else { " +select" }
}

/// A pattern as one prints it.
pub fn shown(glob: &[u8]) -> String {
    String::from_utf8_lossy(glob).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
