//! Parses, calls, and turns the outcome into an exit code.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use steward::cli::Cli;

#[expect(clippy::disallowed_methods, reason = "whether the clock can be asked at all is looked at first")]
fn main() -> ExitCode {
    // Nothing can be dated by such a clock: no log line, no run, no cutoff.
    if SystemTime::now() < UNIX_EPOCH {
        eprintln!("refused (exit 4): this machine's clock stands before 1970; nothing was touched\nhelp: set the clock");
        return ExitCode::from(4);
    }
    // One provider for the whole process: drivers that bring their own would make the choice ambiguous.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("another crypto provider was installed first");
        return ExitCode::from(70);
    }
    let cli = Cli::typed();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime does not start: {error}");
            return ExitCode::from(71);
        }
    };
    let code = runtime.block_on(cli.run());
    // A statement that never answers must not keep the process: everything that matters is in the ledger.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    ExitCode::from(code)
}
