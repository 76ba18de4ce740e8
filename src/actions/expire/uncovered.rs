//! Tells of keys that no policy covers: what nobody decided about grows without end.

use crate::action::{Context, Facts};
use crate::diagnostic::codes;
use crate::job::spec::Job;
use crate::policy::expiry::{Expiring, Expiry};
use crate::policy::key_name::{Prefixes, Sum};
use crate::policy::key_pattern::KeyPattern;
use crate::policy::lifecycle::Guard;
use crate::policy::policies::Policies;
use crate::policy::section::pick;
use crate::report::format::{count, plural};
use crate::store::error::StoreFailure;
use crate::store::page::Keeps;
use crate::store::redis::commands::{Questions, Wanted};
use crate::store::redis::scan::{Asked, Place, Walk};
use crate::store::redis::scan_names::Names;
use crate::store::redis::store::KeyStore;
use crate::store::survey::Survey;
use chrono::{DateTime, Utc};

/// Beginnings of names that a report tells.
const TOLD: usize = 20;

/// The keys of a store that no `cache` or `sessions` policy covers. Looks, and changes nothing.
pub struct Uncovered {
    /// The store.
    pub store: KeyStore,
    covered: Vec<KeyPattern>,
    as_of: DateTime<Utc>,
}

/// The stores of keys that a job's cache policies are about, each once.
pub fn stores(job: &Job, policies: &Policies) -> Vec<String> {
    let chosen = pick(&policies.cache, |expiry| &expiry.name, &job.policies).into_iter();
    let mut stores: Vec<String> = chosen.filter_map(|expiry| keys_of(expiry).map(|(store, _)| store.to_owned())).collect();
    stores.sort();
    stores.dedup();
    stores
}

/// The store and the names of the keys that a policy is about.
fn keys_of(expiry: &Expiry) -> Option<(&str, &KeyPattern)> {
    match &expiry.of {
        Expiring::Keys(keys) => Some((&keys.store, &keys.keys)),
        Expiring::Permanent(keys) => Some((&keys.store, &keys.keys)),
        Expiring::Rows(_) => None,
    }
}

/// The patterns that policies have for a store, whatever jobs there are.
pub fn covered(policies: &Policies, store: &str) -> Vec<KeyPattern> {
    patterns(policies, store, |_| true)
}

/// The patterns of the keys that policies end, and so need rights to.
pub fn ended(policies: &Policies, store: &str) -> Vec<KeyPattern> {
    patterns(policies, store, |expiry| !matches!(expiry.of, Expiring::Permanent(_)))
}

fn patterns(policies: &Policies, store: &str, is_wanted: impl Fn(&Expiry) -> bool) -> Vec<KeyPattern> {
    let all = policies.cache.iter().chain(&policies.sessions).filter(|expiry| is_wanted(expiry)).filter_map(keys_of);
    all.filter(|(of, _)| *of == store).map(|(_, keys)| keys.clone()).collect()
}

impl Uncovered {
    /// What it is called where a policy's name stands.
    pub const NAME: &'static str = "keys that no policy covers";

    /// Gets in.
    ///
    /// # Errors
    /// The store is away, or refuses the login.
    pub async fn prepare(cx: &Context, store: &str, as_of: DateTime<Utc>) -> Result<Self, StoreFailure> {
        let keys = cx.stores.keys(store)?.clone();
        keys.nodes(&cx.application_name()).await?;
        Ok(Self { covered: covered(&cx.policies, store), store: keys, as_of })
    }

    /// What is known of them.
    pub fn facts(&self) -> Facts {
        Facts {
            counts: vec![],
            noun: Some("key"),
            store: self.store.name().to_owned(),
            owners: vec![],
            cutoff: self.as_of,
            period: String::new(),
            guard: Guard::default(),
            archive: None,
            index: None,
            notes: vec![],
            cascade_allowed: false,
            query: "SCAN 0 COUNT 500, then MEMORY USAGE of each key that no policy's pattern matches".into(),
            statements: vec![],
            locks_rows: false,
            fingerprint: String::new(),
            keeps: Keeps::Nothing,
        }
    }

