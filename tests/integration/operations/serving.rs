//! A `serve` for one test, and what its pages say.

use crate::service::{Serving, get, until};
use crate::support::sandbox::Sandbox;
use serde_json::Value;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A `serve` that is on the clock.
pub struct Worker {
    pub serving: Serving,
    pub port: u16,
}

/// A port that nobody listens on.
pub fn spare_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a spare port").local_addr().expect("an address").port()
}

impl Worker {
    /// Starts one in this sandbox and waits until it is on the clock.
    pub fn start(sandbox: &Sandbox) -> Self {
        let worker = Self::begin(sandbox, &[]);
        until("on the clock", Duration::from_secs(30), || {
            get(worker.port, "/readyz").is_some_and(|answer| answer.contains(" 200 "))
        });
        worker
    }

    /// Starts one, with more words.
    pub fn begin(sandbox: &Sandbox, words: &[&str]) -> Self {
        let port = spare_port();
        let listen = format!("127.0.0.1:{port}");
        let words = words.iter().copied().chain(["serve", "--listen", &listen]);
        let log = std::fs::File::create(sandbox.path("serve.log")).expect("a log");
        let serve = sandbox.command(words).stdout(Stdio::null()).stderr(log).spawn().expect("the binary starts");
        Self { serving: Serving(serve), port }
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        signal(self.serving.0.id(), name);
    }

    /// The status page.
    pub fn page(&self) -> Value {
        let Some(answer) = get(self.port, "/") else { return Value::Null };
        serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).unwrap_or(Value::Null)
    }

    /// The names of the jobs on its page.
    pub fn jobs(&self) -> Vec<String> {
        let page = self.page();
        page["jobs"].as_array().into_iter().flatten().map(|job| job["job"].as_str().expect("a name").to_owned()).collect()
    }

    /// Asks it to stop, and gives its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.serving.0.wait().expect("its end").code()
    }
}

/// Sends a process a signal.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().expect("kill");
    assert!(sent.success());
}
