//! steward keeps data no longer than it may be kept, protects what must be protected, and can prove both.
//!
//! The modules stand in the order of their floors; a file imports only from floors below its own.

// 0: pure values and decisions: no clock, no network, no async
pub mod clock;
pub mod config;
pub mod counter;
pub mod diagnostic;
pub mod file_owner;
pub mod job;
pub mod place;
pub mod policy;
pub mod yaml;
// 1: the outside world; each knows only the ground
pub mod ledger;
pub mod report;
pub mod store;
// 2: two stores side by side
pub mod reference;
// 2: the contract, and what people declare, read from disk
pub mod action;
pub mod declarations;
// 3: what acts, and what runs it; neither knows the other
pub mod actions;
pub mod runner;
// 5: the clock
pub mod worker;
// 6: what people type
pub mod cli;
