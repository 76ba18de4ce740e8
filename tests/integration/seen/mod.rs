//! What the catalogue, the account and the session show: what cannot be seen is never taken for absent.

mod account;
mod firing;
mod foreign_keys;
mod hierarchy;
mod settings;
mod shop;
