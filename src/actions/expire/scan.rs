//! Looks at the keys of a policy, one after another, and says of each whether it is due.

use super::owners::Owners;
use super::rule::{Judged, Owner, Rule};
use crate::store::error::StoreFailure;
use crate::store::redis::scan::{Key, Place, Walk};

/// Keys whose owners are asked for together.
pub const TOGETHER: usize = 2_000;

/// A look at the keys of a policy.
pub struct Look<'a> {
    /// Their rules.
    pub rule: &'a Rule,
    /// The walk over them.
    pub walk: Walk,
    /// Their owners, where they have some.
    pub owners: Option<Owners<'a>>,
}

/// A key that was looked at.
pub struct Seen {
    /// Where a walk begins that comes by it again.
    pub place: Place,
    /// The key.
    pub key: Key,
    /// Whether it is due.
    pub judged: Judged,
    /// What is known of its owner, where it should have one.
    pub owner: Option<Owner>,
}

impl Look<'_> {
    /// The next keys; none at the end. Changes nothing.
    ///
    /// # Errors
    /// A store is away or refuses; or nobody's owner is there.
    pub async fn more(&mut self) -> Result<Option<Vec<Seen>>, StoreFailure> {
        let (mut keys, mut places) = (vec![], vec![]);
        let most = if self.owners.is_some() { TOGETHER } else { 1 };
        let mut is_end = true;
        while keys.len() < most {
            let Some(page) = self.walk.page().await? else { break };
            is_end = false;
            places.extend(page.iter().map(|_| self.walk.at()));
            keys.extend(page);
        }
        if is_end {
            return Ok(None);
        }
        let owners = match &mut self.owners {
            Some(owners) => owners.of(&keys).await?.into_iter().map(Some).collect(),
            None => vec![None; keys.len()],
        };
        let seen = |((key, place), owner): ((Key, Place), Option<Owner>)| Seen {
            judged: self.rule.judge(&key, owner),
            place,
            key,
            owner,
        };
        Ok(Some(keys.into_iter().zip(places).zip(owners).map(seen).collect()))
    }
}
