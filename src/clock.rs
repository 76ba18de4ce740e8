//! The wall clock, asked in this one place: clippy refuses it anywhere else (`.clippy.toml`).

use chrono::{DateTime, Utc};

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
