//! Servers of a test's own, a primary and its replica among them, from the binaries that `tests/run` installs: what is done to them must not
//! happen to the servers that all tests share.

use super::engine::Engine;
use super::wait::wait;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server that gave no answer within this does not start.
const STARTS_WITHIN: Duration = Duration::from_secs(90);

/// A primary and its replica; both go with the test.
pub struct Pair {
    pub primary: Own,
    pub replica: Own,
    _folder: TempDir,
}

/// One of the two.
pub struct Own {
    engine: Engine,
    pub port: u16,
    child: Child,
    /// Its folder, where it is alone.
    kept: Option<TempDir>,
}

impl Pair {
    /// Starts both, and waits until the replica has all that the primary has: a table `t` of numbers.
    pub fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        give_away(folder.path());
        let pair = match engine {
            Engine::Postgres => postgres(folder),
            Engine::Mysql | Engine::Mariadb => mysql(engine, folder),
            Engine::Sqlite => unreachable!("a file has no replica"),
        };
        pair.primary.sql("create table t (id integer)");
        pair.write();
        pair.catches_up();
        pair
    }

    /// Writes a row on the primary.
    pub fn write(&self) {
        self.primary.sql("insert into t values (1)");
    }

    /// Waits until the replica has every row of the primary.
    pub fn catches_up(&self) {
        let rows = |own: &Own| own.try_value("select count(*) from t");
        let began = Instant::now();
        while rows(&self.replica).is_none() || rows(&self.replica) != rows(&self.primary) {
            assert!(began.elapsed() < STARTS_WITHIN, "the replica does not catch up");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Own {
    /// One MySQL or MariaDB, for what must not happen to the server that all tests share.
    pub fn alone(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        give_away(folder.path());
        let mut own = mysql_server(engine, folder.path(), "alone", "1");
        own.kept = Some(folder);
        own
    }

    /// Its URL, for a user who may do all and has no password.
    pub fn url(&self) -> String {
        match self.engine {
            Engine::Postgres => format!("postgres://postgres@127.0.0.1:{}/postgres", self.port),
            _ => format!("mysql://root@127.0.0.1:{}/mysql", self.port),
        }
    }

    /// Runs statements, one after another.
    pub fn sql(&self, script: &str) {
        self.try_sql(script).unwrap_or_else(|error| panic!("{} refuses: {error}\n{script}", self.engine.name()));
    }

    /// The first value of a query, as a number.
    pub fn try_value(&self, query: &str) -> Option<i64> {
        let sql = AssertSqlSafe(query.to_owned());
        let (url, engine) = (self.url(), self.engine);
        wait(async move {
            match engine {
                Engine::Postgres => {
                    sqlx::query(sql).fetch_one(&mut PgConnection::connect(&url).await.ok()?).await.ok()?.try_get_unchecked(0).ok()
                }
                _ => sqlx::query(sql)
                    .fetch_one(&mut MySqlConnection::connect(&url).await.ok()?)
                    .await
                    .ok()?
                    .try_get_unchecked(0)
                    .ok(),
            }
        })
    }

    fn try_sql(&self, script: &str) -> Result<(), sqlx::Error> {
        let statements: Vec<String> = script.split(';').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
        let (url, engine) = (self.url(), self.engine);
        wait(async move {
            match engine {
                Engine::Postgres => {
                    let mut link = PgConnection::connect(&url).await?;
                    for one in statements {
                        sqlx::raw_sql(AssertSqlSafe(one)).execute(&mut link).await?;
                    }
                }
                _ => {
                    let mut link = MySqlConnection::connect(&url).await?;
                    for one in statements {
                        sqlx::raw_sql(AssertSqlSafe(one)).execute(&mut link).await?;
                    }
                }
            }
            Ok(())
        })
    }

    fn start(engine: Engine, port: u16, command: &mut Command, log: &Path) -> Self {
        let file = std::fs::File::create(log).expect("a log");
        let errors = file.try_clone().expect("the log");
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut own = Self { engine, port, child, kept: None };
        let began = Instant::now();
        while let Err(error) = own.try_sql("select 1") {
            let said = || std::fs::read_to_string(log).unwrap_or_default();
            assert!(own.child.try_wait().expect("its state").is_none(), "{} died while starting\n{}", engine.name(), said());
            assert!(began.elapsed() < STARTS_WITHIN, "{} does not start: {error}\n{}", engine.name(), said());
            std::thread::sleep(Duration::from_millis(100));
        }
        own
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // PostgreSQL ends its children and frees its shared memory on QUIT, which KILL would not.
        let signal = if self.engine == Engine::Postgres { "-QUIT" } else { "-KILL" };
        let _ = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn postgres(folder: TempDir) -> Pair {
    let bin = newest_postgres();
    let [at_primary, at_replica] = ["primary", "replica"].map(|name| folder.path().join(name));
    let data = |at: &Path| at.display().to_string();
    must(
        as_nobody(bin.join("initdb"))
            .args(["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&at_primary),
    );
    let start = |at: &Path, port: u16| {
        let mut command = as_nobody(bin.join("postgres"));
        command.args(["-D", &data(at), "-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        command.arg("-c").arg(format!("unix_socket_directories={}", folder.path().display()));
        command.args(["-c", "shared_buffers=16MB", "-c", "wal_receiver_status_interval=1s"]);
        Own::start(Engine::Postgres, port, &mut command, &at.with_extension("log"))
    };
    let primary = start(&at_primary, spare_port());
    let port = primary.port.to_string();
    must(
        as_nobody(bin.join("pg_basebackup"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-D"])
            .arg(&at_replica),
    );
    let replica = start(&at_replica, spare_port());
    Pair { primary, replica, _folder: folder }
}

fn mysql(engine: Engine, folder: TempDir) -> Pair {
    let (primary, replica) =
        (mysql_server(engine, folder.path(), "primary", "1"), mysql_server(engine, folder.path(), "replica", "2"));
    let (word, gtid, start) = match engine {
        Engine::Mysql => ("REPLICATION SOURCE TO SOURCE", "SOURCE_AUTO_POSITION = 1", "START REPLICA"),
        _ => ("MASTER TO MASTER", "MASTER_USE_GTID = slave_pos", "START SLAVE"),
    };
    let prefix = word.rsplit(' ').next().unwrap_or_default();
    replica.sql(&format!(
        "CHANGE {word}_HOST = '127.0.0.1', {prefix}_PORT = {}, {prefix}_USER = 'root', {prefix}_CONNECT_RETRY = 1, {gtid}; {start}",
        primary.port
    ));
    Pair { primary, replica, _folder: folder }
}

fn mysql_server(engine: Engine, folder: &Path, name: &str, id: &str) -> Own {
    let at = folder.join(name);
    std::fs::create_dir_all(at.join("tmp")).expect("a folder");
    // Nobody's name leads in from a port without this; and what only one of them does must not reach the other.
    std::fs::write(at.join("init.sql"), "SET SESSION sql_log_bin = 0;\nRENAME USER root@localhost TO root@'%';\n")
        .expect("a file");
    give_away(&at);
    let folders = [format!("--datadir={}", at.join("data").display()), format!("--tmpdir={}", at.join("tmp").display())];
    let port = spare_port();
    let mut command = if engine == Engine::Mysql {
        must(mysqld().args(&folders).arg("--initialize-insecure"));
        let mut command = mysqld();
        command.args(&folders).args([
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--mysqlx=OFF",
            "--secure-file-priv=NULL",
        ]);
        command
    } else {
        must(
            as_nobody("mariadb-install-db")
                .arg("--no-defaults")
                .args(&folders)
                .args(["--skip-test-db", "--auth-root-authentication-method=normal"]),
        );
        let mut command = as_nobody("/usr/sbin/mariadbd");
        command.arg("--no-defaults").args(&folders);
        command
    };
    let path = |name: &str| at.join(name).display().to_string();
    command.args(["--bind-address=127.0.0.1", &format!("--port={port}"), &format!("--server-id={id}"), "--log-bin=binlog"]);
    command.args([
        format!("--socket={}", path("socket")),
        format!("--pid-file={}", path("pid")),
        format!("--init-file={}", path("init.sql")),
    ]);
    command.args([
        "--performance-schema=OFF",
        "--innodb-buffer-pool-size=16M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=OFF",
    ]);
    Own::start(engine, port, &mut command, &at.join("log"))
}

/// Debian unstable's MySQL as `tests/servers/mysql.sh` unpacks it, by the loader and the libraries that came with it; else
/// the one that is installed.
fn mysqld() -> Command {
    let mut caches = vec![PathBuf::from("/var/cache/steward-tests")];
    caches.extend(std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/steward-tests")));
    caches.extend(std::env::var_os("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("steward-tests")));
    caches.extend(std::env::var_os("STEWARD_TEST_CACHE").map(PathBuf::from));
    let tree = caches.into_iter().rev().map(|cache| cache.join("mysql")).find(|tree| tree.join("usr/sbin/mysqld").exists());
    let Some(tree) = tree else {
        let mut command = as_nobody("mysqld");
        command.arg("--no-defaults");
        return command;
    };
    let below = |folder: &Path, fits: &dyn Fn(&str) -> bool| {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(fits))
            .expect("MySQL's loader and libraries")
    };
    let libraries = below(&tree.join("usr/lib"), &|name| name.ends_with("-linux-gnu"));
    let loader = below(&libraries, &|name| name.starts_with("ld-linux-") && name.contains(".so."));
    let mut command = as_nobody(loader);
    command.arg("--library-path").arg(&libraries).arg(tree.join("usr/sbin/mysqld")).arg("--no-defaults");
    command.arg(format!("--basedir={}", tree.join("usr").display()));
    command.arg(format!("--plugin-dir={}", tree.join("usr/lib/mysql/plugin").display()));
    command
}

fn newest_postgres() -> PathBuf {
    let installed =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let version = |bin: &PathBuf| bin.parent().and_then(|at| at.file_name()?.to_str()?.parse::<u32>().ok());
    let newest = installed.filter(|bin| bin.join("pg_basebackup").exists()).max_by_key(version);
    newest.expect("PostgreSQL in /usr/lib/postgresql, as Debian's package puts it")
}

/// A command as `nobody` where we are root: database servers refuse to run as root.
fn as_nobody(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
        .arg(program)
        .env("HOME", "/nonexistent")
        .current_dir("/");
    command
}

/// A folder for whom [`as_nobody`] runs.
fn give_away(folder: &Path) {
    if is_root() {
        must(Command::new("chown").args(["-R", "nobody"]).arg(folder));
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|told| told.stdout == b"0\n")
}

fn must(command: &mut Command) {
    let done = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        done.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

fn spare_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a spare port").local_addr().expect("an address").port()
}
