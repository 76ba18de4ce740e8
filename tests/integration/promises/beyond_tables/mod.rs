//! The promises for keys and nodes, for views and checks, and for jobs that several stores share.

mod promise_2;
mod promise_3;
mod promise_4;
mod promise_6;
mod promise_8;
mod promise_9;
pub mod setup;
