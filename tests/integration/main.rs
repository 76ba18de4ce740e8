//! steward against real servers: cases, promises, stores, commands.

mod floors;
