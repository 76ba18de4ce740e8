//! What may stand in `steward.yaml`.

use super::secret::{SecretRef, Sourced};
use crate::policy::classification::Protection;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::Clock;
use crate::policy::period::Period;
use crate::yaml::node::{At, Named};
use crate::yaml::visitors;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// The configuration: what there is to govern, and where things live. Relative paths begin at this file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "the configuration", deny_unknown_fields)]
#[schemars(rename = "ConfigFile")]
pub struct ConfigFile {
    /// The databases, each under the name that datasets begin with.
    pub stores: Named<StoreEntry>,
    /// Folder of reports, the mail spool and the default ledger; `state/` by default.
    pub state: Option<String>,
    /// Where runs, locks and evidence live; `sqlite:state/steward.db` by default.
    pub ledger: Option<At<Sourced>>,
    /// Folders or files of policies; `[policies/]` by default.
    pub policies: Option<Vec<At<String>>>,
    /// Folder of jobs; `jobs/` by default.
    pub jobs: Option<At<String>>,
    /// The same policies, kept in a database.
    pub policy_tables: Option<At<PolicyTablesEntry>>,
    /// Comes with `encrypt`; refused until then.
    pub keys: Option<At<NotBuilt>>,
    /// How reports are mailed.
    pub mail: Option<At<MailEntry>>,
    /// Address of `serve`'s pages; `127.0.0.1:9464` by default.
    pub listen: Option<At<String>>,
    /// Names under which browsers may ask for `serve`'s pages, beside addresses and this machine's own name.
    pub hosts: Option<Vec<At<String>>>,
}

/// One database.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a store", deny_unknown_fields)]
#[schemars(rename = "StoreEntry")]
pub struct StoreEntry {
    /// `mysql://…`, `mariadb://…`, `postgres://…`, `sqlite:…`; no password in it.
    pub url: At<Sourced>,
    /// The user, where the URL names none.
    pub user: Option<At<Sourced>>,
    /// Where the password is; never the password itself.
    pub password: Option<SecretRef>,
    /// File of a private certificate authority.
    pub ca: Option<At<String>>,
    /// How long a statement waits for a lock.
    pub lock_timeout: Option<At<Period>>,
    /// How long a statement may take.
    pub statement_timeout: Option<At<Period>>,
    /// The most connections at once.
    pub connections: Option<At<u64>>,
}

/// Where policies are kept in a database.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "`policy_tables`", deny_unknown_fields)]
#[schemars(rename = "PolicyTablesEntry")]
pub struct PolicyTablesEntry {
    /// The table of lifecycle policies.
    pub lifecycle: Option<At<DatasetName>>,
    /// The table of classification tags.
    pub classification: Option<At<DatasetName>>,
    /// The clock of the lifecycle table's rows, which name none.
    pub clock: Option<At<Clock>>,
    /// What words of `protection_method` mean that are not steward's: `{ kms_v2: aes256 }`.
    pub protection_methods: Option<Methods>,
}

/// Words for methods of protection, each with what it means.
#[derive(Debug, Clone)]
pub struct Methods(pub Vec<(String, Protection)>);

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        visitors::pairs("words, each with a method of protection", deserializer).map(Self)
    }
}

impl JsonSchema for Methods {
    fn schema_name() -> Cow<'static, str> {
        "Methods".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let meaning = generator.subschema_for::<Protection>();
        json_schema!({ "type": "object", "additionalProperties": meaning })
    }
}

/// How reports are mailed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "`mail`", deny_unknown_fields)]
#[schemars(rename = "MailEntry")]
pub struct MailEntry {
    /// `smtp://host:port`, `smtps://host`, or `file:DIR`.
    pub url: At<Sourced>,
    /// The user.
    pub user: Option<At<Sourced>>,
    /// Where the password is; never the password itself.
    pub password: Option<SecretRef>,
    /// The sender.
    pub from: At<String>,
    /// Who gets the reports of jobs without receivers of their own.
    pub to: Option<Vec<At<String>>>,
    /// File of a private certificate authority.
    pub ca: Option<At<String>>,
}

/// A key whose action is not built: whatever it holds, it is refused and not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotBuilt;

impl<'de> Deserialize<'de> for NotBuilt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for NotBuilt {
    fn schema_name() -> Cow<'static, str> {
        "NotBuilt".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Not built yet: refused, never ignored.", "not": {} })
    }
}
