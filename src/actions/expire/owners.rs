//! Whose copy, or session, a key is, and whether they are there.

use super::rule::Owner;
use crate::action::Context;
use crate::diagnostic::codes;
use crate::policy::expiry::ExpiringKeys;
use crate::policy::key_pattern::{KeyId, KeyPattern, is_id};
use crate::policy::owner::{self, Belonging, IdFrom};
use crate::store::error::StoreFailure;
use crate::store::redis::scan::Key;
use crate::store::redis::scan_names;
use crate::store::redis::store::KeyStore;
use crate::store::sql::query::owner_table::OwnerTable;
use std::collections::HashMap;

/// When none of so many owners is there, it is not they who are gone.
const TOO_MANY: u64 = 20;

/// The owners of a policy's keys. A key belongs to one of each kind.
pub struct Owners<'a> {
    pattern: &'a KeyPattern,
    kinds: Vec<Kind<'a>>,
}

/// Owners of one kind.
struct Kind<'a> {
    belonging: &'a Belonging,
    of: Of<'a>,
    asked: u64,
    found: u64,
}

/// Who is asked for them.
enum Of<'a> {
    Rows(Box<OwnerTable>),
    Keys { store: KeyStore, who: String, pattern: &'a KeyPattern },
}

impl<'a> Owners<'a> {
    /// Finds the owners: table and column, or the store of their keys. None where keys belong to nobody.
    ///
    /// # Errors
    /// An owners' store is away; table, column or condition do not work there.
    pub async fn at(cx: &Context, keys: &'a ExpiringKeys) -> Result<Option<Self>, StoreFailure> {
        let mut kinds = vec![];
        for belonging in &keys.belongs_to {
            kinds.push(Kind { belonging, of: Of::at(cx, &belonging.to).await?, asked: 0, found: 0 });
        }
        Ok((!kinds.is_empty()).then_some(Self { pattern: &keys.keys, kinds }))
    }

    /// What is known of each key's owners.
    ///
    /// # Errors
    /// An owners' store is away; or a table has no owner at all, and then nobody is gone.
    pub async fn of(&mut self, keys: &[Key]) -> Result<Vec<Owner>, StoreFailure> {
        let named: Vec<_> = keys.iter().map(|key| (key.name.as_slice(), key.value.as_deref())).collect();
        self.of_named(&named).await
    }

    /// The same of names and values.
    ///
    /// # Errors
    /// As [`Owners::of`].
    pub async fn of_named(&mut self, keys: &[(&[u8], Option<&[u8]>)]) -> Result<Vec<Owner>, StoreFailure> {
        let mut known = vec![Owner::There; keys.len()];
        for kind in &mut self.kinds {
            let ids: Vec<Option<String>> = keys.iter().map(|(name, value)| kind.id(self.pattern, name, *value)).collect();
            let owners = kind.look(&ids).await?;
            for (known, id) in known.iter_mut().zip(&ids) {
                let owner = id.as_ref().and_then(|id| owners.get(id)).copied().unwrap_or(Owner::Unknown);
                *known = (*known).max(owner);
            }
        }
        Ok(known)
    }

    /// Refuses when none of all the owners of a kind that were asked for is there.
    ///
    /// # Errors
    /// That refusal.
    pub fn must_be_likely(&self) -> Result<(), StoreFailure> {
        self.kinds.iter().try_for_each(Kind::must_be_likely)
    }
}

impl<'a> Of<'a> {
    async fn at(cx: &Context, owners: &'a owner::Owners) -> Result<Self, StoreFailure> {
        match owners {
            owner::Owners::Rows { dataset, column, r#where } => {
                let store = cx.stores.get(&dataset.store)?;
                let table = OwnerTable::at(store, &cx.application_name(), dataset, column, r#where.as_deref()).await?;
                Ok(Self::Rows(Box::new(table)))
            }
            owner::Owners::Keys { store, keys } => {
                let store = cx.stores.keys(store)?.clone();
                store.nodes(&cx.application_name()).await?;
                Ok(Self::Keys { store, who: cx.application_name(), pattern: keys })
            }
        }
    }
}

impl Kind<'_> {
    /// The id that a key gives of its owner; none where it gives none that can be read.
    fn id(&self, pattern: &KeyPattern, name: &[u8], value: Option<&[u8]>) -> Option<String> {
        let id = match self.belonging.id {
            IdFrom::Key => match pattern.id_of(name) {
                KeyId::Of(id) => Some(id),
                KeyId::Unreadable | KeyId::NoMatch => None,
            },
            IdFrom::Value => value.filter(|value| is_id(value)),
        };
        String::from_utf8(id?.to_vec()).ok()
    }

    /// What is known of the owners with these ids.
    async fn look(&mut self, ids: &[Option<String>]) -> Result<HashMap<String, Owner>, StoreFailure> {
        let mut wanted: Vec<String> = ids.iter().flatten().cloned().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let known: Vec<Option<Owner>> = match &self.of {
            Of::Rows(table) => {
                let known = table.known(&wanted).await?;
                if !known.values().any(|known| *known == Some(true)) && !wanted.is_empty() && !table.any().await? {
                    return Err(self.nobody("has no owner at all: an empty table says nothing about who is gone"));
                }
                let owner = |there: bool| if there { Owner::There } else { Owner::Gone };
                wanted.iter().map(|id| known.get(id).copied().flatten().map(owner)).collect()
            }
            Of::Keys { store, who, pattern } => {
                let names: Vec<Option<Vec<u8>>> = wanted.iter().map(|id| pattern.name_of(id.as_bytes())).collect();
                let asked: Vec<Vec<u8>> = names.iter().flatten().cloned().collect();
                let mut answers = scan_names::known(store, who, &asked).await?.into_iter();
                let owner = |there: bool| if there { Owner::There } else { Owner::Missing };
                names.iter().map(|name| name.as_ref().and_then(|_| answers.next().flatten()).map(owner)).collect()
            }
        };
        let owners: Vec<Owner> = known.into_iter().map(|owner| owner.unwrap_or(Owner::Unknown)).collect();
        self.asked += owners.iter().filter(|owner| **owner != Owner::Unknown).count() as u64;
        self.found += owners.iter().filter(|owner| **owner == Owner::There).count() as u64;
        Ok(wanted.into_iter().zip(owners).collect())
    }

    fn must_be_likely(&self) -> Result<(), StoreFailure> {
        if self.found > 0 || self.asked < TOO_MANY {
            return Ok(());
        }
        let wrong = match self.of {
            Of::Rows(_) => "column",
            Of::Keys { .. } => "pattern or the wrong database",
        };
        Err(self.nobody(&format!("has none of the {} owners that keys name: this looks like the wrong {wrong}", self.asked)))
    }

    fn nobody(&self, why: &str) -> StoreFailure {
        let to = match &self.belonging.to {
            owner::Owners::Rows { dataset, column, r#where } => {
                let condition = r#where.as_ref().map(|condition| format!(" where {condition}")).unwrap_or_default();
                format!("`{dataset}.{column}`{condition}")
            }
            keys @ owner::Owners::Keys { .. } => format!("`{keys}`"),
        };
        StoreFailure::refused(
            codes::NO_OWNERS,
            format!("{to} {why}; nothing was touched"),
            "look at `belongs_to` in the policy, and whether its store was just restored or emptied; `steward explain SW4021` tells more",
        )
    }
}
