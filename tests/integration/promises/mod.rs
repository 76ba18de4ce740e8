//! The promises (design.md, section 6), each in a file that bears its number, each test bearing the promise's name.

/// One test per engine, all of them under one name.
macro_rules! on_every_engine {
    ($(#[$about:meta])* $name:ident, $check:expr) => {
        $(#[$about])*
        mod $name {
            #[allow(unused_imports, reason = "the check may be a path from above")]
            use super::*;

            #[test]
            fn sqlite() {
                ($check)(crate::support::engine::Engine::Sqlite);
            }

            #[test]
            fn postgres() {
                ($check)(crate::support::engine::Engine::Postgres);
            }

            #[test]
            fn mysql() {
                ($check)(crate::support::engine::Engine::Mysql);
            }

            #[test]
            fn mariadb() {
                ($check)(crate::support::engine::Engine::Mariadb);
            }
        }
    };
}

mod allowance;
pub mod beyond_tables;
mod campaign;
pub mod fault_proxy;
mod held_in_time;
mod not_yet;
mod open_batches;
pub mod orders_fixture;
mod promise_1;
mod promise_10;
mod promise_11;
mod promise_12;
mod promise_2;
mod promise_3;
mod promise_4;
mod promise_5;
mod promise_6;
mod promise_7;
mod promise_8;
mod scenarios;
pub mod settings;
pub mod under_way;

pub use fault_proxy::{black_hole, dead_port};
pub use scenarios::read_below;
