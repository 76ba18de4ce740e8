//! One check measured as the runner would: declared in a policy file, read, and looked at by its kind.

use crate::support::engine::Engine;
use crate::support::sandbox::{Sandbox, URL};
use chrono::{DateTime, Utc};
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;
use steward::action::{Context, Measured};
use steward::actions::{self, checks};
use steward::declarations::reading::Declarations;
use steward::diagnostic::diagnosis::Diagnosis;
use steward::job::spec::{Job, Mode, ReportRule};
use steward::place::Place;
use steward::store::address::{StoreAddress, StoreLocation};
use steward::store::error::StoreFailure;
use steward::store::registry::Stores;
use tokio::runtime::Runtime;

/// When every check here is measured.
pub const AS_OF: &str = "2026-11-21T12:00:00Z";

/// A sandbox with tables, to look at.
pub struct Sight {
    pub sandbox: Sandbox,
    pub engine: Engine,
    stores: OnceCell<Arc<Stores>>,
    runtime: Runtime,
}

impl Sight {
    /// A sandbox on an engine, its tables made and filled by a script; `{{words}}` as in the cases.
    pub fn new(engine: Engine, script: &str) -> Self {
        let sandbox = Sandbox::new(engine);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let sight = Self { sandbox, engine, stores: OnceCell::new(), runtime };
        sight.sql(script);
        sight
    }

    /// Runs a script, `{{words}}` and `[names]` put in this engine's own.
    pub fn sql(&self, script: &str) {
        if !script.is_empty() {
            self.sandbox.sql(&self.words(script));
        }
    }

    /// The text with `{{words}}` in this engine's own.
    pub fn words(&self, script: &str) -> String {
        let mut text = script.to_owned();
        while let Some((before, rest)) = text.split_once("{{") {
            let (word, after) = rest.split_once("}}").expect("a word ends");
            let said = self.engine.word(word).unwrap_or_else(|| panic!("no word `{word}`"));
            text = format!("{before}{said}{after}");
        }
        text
    }

    fn read(&self, policy: &str) -> Result<Declarations, Diagnosis> {
        self.sandbox.policy("looked", policy);
        let url = self.sandbox.database.url();
        let variable = |name: &str| (name == URL).then(|| url.clone());
        let read = Declarations::read(&self.sandbox.path("steward.yaml"), &variable, &actions::registry());
        read.map(|(declarations, _)| declarations)
    }

    /// True where a policy file is valid by itself.
    pub fn is_sound(&self, policy: &str) -> bool {
        self.read(policy).is_ok()
    }

    /// Measures the one check of a policy file.
    pub fn measure(&self, policy: &str) -> Result<Measured, StoreFailure> {
        let declarations = self.read(policy).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        let policies = Arc::new(declarations.policies);
        let check = policies.checks.first().expect("a check").clone();
        let kind = checks::named(check.shape.key).expect("a kind");
        self.runtime.block_on(async {
            let stores = self.stores.get_or_init(|| Arc::new(Stores::new([self.address()]).expect("a store"))).clone();
            let holds = policies.holds.clone();
            let cx = Context::new("0199".into(), Arc::new(job()), stores, policies, holds);
            (kind.measure)(&cx, &check, as_of()).await
        })
    }

    /// The same, for what must work.
    #[track_caller]
    pub fn sees(&self, policy: &str) -> Measured {
        match self.measure(policy) {
            Ok(measured) => measured,
            Err(failure) => panic!("{}: {failure}\n{policy}", self.engine.name()),
        }
    }

    /// The same, for what must not, whether that is known from the file alone or not: the sentence people are told.
    #[track_caller]
    pub fn refuses(&self, policy: &str) -> String {
        if let Err(diagnosis) = self.read(policy) {
            return diagnosis.to_string();
        }
        match self.measure(policy) {
            Ok(measured) => panic!("{}: {measured:?}\n{policy}", self.engine.name()),
            Err(failure) => failure.to_string(),
        }
    }

    /// Value and whole of a check, and that its query, typed in by hand, gives the value again (promise 12).
    #[track_caller]
    pub fn counts(&self, policy: &str) -> (u64, Option<u64>) {
        let measured = self.sees(policy);
        if let Some(query) = &measured.query {
            assert_eq!(self.sandbox.database.count(query), measured.value, "{}: {query}", self.engine.name());
        }
        (measured.value, measured.of)
    }

    fn address(&self) -> StoreAddress {
        let at = match self.sandbox.database.file() {
            Some(file) => StoreLocation::File(file.to_owned()),
            None => StoreLocation::Server { url: self.sandbox.database.url().into(), user: None, password: None, ca: None },
        };
        let (lock_timeout, statement_timeout) = (Duration::from_secs(5), Duration::from_secs(30));
        StoreAddress { name: "core".into(), at, lock_timeout, statement_timeout, connections: 2 }
    }
}

fn job() -> Job {
    Job {
        name: "check-quality".into(),
        action: "check-quality".into(),
        policies: vec!["*".into()],
        after: vec![],
        schedule: None,
        timezone: chrono_tz::Tz::UTC,
        budget: None,
        pause: Default::default(),
        retry_after: None,
        mode: Mode::Enforce,
        report: ReportRule::default(),
        place: Place::File { file: "jobs/check-quality.yaml".into(), line: 1, column: 1 },
    }
}

fn as_of() -> DateTime<Utc> {
    AS_OF.parse().expect("an instant")
}
