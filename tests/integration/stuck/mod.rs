//! Never stuck: what cannot be served is put aside, named, and told with the way out; the others go on.

mod archives;
mod blocked;
mod holds;
mod order;
mod packets;
mod setup;
