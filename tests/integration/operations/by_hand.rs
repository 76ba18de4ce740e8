//! One run by hand beside the service: by root, by the service's user, and by what an older steward left.

use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `nobody`, or whoever has that number.
const SERVICE: u32 = 65_534;

/// A sandbox whose folder, and all in it, belongs to the service's user; none where we cannot become somebody else.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.sql(
        "create table marks (id integer primary key, created_at text); insert into marks values (1, '2020-01-01 00:00:00');",
    );
    sandbox.policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n");
    sandbox.job("delete-marks", "action: delete\npolicies: [marks]\nmode: enforce\nreport: { when: always }\n");
    sandbox.config("mail: { url: \"file:mail/\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
    if each(&sandbox.path(""), &mut |path| chown(path, Some(SERVICE), Some(SERVICE)).is_err()) > 0 {
        eprintln!("not run: only root can become the service's user");
        return None;
    }
    Some(sandbox)
}

/// How many of the folder, and of all below it, something is true of.
fn each(path: &Path, is_so: &mut dyn FnMut(&Path) -> bool) -> usize {
    let below: Vec<PathBuf> = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    usize::from(is_so(path)) + below.iter().map(|path| each(path, is_so)).sum::<usize>()
}

/// Files of root in the sandbox; the binary, which we put there, is none of them.
fn of_root(sandbox: &Sandbox) -> usize {
    let is_roots = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|found| found.uid() == 0);
    each(&sandbox.path(""), &mut |path| is_roots(path) && !path.ends_with("steward"))
}

/// The binary with these words, run by the service's user.
fn service(sandbox: &Sandbox, words: &[&str]) -> Command {
    let ours = sandbox.command(words.iter().copied());
    // The build's own folder may be closed to others.
    let binary = sandbox.path("steward");
    if !binary.exists() {
        std::fs::hard_link(ours.get_program(), &binary)
            .or_else(|_| std::fs::copy(ours.get_program(), &binary).map(drop))
            .expect("a copy");
    }
    let id = SERVICE.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(binary).args(words).current_dir(sandbox.path(""));
    command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    command
}

fn by_service(sandbox: &Sandbox, words: &[&str]) -> Ended {
    service(sandbox, words).output().expect("setpriv").into()
}

#[test]
fn a_first_run_by_root_leaves_nothing_that_the_services_user_cannot_open() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.steward(["run-job", "delete-marks"]).must_end(0);
    sandbox.steward(["hold", "add", "case", "--dataset", "core.marks", "--because", "litigation"]).must_end(0);
    assert_eq!(of_root(&sandbox), 0);
    by_service(&sandbox, &["run-job", "delete-marks"]).must_end(0);
    by_service(&sandbox, &["doctor"]).must_end(0);
    let runs = by_service(&sandbox, &["runs", "--json"]).must_end(0).json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2), "{runs:#}");
    by_service(&sandbox, &["audit", "verify"]).must_end(0);
}

#[test]
fn a_run_by_root_that_is_killed_while_the_service_has_the_ledger_open_leaves_nothing_either() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.sql("create table waiting (n integer); insert into waiting values (1);");
    let more = "action: delete\npolicies: [marks]\nmode: enforce\npause_when: { query: { store: core, sql: \"select count(*) from waiting\" } }\n";
    sandbox.job("delete-marks", more);
    let port = super::serving::spare_port();
    let mut serve = service(&sandbox, &["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let serve = crate::service::Serving(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("setpriv"));
    crate::service::until("serve", std::time::Duration::from_secs(20), || crate::service::get(port, "/readyz").is_some());
    let mut run =
        sandbox.command(["run-job", "delete-marks"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a run");
    let runs = || by_service(&sandbox, &["runs", "--json"]).must_end(0).json()["runs"].as_array().map_or(0, Vec::len);
    crate::service::until("the run", std::time::Duration::from_secs(20), || runs() == 1);
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    drop(serve);
    assert_eq!(of_root(&sandbox), 0);
    sandbox.sql("delete from waiting");
    by_service(&sandbox, &["run-job", "delete-marks"]).must_end(0);
}

#[test]
fn doctor_finds_what_the_services_user_cannot_open_and_says_how_to_give_it_back() {
    let Some(sandbox) = sandbox() else { return };
    by_service(&sandbox, &["run-job", "delete-marks"]).must_end(0);
    // As a run by root of an older steward left them.
    let lock = sandbox.path("state/steward.db.locks/delete-marks.lock");
    chown(&lock, Some(0), Some(0)).expect("root");
    by_service(&sandbox, &["run-job", "delete-marks"]).must_end(3);
    for told in [by_service(&sandbox, &["doctor"]), sandbox.steward(["doctor"])] {
        let told = told.must_end(3);
        assert!(told.stdout.contains("delete-marks.lock") && told.stdout.contains("chown -R --reference="), "{told}");
    }
    let state = sandbox.path("state");
    assert!(
        Command::new("chown")
            .arg("-R")
            .arg(format!("--reference={}", state.display()))
            .arg(&state)
            .status()
            .expect("chown")
            .success()
    );
    by_service(&sandbox, &["run-job", "delete-marks"]).must_end(0);
    by_service(&sandbox, &["doctor"]).must_end(0);
}

#[test]
fn a_credential_that_only_a_unit_gets_names_the_command_that_gets_it() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.config("mail: { url: \"smtp://127.0.0.1:1\", user: a, password: { credential: mail-password }, from: \"a@example.com\", to: [\"b@example.com\"] }\n");
    sandbox
        .policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year } }\n");
    sandbox.job("delete-marks", "action: delete\npolicies: [marks]\n");
    let told = sandbox.command(["run-job", "delete-marks"]).env_remove("CREDENTIALS_DIRECTORY").output().expect("it starts");
    let told = Ended::from(told).must_end(78);
    let way_out = "systemd-run --pty --uid=USER -p LoadCredential=mail-password:FILE";
    assert!(told.stderr.contains(way_out), "{told}");
}
