//! Whether a key is due, and why: a decision on what was seen of it.

use crate::policy::expiry::{ExpiringKeys, KeyRule};
use crate::policy::key_pattern::KeyPattern;
use crate::policy::period::Period;
use crate::store::redis::mutate::Change;
use crate::store::redis::mutate::Due;
use crate::store::redis::mutate::Still;
use crate::store::redis::mutate::spread;
use crate::store::redis::scan::Key;

/// Why a key is due. In this order: what ends it for good comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Whose copy, or session, it is, is gone.
    OwnerGone,
    /// Nobody used it for longer than it may be idle.
    Idle,
    /// It never expires.
    NoTtl,
    /// It has longer to live than it may.
    TooLong,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::OwnerGone, Self::Idle, Self::NoTtl, Self::TooLong];

    /// As reports and cursors call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OwnerGone => "owner gone",
            Self::Idle => "idle",
            Self::NoTtl => "no TTL",
            Self::TooLong => "TTL too long",
        }
    }

    /// The cause of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }
}

/// What is known of a key's owner; of several what says most, and that is the last of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// There.
    There,
    /// A key that is not there, or not yet: see [`super::orphans`].
    Missing,
    /// No row.
    Gone,
    /// The key does not say whose it is, or its owner is on the move between servers: nothing follows from that.
    Unknown,
}

/// What follows from what was seen of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// As it should be.
    Fine,
    /// To be changed.
    Due(Cause),
    /// Not as it should be, and only counted.
    Reported(Cause),
    /// Another policy of the job is about to remove it for being idle; a time to live would make it look used.
    Left,
    /// It lives on purpose, as another policy says.
    Permanent,
}

/// A policy's rules for its keys, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Milliseconds a key may have to live.
    pub ttl: Option<u64>,
    /// Seconds a key may be idle.
    pub idle: Option<u64>,
    without_ttl: KeyRule,
    longer_ttl: KeyRule,
    /// What other policies of the job remove for being idle, where a change here would make it look used.
    pub removed_elsewhere: Vec<(KeyPattern, u64)>,
    /// Keys that live on purpose. `{id}` stands for anything here: it rather keeps too much.
    pub permanent: Vec<KeyPattern>,
}

impl Rule {
    /// The rules of a policy.
    pub fn of(keys: &ExpiringKeys) -> Self {
        Self {
            ttl: keys.ttl.map(milliseconds),
            idle: keys.idle.map(seconds),
            without_ttl: keys.without_ttl,
            longer_ttl: keys.longer_ttl,
            removed_elsewhere: vec![],
            permanent: vec![],
        }
    }

    /// Whether a key is due, and why.
    pub fn judge(&self, key: &Key, owner: Option<Owner>) -> Judged {
        if self.permanent.iter().any(|pattern| pattern.may_mean(&key.name)) {
            return Judged::Permanent;
        }
        if matches!(owner, Some(Owner::Gone | Owner::Missing)) {
            return Judged::Due(Cause::OwnerGone);
        }
        if self.idle.zip(key.idle).is_some_and(|(limit, idle)| idle >= limit) {
            return Judged::Due(Cause::Idle);
        }
        match (key.left, self.ttl) {
            (None, _) => self.by(self.without_ttl, Cause::NoTtl, key),
            (Some(left), Some(ttl)) if left > ttl => self.by(self.longer_ttl, Cause::TooLong, key),
            _ => Judged::Fine,
        }
    }

    fn by(&self, rule: KeyRule, cause: Cause, key: &Key) -> Judged {
        let is_idle = |(pattern, limit): &(KeyPattern, u64)| key.idle >= Some(*limit) && pattern.matches(&key.name);
        match rule {
            KeyRule::Report => Judged::Reported(cause),
            KeyRule::Expire if self.removed_elsewhere.iter().any(is_idle) => Judged::Left,
            KeyRule::Expire | KeyRule::Remove => Judged::Due(cause),
        }
    }

    /// True when a key that is due for this is given a time to live, and stays until it has passed.
    pub fn gives_ttl(&self, cause: Cause) -> bool {
        match cause {
            Cause::OwnerGone | Cause::Idle => false,
            Cause::NoTtl => self.without_ttl == KeyRule::Expire && self.ttl.is_some(),
            Cause::TooLong => self.longer_ttl == KeyRule::Expire && self.ttl.is_some(),
        }
    }

