//! Promise 2.
