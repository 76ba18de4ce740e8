//! Everything people declare, read from disk: configuration, policies, jobs. All that is wrong is told in one pass.

pub mod files;
pub mod process;
pub mod reading;
pub mod schema;
#[cfg(test)]
mod tests;
