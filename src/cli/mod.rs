//! What people type. One file per family of commands; each parses its words, calls, and says how it ended.

mod demo;
mod end;
mod house;
mod logs;
mod plan;
mod run_job;
mod validate;
mod watch;

use clap::{Args, Parser, Subcommand};
use end::End;
use std::path::PathBuf;

/// Keeps data no longer than it may be kept, protects what must be protected, and proves both.
#[derive(Debug, Parser)]
#[command(name = "steward", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// The configuration; every relative path in it is relative to it.
    #[arg(long, global = true, value_name = "FILE", env = "STEWARD_CONFIG", default_value = "steward.yaml")]
    config: PathBuf,
    /// How logs are written to stderr.
    #[arg(long, global = true, value_enum, default_value_t = logs::Format::Auto, hide_possible_values = false)]
    log: logs::Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Validate(validate::Validate),
    Plan(plan::PlanJobs),
    RunJob(run_job::RunJob),
}

impl Cli {
    /// Does what was asked, and gives the exit code.
    pub async fn run(self) -> u8 {
        logs::start(self.globals.log);
        let globals = &self.globals;
        let end = match self.command {
            Command::Demo(command) => command.run().await,
            Command::Validate(command) => command.run(globals).await,
            Command::Plan(command) => command.run(globals).await,
            Command::RunJob(command) => command.run(globals).await,
        };
        end.unwrap_or_else(|end| end).say()
    }
}

/// How a command ends: well or not, always with an [`End`].
type Ended = Result<End, End>;
