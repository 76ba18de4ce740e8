//! Keys of Redis, of its cluster and of Valkey: what ends them, what keeps them, and what it costs the server.

/// One test per server, all of them under one name.
macro_rules! on_every_server {
    ($(#[$about:meta])* $name:ident, $check:expr) => {
        $(#[$about])*
        mod $name {
            #[allow(unused_imports, reason = "the check may be a path from above")]
            use super::*;

            #[test]
            fn redis() {
                ($check)(crate::support::keyspace::KeyServer::Redis);
            }

            #[test]
            fn valkey() {
                ($check)(crate::support::keyspace::KeyServer::Valkey);
            }

            #[test]
            fn cluster() {
                ($check)(crate::support::keyspace::KeyServer::Cluster);
            }
        }
    };
}

mod checks;
mod lost_answers;
mod moving;
mod one_piece;
mod own_cluster;
mod owned;
mod owners;
mod pace;
mod permanent;
pub mod reach;
mod seen_owners;
mod sentinel;
pub mod setup;
mod strangers;
mod sweeping;
mod together;
mod walking;
