//! Whose copy, or session, a key is, and whether they are there.

use super::judge::Owner;
use crate::action::Context;
use crate::diagnostic::catalogue as codes;
use crate::policy::expiry::{Belonging, ExpiringKeys, IdFrom};
use crate::policy::key_pattern::KeyPattern;
use crate::store::failure::StoreFailure;
use crate::store::presence::Presence;
use crate::store::redis::walk::Key;

/// When none of so many owners is there, it is not they who are gone.
const TOO_MANY: u64 = 20;

/// The owners of a policy's keys.
pub struct Owners<'a> {
    belonging: &'a Belonging,
    pattern: &'a KeyPattern,
    presence: Presence,
    asked: u64,
    found: u64,
}

impl<'a> Owners<'a> {
    /// Finds the owners' table and column; none where keys belong to nobody.
    ///
    /// # Errors
    /// The owners' store is away; table, column or condition do not work there.
    pub async fn at(cx: &Context, keys: &'a ExpiringKeys) -> Result<Option<Self>, StoreFailure> {
        let Some(belonging) = &keys.belongs_to else { return Ok(None) };
        let store = cx.stores.get(&belonging.dataset.store)?;
        let (dataset, condition) = (&belonging.dataset, belonging.r#where.as_deref());
        let presence = Presence::at(store, &cx.who(), dataset, &belonging.column, condition).await?;
        Ok(Some(Self { belonging, pattern: &keys.keys, presence, asked: 0, found: 0 }))
    }

    /// The id that a key gives of its owner; none where it gives none that can be read.
    fn id(&self, name: &[u8], value: Option<&[u8]>) -> Option<String> {
        let id = match self.belonging.id {
            IdFrom::Key => self.pattern.id_of(name),
            IdFrom::Value => value,
        };
        String::from_utf8(id?.to_vec()).ok()
    }

    /// What is known of each key's owner.
    ///
    /// # Errors
    /// The owners' store is away; or it has no owner at all, and then nobody is gone.
    pub async fn of(&mut self, keys: &[Key]) -> Result<Vec<Owner>, StoreFailure> {
        self.of_named(keys.iter().map(|key| (key.name.as_slice(), key.value.as_deref()))).await
    }

    /// The same of names and values.
    ///
    /// # Errors
    /// As [`Owners::of`].
    pub async fn of_named<'k>(
        &mut self,
        keys: impl Iterator<Item = (&'k [u8], Option<&'k [u8]>)>,
    ) -> Result<Vec<Owner>, StoreFailure> {
        let ids: Vec<Option<String>> = keys.map(|(name, value)| self.id(name, value)).collect();
        let mut wanted: Vec<String> = ids.iter().flatten().cloned().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let there = self.presence.present(&wanted).await?;
        self.asked += wanted.len() as u64;
        self.found += there.len() as u64;
        if there.is_empty() && !wanted.is_empty() && !self.presence.any().await? {
            return Err(self.nobody("has no owner at all: an empty table says nothing about who is gone"));
        }
        Ok(ids
            .iter()
            .map(|id| match id {
                None => Owner::Unknown,
                Some(id) if there.contains(id) => Owner::There,
                Some(_) => Owner::Gone,
            })
            .collect())
    }

    /// Refuses when none of all the owners that were asked for is there.
    ///
    /// # Errors
    /// That refusal.
    pub fn must_be_likely(&self) -> Result<(), StoreFailure> {
        if self.found == 0 && self.asked >= TOO_MANY {
            let text = format!("has none of the {} owners that keys name: this looks like the wrong column", self.asked);
            return Err(self.nobody(&text));
        }
        Ok(())
    }

    fn nobody(&self, why: &str) -> StoreFailure {
        let Belonging { dataset, column, r#where, .. } = self.belonging;
        let condition = r#where.as_ref().map(|condition| format!(" where {condition}")).unwrap_or_default();
        StoreFailure::refused(
            codes::NO_OWNERS,
            format!("`{dataset}.{column}`{condition} {why}; nothing was touched"),
            "look at `belongs_to` in the policy, and whether the table was just restored; `steward explain SW4021` tells more",
        )
    }
}