    /// What is done to a key that is due. `proof` is its value where that names the owner, or what it held.
    pub fn due(&self, key: Vec<u8>, cause: Cause, owner_is_value: bool, proof: Vec<u8>) -> Due {
        let by = |rule: KeyRule| match (rule, self.ttl) {
            (KeyRule::Expire, Some(ttl)) => Change::Expire(spread(ttl, &key)),
            _ => Change::Unlink,
        };
        let (change, still, mark) = match cause {
            Cause::OwnerGone if owner_is_value => (Change::Unlink, Still::Value(proof), vec![]),
            Cause::OwnerGone => (Change::Unlink, Still::There, proof),
            Cause::Idle => (Change::Unlink, Still::Idle(self.idle.unwrap_or(u64::MAX)), vec![]),
            Cause::NoTtl => (by(self.without_ttl), Still::NoTtl, proof),
            Cause::TooLong => (by(self.longer_ttl), Still::Longer(self.ttl.unwrap_or(u64::MAX)), proof),
        };
        Due { key, change, still, mark, most_left: None }
    }
}

fn milliseconds(period: Period) -> u64 {
    u64::try_from(period.duration().num_milliseconds()).unwrap_or(u64::MAX)
}

/// A period in whole seconds, as the server counts idleness.
pub fn seconds(period: Period) -> u64 {
    milliseconds(period) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(without_ttl: KeyRule, longer_ttl: KeyRule) -> Rule {
        Rule { ttl: Some(1_000), idle: Some(60), without_ttl, longer_ttl, removed_elsewhere: vec![], permanent: vec![] }
    }

    fn key(left: Option<u64>, idle: Option<u64>) -> Key {
        Key { name: b"a:1".to_vec(), left, idle, bytes: None, value: None }
    }

    #[test]
    fn a_key_is_due_for_what_ends_it_first() {
        let rule = rule(KeyRule::Expire, KeyRule::Report);
        assert_eq!(rule.judge(&key(None, Some(60)), Some(Owner::Gone)), Judged::Due(Cause::OwnerGone));
        assert_eq!(rule.judge(&key(None, Some(60)), Some(Owner::Unknown)), Judged::Due(Cause::Idle));
        assert_eq!(rule.judge(&key(None, Some(59)), Some(Owner::There)), Judged::Due(Cause::NoTtl));
        assert_eq!(rule.judge(&key(Some(1_001), None), None), Judged::Reported(Cause::TooLong));
        assert_eq!(rule.judge(&key(Some(1_000), Some(1)), None), Judged::Fine);
    }

    #[test]
    fn idleness_that_nobody_knows_is_no_idleness() {
        assert_eq!(rule(KeyRule::Report, KeyRule::Expire).judge(&key(None, None), None), Judged::Reported(Cause::NoTtl));
    }

    #[test]
    fn what_another_policy_removes_for_being_idle_is_left_to_it() {
        let mut rule = Rule { idle: None, ..rule(KeyRule::Expire, KeyRule::Expire) };
        rule.removed_elsewhere = vec![("a:*".parse().unwrap(), 10)];
        assert_eq!(rule.judge(&key(None, Some(10)), None), Judged::Left);
        assert_eq!(rule.judge(&key(None, Some(9)), None), Judged::Due(Cause::NoTtl));
        assert_eq!(rule.judge(&key(None, None), None), Judged::Due(Cause::NoTtl));
    }

    #[test]
    fn what_lives_on_purpose_is_never_due() {
        let mut rule = rule(KeyRule::Remove, KeyRule::Remove);
        rule.permanent = vec!["a:{id}".parse().unwrap()];
        assert_eq!(rule.judge(&key(None, Some(60)), Some(Owner::Gone)), Judged::Permanent);
        rule.permanent = vec!["b:*".parse().unwrap()];
        assert_eq!(rule.judge(&key(None, None), None), Judged::Due(Cause::NoTtl));
    }

    #[test]
    fn what_is_removed_is_compared_with_what_was_seen() {
        let rule = rule(KeyRule::Remove, KeyRule::Expire);
        let due = |cause, owner_is_value| rule.due(b"a:1".to_vec(), cause, owner_is_value, b"proof".to_vec());
        assert_eq!(due(Cause::NoTtl, false).mark, b"proof");
        assert_eq!(due(Cause::OwnerGone, true).still, Still::Value(b"proof".to_vec()));
        assert!(due(Cause::OwnerGone, false).wants_mark() && !due(Cause::Idle, false).wants_mark());
        assert!(matches!(due(Cause::TooLong, false).change, Change::Expire(900..=1_000)));
        Cause::ALL.into_iter().for_each(|cause| assert_eq!(Cause::of(cause.word()), Some(cause)));
    }
}
