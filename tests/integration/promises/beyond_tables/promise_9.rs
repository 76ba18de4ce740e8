//! Promise 9.
