//! What may stand in `steward.yaml`.

use super::secret::{SecretRef, Sourced};
use crate::policy::classification::Protection;
use crate::policy::dataset::DatasetName;
use crate::policy::entries::ClockEntry;
use crate::policy::period::Period;
use crate::yaml::fields::declared;
use crate::yaml::node::{At, Key, Named, Node, Value};
use crate::yaml::reading::{Read, Reading};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

declared! {
    /// The configuration: what there is to govern, and where things live. Relative paths begin at this file.
    "the configuration" ConfigFile {
        /// The databases, each under the name that datasets begin with.
        "stores" stores: Named<StoreEntry>,
        /// Folder of reports, the mail spool and the default ledger; `state/` by default.
        "state" state: Option<String>,
        /// Where runs, locks and evidence live; `sqlite:state/steward.db` by default.
        "ledger" ledger: Option<At<Sourced>>,
        /// Folders or files of policies; `[policies/]` by default.
        "policies" policies: Option<Vec<At<String>>>,
        /// Folder of jobs; `jobs/` by default.
        "jobs" jobs: Option<At<String>>,
        /// The same policies, kept in a database.
        "policy_tables" policy_tables: Option<At<PolicyTablesEntry>>,
        /// Comes with `encrypt`; refused until then.
        "keys" keys: Option<At<NotBuilt>>,
        /// How reports are mailed.
        "mail" mail: Option<At<MailEntry>>,
        /// Address of `serve`'s pages; `127.0.0.1:9464` by default.
        "listen" listen: Option<At<String>>,
        /// Names under which browsers may ask for `serve`'s pages, beside addresses and this machine's own name.
        "hosts" hosts: Option<Vec<At<String>>>,
    }
}

declared! {
    /// One database.
    "a store" StoreEntry {
        /// `mysql://…`, `mariadb://…`, `postgres://…`, `sqlite:…`; no password in it.
        "url" url: At<Sourced>,
        /// The user, where the URL names none.
        "user" user: Option<At<Sourced>>,
        /// Where the password is; never the password itself.
        "password" password: Option<SecretRef>,
        /// File of a private certificate authority.
        "ca" ca: Option<At<String>>,
        /// How long a statement waits for a lock.
        "lock_timeout" lock_timeout: Option<At<Period>>,
        /// How long a statement may take.
        "statement_timeout" statement_timeout: Option<At<Period>>,
        /// The most connections at once.
        "connections" connections: Option<At<u64>>,
    }
}

declared! {
    /// Where policies are kept in a database.
    "`policy_tables`" PolicyTablesEntry {
        /// The table of lifecycle policies.
        "lifecycle" lifecycle: Option<At<DatasetName>>,
        /// The table of classification tags.
        "classification" classification: Option<At<DatasetName>>,
        /// The clock of the lifecycle table's rows, which name none.
        "clock" clock: Option<At<ClockEntry>>,
        /// What words of `protection_method` mean that are not steward's: `{ kms_v2: aes256 }`.
        "protection_methods" protection_methods: Option<Methods>,
    }
}

/// Words for methods of protection, each with what it means.
#[derive(Debug, Clone)]
pub struct Methods(pub Vec<(String, Protection)>);

impl Read for Methods {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let Value::Map(pairs) = &node.value else {
            reading.wrong_kind(node, "words, each with a method of protection");
            return None;
        };
        let meaning = |(key, value): &(Key, Node)| Some((key.text.clone(), Protection::read(value, reading)?));
        pairs.iter().map(meaning).collect::<Option<Vec<_>>>().map(Self)
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

declared! {
    /// How reports are mailed.
    "`mail`" MailEntry {
        /// `smtp://host:port`, `smtps://host`, or `file:DIR`.
        "url" url: At<Sourced>,
        /// The user.
        "user" user: Option<At<Sourced>>,
        /// Where the password is; never the password itself.
        "password" password: Option<SecretRef>,
        /// The sender.
        "from" from: At<String>,
        /// Who gets the reports of jobs that name nobody.
        "to" to: Option<Vec<At<String>>>,
        /// File of a private certificate authority.
        "ca" ca: Option<At<String>>,
    }
}

/// A key whose action is not built: whatever it holds, it is refused and not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotBuilt;

impl Read for NotBuilt {
    fn read(_: &Node, _: &mut Reading<'_>) -> Option<Self> {
        Some(Self)
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
