//! What is right is read: the keys of the schemas, and the reference's own examples.

use super::{read, registry};
use crate::declarations::schema::{Subject, schema};

#[test]
fn the_schemas_know_exactly_the_keys_that_are_read() {
    use crate::{
        config::file::*, job::file::*, policy::entries::*, policy::expiry_file::*, policy::file::*, policy::view_file::*,
    };
    let keys = |subject: Subject, of: &str| -> Vec<String> {
        let schema: serde_json::Value = serde_json::from_str(&schema(subject, &registry().checks)).unwrap();
        let object = if of.is_empty() { &schema } else { &schema["definitions"][of] };
        assert_eq!(object["additionalProperties"], false, "{of}");
        object["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let sorted = |keys: &[&str]| {
        let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(Subject::Policy, ""), sorted(&keys_read::<PolicyFile>()));
    assert_eq!(keys(Subject::Policy, "LifecycleEntry"), sorted(&keys_read::<LifecycleEntry>()));
    assert_eq!(keys(Subject::Policy, "FieldEntry"), sorted(&keys_read::<FieldEntry>()));
    assert_eq!(keys(Subject::Policy, "HoldEntry"), sorted(&keys_read::<HoldEntry>()));
    assert_eq!(keys(Subject::Policy, "ExpiryEntry"), sorted(&keys_read::<ExpiryEntry>()));
    assert_eq!(keys(Subject::Policy, "ViewEntry"), sorted(&keys_read::<ViewEntry>()));
    assert_eq!(keys(Subject::Job, ""), sorted(&keys_read::<JobFile>()));
    assert_eq!(keys(Subject::Config, ""), sorted(&keys_read::<ConfigFile>()));
    assert_eq!(keys(Subject::Config, "StoreEntry"), sorted(&keys_read::<StoreEntry>()));
    assert_eq!(keys(Subject::Config, "MailEntry"), sorted(&keys_read::<MailEntry>()));
}

/// The reference's own examples, without what it says comes later.
#[test]
fn the_examples_of_the_reference_are_read() {
    let config = r#"
stores:
  core:     { url: "mysql://steward@127.0.0.1/jobfirst", password: { env: CORE_PASSWORD } }
  platform: { url: "postgres://steward@127.0.0.1/looma", password: { env: PLATFORM_PASSWORD } }
  small:    { url: "sqlite:company.db" }
state: state/
ledger: "sqlite:state/steward.db"
policies: [policies/]
jobs: jobs/
policy_tables:
  lifecycle: core.data_lifecycle_policies
  classification: core.data_classification_tags
  clock: created_at
mail: { url: "smtp://127.0.0.1:1025", user: steward, password: { env: MAIL_PASSWORD }, from: "steward@example.com", to: ["dpo@example.com"] }
"#;
    let policy = r#"
owner: finance@example.com
lifecycle:
  - name: consumption-records
    dataset: platform.financial_management.consumption_record
    clock: created_at
    where: "amount > 0"
    archive: { after: 6 months, to: platform.archive.consumption_record_archive, create: false }
    delete:  { after: 7 years }
    keep_at_least: { for: 3 years, because: tax law }
    guard: { max_rows: 500000, max_percent: 90 }
    cascade: refuse
classification:
  - dataset: core.users
    fields:
      email: { type: PII, sensitivity: high, protect: aes256, sealed_in: email_encrypted, retention: 2555 days, encrypt: true, restrict: true, audit: true }
holds:
  - { name: case-114, dataset: core.users, where: "id in (17, 42)", because: litigation, owner: legal@example.com }
"#;
    let job = r#"
action: archive
policies: [consumption-records]
schedule: "15 2 * * *"
timezone: Asia/Shanghai
budget: 40 minutes
pause_when: { replica_lag: 5 s }
mode: enforce
report: { to: [dpo@example.com], when: changed }
"#;
    let files = [("steward.yaml", config), ("policies/finance.yaml", policy), ("jobs/archive-consumption.yaml", job)];
    let (declarations, warnings) = read(&files).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    assert!(warnings.diagnostics.is_empty(), "{warnings}");
    assert!(declarations.tables_unread);
    let policy = declarations.policies.lifecycle("consumption-records").unwrap();
    assert_eq!(policy.owner.as_deref(), Some("finance@example.com"));
    assert_eq!(policy.places[0].to_string(), "policies/finance.yaml:4:5");
    assert_eq!(policy.guard.max_rows, 500_000);
    assert_eq!(declarations.job("archive-consumption").unwrap().pause.replica_lag.unwrap().to_string(), "5 seconds");
    let archive = "platform.archive.consumption_record_archive".parse().unwrap();
    assert_eq!(declarations.policies.holds_for(&archive).count(), 0);
    assert!(declarations.policies.is_secret(&"core.users".parse().unwrap(), "email"));
    assert!(!declarations.policies.is_public(&"core.users".parse().unwrap(), "nickname"));
}

/// The keys that serde reads.
fn keys_read<T: serde::de::DeserializeOwned>() -> Vec<&'static str> {
    struct Keys<'k>(&'k mut Vec<&'static str>);
    impl<'de> serde::Deserializer<'de> for Keys<'_> {
        type Error = serde::de::value::Error;
        fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("no struct"))
        }
        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            keys: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.0.extend(keys);
            self.deserialize_any(visitor)
        }
        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut keys = vec![];
    assert!(T::deserialize(Keys(&mut keys)).is_err());
    keys
}
