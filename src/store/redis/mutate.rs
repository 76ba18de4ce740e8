//! Changes keys: the one way to give them a time to live or to remove them, and it takes the holds.

use super::holds::KeyHolds;
use super::lost::Lost;
use super::reply::{bytes, int, is_moved, odd, refusal};
use super::store::KeyStore;
use super::topology::Nodes;
use crate::store::error::StoreFailure;
use redis::{Cmd, Pipeline, Script, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Calls that travel together.
const ALONG: usize = 100;
/// Keys of one call: so few that the call takes far less than 2 ms. One that compares all that a small key holds takes longer.
const KEYS: usize = 25;
const COMPARED: usize = 5;

/// Looks again and changes, in one step of the server: nothing comes in between.
static CHANGE: LazyLock<(String, Script)> =
    LazyLock::new(|| script(concat!(include_str!("fingerprint.lua"), include_str!("mutate.lua"))));
/// Tells what keys hold, to see later whether they were written again.
static MARK: LazyLock<(String, Script)> = LazyLock::new(|| {
    let all = "local marks = {} for at, key in ipairs(KEYS) do marks[at] = mark(key) end return marks";
    script(&format!("{}{all}", include_str!("fingerprint.lua")))
});

fn script(code: &str) -> (String, Script) {
    (code.to_owned(), Script::new(code))
}

/// What is done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It gets so many milliseconds to live.
    Expire(u64),
    /// It is removed; a large one is freed beside the server's work.
    Unlink,
}

/// What made a key due, and must still be so when it is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Still {
    /// It never expires.
    NoTtl,
    /// It has more than so many milliseconds to live.
    Longer(u64),
    /// Nobody used it for so many seconds.
    Idle(u64),
    /// Its value is this.
    Value(Vec<u8>),
    /// It is there.
    There,
}

/// A key that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its name.
    pub key: Vec<u8>,
    /// What is done to it.
    pub change: Change,
    /// What must still be so.
    pub still: Still,
    /// What it held, see [`marks`]; empty where it does not matter.
    pub mark: Vec<u8>,
    /// For what is removed: milliseconds it may have left at most, -1 for none at all, or it was written meanwhile; none where that
    /// does not matter.
    pub most_left: Option<i64>,
}

impl Due {
    /// Its name, and whether it is to be removed.
    fn sent(&self) -> (&[u8], bool) {
        (&self.key, self.change == Change::Unlink)
    }

    /// True when removing it asks for a comparison with what it held: nothing else would show that it was written again.
    pub const fn wants_mark(&self) -> bool {
        matches!((self.change, &self.still), (Change::Unlink, Still::NoTtl | Still::Longer(_) | Still::There))
    }
}

/// What became of keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Given a time to live.
    pub expired: u64,
    /// Removed.
    pub unlinked: u64,
    /// Not as they were: left alone.
    pub changed: u64,
    /// Gone already.
    pub gone: u64,
    /// Under a hold: left alone.
    pub held: u64,
    /// Of those that were changed: the answer had been lost, and they were found so when they were asked for again.
    pub found_done: u64,
}

/// Changes keys that are due, each only if it is still as it was, and none that a hold keeps (promise 4). Gives what was done, and those
/// that were not answered for since their server went away or they moved: the same call for them is safe.
///
/// Each key is one step of its server. If we die in between, some are changed and some are not, and a second call does the rest.
/// Keys that moved meanwhile are looked for anew, once. Where an answer was lost the key is in `lost`, and a later call that finds it changed
/// as it was to be counts it as done: see [`Done::found_done`].
///
/// # Errors
/// A server is away, or refuses, and of nothing it is known that it was changed.
pub async fn change<'d>(
    store: &KeyStore,
    who: &str,
    holds: &KeyHolds,
    due: &'d [Due],
    lost: &mut Lost,
) -> Result<(Done, Vec<&'d Due>), StoreFailure> {
    let mut done = Done::default();
    let (held, mut open): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|due| holds.keeps(&due.key));
    done.held = held.len() as u64;
    // Nothing would show that such a key was written again.
    let unmarked = open.extract_if(.., |due| due.wants_mark() && due.mark.is_empty()).count();
    done.changed = unmarked as u64;
    let mut failure = None;
    for _ in 0..2 {
        if open.is_empty() {
            break;
        }
        let nodes = match store.nodes(who).await {
            Ok(nodes) => nodes,
            Err(away) => {
                failure = Some(away);
                break;
            }
        };
        let (left, why) = each_once(&nodes, open, (&mut done, lost)).await;
        open = left;
        failure = why;
        if failure.as_ref().is_some_and(|failure| !failure.is_temporary()) {
            break;
        }
    }
    match failure {
        Some(failure) if done.expired + done.unlinked == 0 => Err(failure),
        _ => Ok((done, open)),
    }
}

