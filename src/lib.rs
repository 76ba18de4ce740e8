//! steward keeps data no longer than it may be kept, protects what must be protected, and can prove both.
//!
//! The modules stand in the order of their floors; a file imports only from floors below its own.

// 0: pure values and decisions: no clock, no network, no async
pub mod job;
pub mod place;
pub mod policy;
// 2: the contract
// 3: what acts
pub mod action;
pub mod actions;
// 1: the outside world; each knows only the ground
pub mod ledger;
pub mod report;
pub mod store;
// 5: the clock
pub mod worker;
