//! What each field is, and how it must be protected.

use super::dataset::DatasetName;
use super::period::Period;
use crate::place::Place;
use serde::{Deserialize, Serialize};

/// The classification of one field, effective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tag {
    /// The dataset the field belongs to.
    pub dataset: DatasetName,
    /// The field.
    pub field: String,
    /// What kind of data it is, in the owner's words (`PII`, `email`).
    pub r#type: Option<String>,
    /// How much harm a leak does.
    pub sensitivity: Sensitivity,
    /// How it is protected.
    pub protect: Option<Protection>,
    /// The column that holds the sealed value.
    pub sealed_in: Option<String>,
    /// A minimum before final removal of the row; zero means none.
    pub retention: Option<Period>,
    /// The field must be sealed.
    pub encrypt: bool,
    /// Reading it needs a right of its own.
    pub restrict: bool,
    /// Reading it is logged.
    pub audit: bool,
    /// Where it was declared.
    #[serde(skip)]
    pub place: Place,
}

impl Tag {
    /// Values of such a field never leave memory unmasked: not in a sample, a log, a cursor or the ledger.
    pub fn is_secret(&self) -> bool {
        self.encrypt || matches!(self.sensitivity, Sensitivity::High | Sensitivity::Critical)
    }
}

/// How much harm a leak does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Public or nearly so.
    Low,
    /// Internal.
    Medium,
    /// Personal.
    High,
    /// Secrets.
    Critical,
}

/// How a field is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Protection {
    /// Sealed with AES-256-GCM by `encrypt`.
    #[serde(rename = "aes256")]
    Aes256,
    /// Stored as a one-way hash; nothing to seal. The policy tables call it `bcrypt_encryption`.
    #[serde(rename = "already hashed")]
    AlreadyHashed,
    /// A signed token. The policy tables call it `jwt_encryption`.
    #[serde(rename = "signed token")]
    SignedToken,
    /// Guarded by the store's own rights.
    #[serde(rename = "access_control")]
    AccessControl,
    /// None.
    #[serde(rename = "none")]
    None,
}