/// Calls for each key once; gives back those that were not answered for, and why.
async fn each_once<'d>(
    nodes: &Nodes,
    due: Vec<&'d Due>,
    (done, lost): (&mut Done, &mut Lost),
) -> (Vec<&'d Due>, Option<StoreFailure>) {
    let mut open = vec![];
    let mut why = None;
    for (node, due) in by_node(nodes, due) {
        let node = &nodes.each()[node];
        for along in calls(due, nodes.is_cluster()).chunks(ALONG) {
            let mut pipe = Pipeline::with_capacity(along.len());
            for (at, keys) in along.iter().enumerate() {
                pipe.add_command(call(&CHANGE, at == 0, keys));
            }
            match node.ask(&pipe).await {
                Ok(answers) => {
                    for (keys, answer) in along.iter().zip(answers) {
                        if let Err(failure) = count(&node.store, keys, answer, (done, lost)) {
                            open.extend(keys);
                            why = Some(failure);
                        }
                    }
                }
                Err(failure) => {
                    lost.note(along.iter().flatten().map(|due| due.sent()));
                    open.extend(along.iter().flatten());
                    why = Some(failure);
                }
            }
        }
    }
    (open, why)
}

fn by_node<'d>(nodes: &Nodes, due: Vec<&'d Due>) -> BTreeMap<usize, Vec<&'d Due>> {
    let mut by_node: BTreeMap<usize, Vec<&Due>> = BTreeMap::new();
    for due in due {
        by_node.entry(nodes.of(&due.key).unwrap_or(0)).or_default().push(due);
    }
    by_node
}

/// Keys in calls: in a cluster one each, since a call may touch one slot only.
fn calls(due: Vec<&Due>, is_cluster: bool) -> Vec<Vec<&Due>> {
    let (compared, plain): (Vec<&Due>, Vec<&Due>) = due.into_iter().partition(|due| !due.mark.is_empty());
    let most = |most: usize| if is_cluster { 1 } else { most };
    let (plain, compared) = (plain.chunks(most(KEYS)), compared.chunks(most(COMPARED)));
    plain.chain(compared).map(<[&Due]>::to_vec).collect()
}

/// The first call of a trip brings the script along; the server knows it then.
fn call((code, script): &(String, Script), first: bool, due: &[&Due]) -> Cmd {
    let mut call = begin(code, script, first, due.iter().map(|due| due.key.as_slice()));
    for due in due {
        match due.change {
            Change::Expire(ttl) => call.arg("expire").arg(ttl),
            Change::Unlink => call.arg("unlink").arg(due.most_left.map(|left| left.to_string()).unwrap_or_default()),
        };
        match &due.still {
            Still::NoTtl => call.arg("none").arg(""),
            Still::Longer(bound) => call.arg("longer").arg(*bound),
            Still::Idle(bound) => call.arg("idle").arg(*bound),
            Still::Value(value) => call.arg("value").arg(value),
            Still::There => call.arg("there").arg(""),
        };
        call.arg(&due.mark);
    }
    call
}

fn begin<'k>(code: &str, script: &Script, first: bool, keys: impl ExactSizeIterator<Item = &'k [u8]>) -> Cmd {
    let mut call = redis::cmd(if first { "EVAL" } else { "EVALSHA" });
    call.arg(if first { code } else { script.get_hash() }).arg(keys.len());
    for key in keys {
        call.arg(key);
    }
    call
}