    /// Counts them by what their names begin with. Nothing is due: nobody said what should become of them.
    ///
    /// # Errors
    /// The store is away, or refuses.
    pub async fn survey(&self, cx: &Context) -> Result<Survey, StoreFailure> {
        match measure(&self.store, &cx.application_name(), &self.covered).await {
            Ok((total, prefixes, is_about)) => Ok(Survey { total, total_is_estimate: is_about, ..counts(prefixes, true) }),
            // An account with the rights of its policies alone may not ask for the size of what they do not cover.
            Err(StoreFailure::Refused { code, .. }) if code == codes::DENIED => self.by_name(cx).await,
            Err(other) => Err(other),
        }
    }

    /// The same by names alone, which need no right to a key.
    async fn by_name(&self, cx: &Context) -> Result<Survey, StoreFailure> {
        let mut names = Names::of(&self.store, &cx.application_name(), KeyPattern::all()).await?;
        let (mut prefixes, mut total) = (Prefixes::default(), 0);
        while let Some(page) = names.page().await? {
            total += page.len() as u64;
            for name in page.iter().filter(|name| !self.covered.iter().any(|pattern| pattern.matches(name))) {
                prefixes.add(name, 0);
            }
        }
        // SCAN may give a name twice.
        Ok(Survey { total, total_is_estimate: true, ..counts(prefixes, false) })
    }
}

/// What is told of the keys that no policy covers, sizes only where they are known. Says nothing of how many keys there are.
pub fn counts(prefixes: Prefixes, is_sized: bool) -> Survey {
    let size = |sum: Sum| if is_sized { format!(", about {} bytes", count(sum.bytes)) } else { String::new() };
    let mut remarks = told(prefixes, size);
    if !remarks.is_empty() && !is_sized {
        let text = "how large they are is not known: the right to ask for keys that no policy covers is missing";
        remarks.push((text.to_owned(), "grant `MEMORY|USAGE` on all keys, or leave it at the names".to_owned()));
    }
    Survey { remarks, ..Survey::default() }
}

/// All keys of a store in number, those that none of the patterns matches by what their names begin with, and whether that is about right.
///
/// # Errors
/// The store is away, or refuses.
pub async fn measure(store: &KeyStore, who: &str, covered: &[KeyPattern]) -> Result<(u64, Prefixes, bool), StoreFailure> {
    let counted = covered.iter().map(|pattern| (pattern.clone(), Wanted::Counted)).collect();
    let asked = Wanted::Asked(Asked { bytes: true, ..Asked::default() });
    let questions = Questions { found: KeyPattern::all(), each: counted, rest: Some(asked) };
    let mut walk = Walk::over(store, who, questions, Place::start()).await?;
    let mut prefixes = Prefixes::default();
    while let Some(page) = walk.page().await? {
        for key in &page {
            prefixes.add(&key.name, key.bytes.unwrap_or(0));
        }
    }
    Ok((walk.names(), prefixes, walk.is_about()))
}

/// A line for each beginning of names, the largest first, `size` behind its count.
fn told(prefixes: Prefixes, size: impl Fn(Sum) -> String) -> Vec<(String, String)> {
    let told = prefixes.told();
    let more = told.len().saturating_sub(TOLD);
    let line = |(prefix, sum): &(String, Sum)| {
        let text = format!("{} under {prefix}{}, covered by no policy", plural(sum.keys, "key"), size(*sum));
        (text, String::new())
    };
    let mut remarks: Vec<(String, String)> = told.iter().take(TOLD).map(line).collect();
    if more > 0 {
        remarks.push((format!("{} more such beginnings", count(more as u64)), String::new()));
    }
    if let Some((_, help)) = remarks.first_mut() {
        *help = "add a policy for them under `cache` or `sessions`; `without_ttl: report` only counts".into();
    }
    remarks
}
