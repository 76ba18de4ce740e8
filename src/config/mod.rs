//! What `steward.yaml` says.
