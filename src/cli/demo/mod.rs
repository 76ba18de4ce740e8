//! `steward demo`: a small company's data, its policies and jobs, and a whole night of work on them.

mod audit;
mod command;
mod company;
mod faults;
mod folder;
mod people;
mod print;
mod rng;

pub(crate) use command::Demo;
