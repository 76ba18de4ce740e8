//! Keys that never expire: `without_ttl: "*"`.

use super::key_look;
use super::kind::Kind;
use crate::policy::quality::shape::{Counts, On, Shape, Takes};
use crate::store::redis::walk::Asked;
use futures_util::FutureExt;

/// Counts keys without a time to live.
pub const KIND: Kind = Kind {
    shape: &Shape {
        key: "without_ttl",
        about: "keys that never expire",
        takes: Takes::Keys,
        with: &[],
        on: On::KeyStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| key_look::count(cx, check, Asked::default(), |key| key.left.is_none().then(String::new)).boxed(),
};
