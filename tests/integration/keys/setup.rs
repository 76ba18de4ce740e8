//! What tests of keys stand on: a sandbox with a cache, and the action itself where a test must come in between.

use crate::references::stores::address;
use crate::support::engine::Engine;
use crate::support::keyspace::{KeyServer, Keyspace};
use crate::support::sandbox::{Ended, Sandbox, URL};
use std::sync::Arc;
use steward::action::{Action, Batch, Context, Tally};
use steward::actions;
use steward::actions::expire::{Caches, Expire};
use steward::declarations::reading::Declarations;
use steward::policy::hold::{Hold, HoldOrigin};
use steward::store::page::Page;
use steward::store::registry::Stores;
use steward::store::survey::Survey;
use steward::store::value::Cell;

/// The action on caches.
pub type Sweep = Expire<Caches>;

/// A sandbox with keys, an enforcing job `sweep` on every cache policy, one `end` on every session policy.
pub fn sandbox(server: KeyServer, policy: &str) -> Sandbox {
    let mut sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.add_cache(server);
    sandbox.config("");
    sandbox.policy("keys", &policy.replace("{{prefix}}", &keys(&sandbox).prefix));
    let jobs = [("sweep", "sweep-cache", "cache:"), ("end", "expire-sessions", "sessions:")];
    // A job whose pattern matches no policy is an error.
    let has = |section: &str| policy.lines().any(|line| line.starts_with(section));
    for (job, action, _) in jobs.into_iter().filter(|(_, _, section)| has(section)) {
        sandbox.job(job, &format!("action: {action}\npolicies: [\"*\"]\nmode: enforce\n"));
    }
    sandbox
}

/// Its keys.
pub fn keys(sandbox: &Sandbox) -> &Keyspace {
    sandbox.cache.as_ref().expect("a cache")
}

/// Runs a job to this exit code and gives the report on the first dataset.
#[track_caller]
pub fn run(sandbox: &Sandbox, job: &str, code: i32) -> serde_json::Value {
    sandbox.steward(["run-job", job, "--yes", "--json"]).must_end(code).json()["datasets"][0].clone()
}

/// Everything a run left on disk and said.
pub fn traces(sandbox: &Sandbox, ended: &Ended) -> String {
    let mut text = format!("{}{}", ended.stdout, ended.stderr);
    let mut folders = vec![sandbox.path("state")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                text.push_str(&String::from_utf8_lossy(&std::fs::read(path).expect("a file")));
            }
        }
    }
    text
}

/// What the action sees: the sandbox's declarations and stores, these holds, no runner around it.
pub fn context(sandbox: &Sandbox, holds: Vec<Hold>) -> Context {
    context_at(sandbox, &keys(sandbox).url_with_password(), holds)
}

/// The same with another server behind the store `cache`.
pub fn context_at(sandbox: &Sandbox, cache: &str, holds: Vec<Hold>) -> Context {
    let url = sandbox.database.url();
    let password = keys(sandbox).address.password.clone();
    let variable = |name: &str| match name {
        URL => Some(url.clone()),
        _ => Some(password.clone()),
    };
    let read = Declarations::read(&sandbox.path("steward.yaml"), &variable, &actions::registry());
    let (declarations, _) = read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let job = Arc::new(declarations.job("sweep").expect("the job").clone());
    let stores = Stores::new([address("core", &url), address("cache", cache)]).expect("stores");
    Context::new("run".into(), job, Arc::new(stores), Arc::new(declarations.policies), holds)
}

/// The action on the job's first policy, prepared.
pub async fn sweep(cx: &Context) -> Sweep {
    let target = Sweep::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
    Sweep::prepare(cx, &target, chrono::Utc::now()).await.unwrap_or_else(|failure| panic!("{failure}"))
}

/// What it counts.
pub async fn survey(cx: &Context) -> Survey {
    sweep(cx).await.survey(cx).await.unwrap_or_else(|failure| panic!("{failure}"))
}

/// Carries out a page.
pub async fn apply(action: &Sweep, cx: &Context, page: Page) -> Tally {
    let batch = Batch { id: "batch".into(), page };
    action.apply(cx, &batch).await.unwrap_or_else(|failure| panic!("{failure}"))
}

/// The names on a page.
pub fn names(page: &Page) -> Vec<Vec<u8>> {
    let name = |key: Vec<Cell>| match key.into_iter().next() {
        Some(Cell::Bytes(name)) => name,
        other => panic!("no name: {other:?}"),
    };
    page.keys().into_iter().map(name).collect()
}

/// A hold on a dataset.
pub fn hold(name: &str, dataset: &str) -> Hold {
    Hold {
        name: name.into(),
        dataset: dataset.parse().expect("a dataset"),
        r#where: None,
        because: "litigation".into(),
        owner: None,
        origin: HoldOrigin::Command,
    }
}

/// Waits for a future.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
