//! Neo4j that insists on TLS, with a certificate of an authority of its own.

use super::users_fixture::{graph, open, policy};
use crate::support::certificates::Certificates;
use crate::support::sandbox::Sandbox;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A Neo4j of a test's own, from the jars that `tests/run` fetches; whoever comes over TLS is let in.
struct Sealed {
    child: Child,
    port: u16,
    certificates: Certificates,
    folder: TempDir,
}

impl Sealed {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["conf", "data", "logs", "run", "plugins", "import", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let certificates = Certificates::new(&folder.path().join("tls"));
        let port = TcpListener::bind("127.0.0.1:0").expect("a spare port").local_addr().expect("an address").port();
        let settings = format!(
            "server.bolt.listen_address=127.0.0.1:{port}\nserver.bolt.advertised_address=127.0.0.1:{port}\n\
             server.bolt.tls_level=REQUIRED\ndbms.ssl.policy.bolt.enabled=true\ndbms.ssl.policy.bolt.client_auth=NONE\n\
             dbms.ssl.policy.bolt.base_directory={}\ndbms.ssl.policy.bolt.private_key={}\ndbms.ssl.policy.bolt.public_certificate={}\n\
             server.http.enabled=false\nserver.https.enabled=false\ndbms.usage_report.enabled=false\ndbms.security.auth_enabled=false\n\
             server.memory.pagecache.size=16m\ndb.tx_log.preallocate=false\n",
            at("tls"),
            certificates.key.display(),
            certificates.certificate.display(),
        );
        std::fs::write(folder.path().join("conf/neo4j.conf"), settings).expect("a file");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        let mut java = Command::new("java");
        java.args([
            "-Xms64m",
            "-Xmx384m",
            "-XX:TieredStopAtLevel=1",
            "-Dlog4j2.disable.jmx=true",
            "-Dio.netty.tryReflectionSetAccessible=true",
        ]);
        java.arg(format!("-Djava.io.tmpdir={}", at("tmp")));
        for package in ["java.nio", "java.io", "sun.nio.ch", "java.util.concurrent", "java.lang"] {
            java.arg(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
        }
        java.arg("-cp").arg(jars().join("*")).args(["org.neo4j.server.CommunityEntryPoint", "--console-mode"]);
        java.arg(format!("--home-dir={}", folder.path().display())).arg(format!("--config-dir={}", at("conf")));
        let child =
            java.current_dir(folder.path()).stdin(Stdio::null()).stderr(log.try_clone().expect("the log")).stdout(log).spawn();
        let mut own = Self { child: child.expect("java, which `tests/run` installs"), port, certificates, folder };
        own.wait_until_it_listens();
        own
    }

    fn wait_until_it_listens(&mut self) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let said = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(self.child.try_wait().expect("its state").is_none(), "Neo4j died while starting\n{}", said());
            assert!(began.elapsed() < Duration::from_secs(180), "Neo4j does not start\n{}", said());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Makes it the graph of a sandbox, under a scheme, with what else the configuration shall say of it.
    fn is_graph_of(&self, sandbox: &Sandbox, scheme: &str, more: &str) {
        sandbox.config("");
        let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
        let graph = graph(sandbox);
        let from = format!("url: \"{}\", user", graph.url());
        assert!(config.contains(&from), "{config}");
        let to = format!("url: \"{scheme}://127.0.0.1:{}\", {more}user", self.port);
        sandbox.write("steward.yaml", &config.replace(&from, &to));
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The jars, where `tests/servers/neo4j.sh` puts them.
fn jars() -> PathBuf {
    let below = |variable: &str, rest: &str| std::env::var_os(variable).map(|at| Path::new(&at).join(rest));
    let caches = [
        below("STEWARD_TEST_CACHE", ""),
        below("XDG_CACHE_HOME", "steward-tests"),
        Some(PathBuf::from("/var/cache/steward-tests")),
        below("HOME", ".cache/steward-tests"),
    ];
    let jars = caches.into_iter().flatten().map(|cache| cache.join("neo4j/lib")).find(|jars| jars.is_dir());
    jars.expect("the jars of Neo4j, which `tests/run` fetches where no container engine runs")
}

#[test]
fn tls_is_checked_against_a_private_authority_and_a_url_without_tls_is_told_so() {
    let sealed = Sealed::start();
    let sandbox = open();
    policy(&sandbox, "");
    let run = |code: i32| sandbox.steward(["run-job", "clean-graph", "--json"]).must_end(code);
    let ca = |path: &Path| format!("ca: \"{}\", ", path.display());
    let ours = ca(&sealed.certificates.ca);

    // The first answer may take longer than the first listening.
    sealed.is_graph_of(&sandbox, "bolt+s", &ours);
    let began = Instant::now();
    while sandbox.steward(["run-job", "clean-graph"]).code != Some(0) {
        assert!(began.elapsed() < Duration::from_secs(120), "{}", run(0));
    }
    let told = sandbox.steward(["doctor"]);
    assert!(told.stdout.contains("Neo4j 5") && !told.stdout.contains("without TLS"), "{told}");

    // A `ca` is never in vain: it means TLS, and its check.
    for scheme in ["bolt", "bolt+ssc"] {
        sealed.is_graph_of(&sandbox, scheme, &ours);
        run(0);
    }
    let strangers = Certificates::new(&sandbox.path("strangers"));
    for (scheme, more) in [("bolt+s", ca(&strangers.ca)), ("bolt", ca(&strangers.ca)), ("bolt+s", String::new())] {
        sealed.is_graph_of(&sandbox, scheme, &more);
        let ended = run(75);
        assert!(ended.stdout.contains("certificate"), "{scheme} {more}: {ended}");
        assert!(!ended.json()["datasets"][0]["due"].is_u64(), "nothing is known of it: {ended}");
    }
    // Encrypted and nobody asked who it is: only where that was written.
    sealed.is_graph_of(&sandbox, "bolt+ssc", "");
    run(0);

    sealed.is_graph_of(&sandbox, "bolt", "");
    let ended = run(78);
    assert!(ended.stdout.contains("SW4031") && ended.stdout.contains("speaks TLS only"), "{ended}");
    assert!(ended.stdout.contains("bolt+s://"), "it does not say the way out: {ended}");
    assert!(ended.stderr.lines().last().is_some_and(|line| line.starts_with("invalid (exit 78)")), "{ended}");

    // And the other way round: the servers of all tests speak no TLS.
    sandbox.config("");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    sandbox.write("steward.yaml", &config.replace("\"bolt://", "\"bolt+s://"));
    let ended = run(78);
    assert!(ended.stdout.contains("speaks no TLS"), "{ended}");
}
