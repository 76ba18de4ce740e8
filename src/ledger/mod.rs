//! Where runs, cursors, locks, holds and evidence live.