fn count(store: &str, due: &[&Due], answer: Value, (done, lost): (&mut Done, &mut Lost)) -> Result<(), StoreFailure> {
    let answers = match answer {
        Value::Array(answers) if answers.len() == due.len() => answers,
        Value::ServerError(error) if is_moved(&error) || error.code() == "NOSCRIPT" => {
            return Err(StoreFailure::Busy { store: store.to_owned(), text: "keys of the cluster are on the move".into() });
        }
        Value::ServerError(error) => {
            // A script that breaks off has done what stands before that.
            lost.note(due.iter().map(|due| due.sent()));
            return Err(refusal(store, &error));
        }
        _ => {
            lost.note(due.iter().map(|due| due.sent()));
            return Err(odd(store, "EVALSHA"));
        }
    };
    for (due, answer) in due.iter().zip(&answers) {
        let was_lost = lost.answered(&due.key);
        match (int(answer), due.change) {
            (Some(1), Change::Expire(_)) => done.expired += 1,
            (Some(1), Change::Unlink) => done.unlinked += 1,
            (Some(3), Change::Expire(_)) if was_lost => (done.expired, done.found_done) = (done.expired + 1, done.found_done + 1),
            (Some(0), Change::Unlink) if was_lost => (done.unlinked, done.found_done) = (done.unlinked + 1, done.found_done + 1),
            (Some(0), _) => done.gone += 1,
            (Some(2 | 3), _) => done.changed += 1,
            _ => return Err(odd(store, "EVALSHA")),
        }
    }
    Ok(())
}

/// What keys hold, in a form that is only compared; empty for one that is gone or has moved. Reads only. Before Redis 7.2 this counts as
/// a use of a small key.
///
/// # Errors
/// A server is away, or refuses.
pub async fn marks(nodes: &Nodes, keys: &[&[u8]]) -> Result<Vec<Vec<u8>>, StoreFailure> {
    let mut marks = vec![vec![]; keys.len()];
    let mut by_node: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, key) in keys.iter().enumerate() {
        by_node.entry(nodes.of(key).unwrap_or(0)).or_default().push(at);
    }
    let most = if nodes.is_cluster() { 1 } else { COMPARED };
    for (node, places) in by_node {
        let node = &nodes.each()[node];
        let calls: Vec<&[usize]> = places.chunks(most).collect();
        for along in calls.chunks(ALONG) {
            let mut pipe = Pipeline::with_capacity(along.len());
            for (at, places) in along.iter().enumerate() {
                pipe.add_command(begin(&MARK.0, &MARK.1, at == 0, places.iter().map(|at| keys[*at])));
            }
            for (places, answer) in along.iter().zip(node.ask(&pipe).await?) {
                match answer {
                    Value::Array(answers) => {
                        for (at, answer) in places.iter().zip(answers) {
                            marks[*at] = bytes(answer).unwrap_or_default();
                        }
                    }
                    Value::ServerError(error) if is_moved(&error) || error.code() == "NOSCRIPT" => {}
                    Value::ServerError(error) => return Err(refusal(&node.store, &error)),
                    _ => return Err(odd(&node.store, "EVALSHA")),
                }
            }
        }
    }
    Ok(marks)
}

/// The milliseconds that a key gets of `ttl`: up to a tenth less, by its name, so that not all end at once and a second look changes nothing.
pub fn spread(ttl: u64, key: &[u8]) -> u64 {
    // FNV-1a: the same everywhere and always, unlike the hashes of the standard library.
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (ttl - (hash >> 16) % (ttl / 10 + 1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_gets_its_time_or_up_to_a_tenth_less_and_always_the_same(ttl in 1_u64..1_000_000_000, key in ".*") {
            let given = spread(ttl, key.as_bytes());
            prop_assert!(given <= ttl && given >= ttl - ttl / 10 && given > 0);
            prop_assert_eq!(given, spread(ttl, key.as_bytes()));
        }
    }

    #[test]
    fn keys_of_one_kind_do_not_all_end_at_once() {
        let given: std::collections::BTreeSet<u64> =
            (0..1_000).map(|number| spread(1_800_000, format!("cache:user:{number}").as_bytes())).collect();
        assert!(given.len() > 900 && given.last().unwrap() - given.first().unwrap() > 150_000);
    }
}
