//! What people type. One file per data_model of commands; each parses its words, calls, and says how it ended.

mod app;
mod audit;
mod completions;
mod current_user;
mod demo;
mod doctor;
mod events;
mod exit;
mod explain;
mod format_check;
mod health;
mod health_jobs;
mod health_mail;
mod help;
mod hold;
mod init;
mod job_source;
mod jobs;
mod log_progress;
mod logs;
mod man;
mod out;
mod plan;
mod policies;
mod policy_list;
mod progress_bar;
mod run_job;
mod run_log;
mod runs;
mod schema;
mod serve;
mod stderr;
mod table;
mod unattended;
mod validate;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use exit::Exit;
use std::path::PathBuf;

/// Keeps data no longer than it may be kept, protects what must be protected, and proves both.
#[derive(Debug, Parser)]
#[command(name = "steward", version, propagate_version = true, max_term_width = 110)]
#[command(arg_required_else_help = true, after_help = help::EXAMPLES)]
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
    Init(init::Init),
    Validate(validate::Validate),
    Jobs(jobs::ListJobs),
    Policies(policies::ListPolicies),
    Schema(schema::PrintSchema),
    Plan(plan::PlanJobs),
    RunJob(run_job::RunJob),
    Serve(serve::Serve),
    Runs(runs::ListRuns),
    Audit(audit::Audit),
    Hold(hold::HoldCommand),
    Explain(explain::Explain),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::PrintMan),
}

impl Cli {
    /// What was typed; help, the version and what cannot be understood end the process here.
    pub fn typed() -> Self {
        let typed = help::grouped(Self::command()).try_get_matches().and_then(|matches| Self::from_arg_matches(&matches));
        typed.unwrap_or_else(|error| {
            if error.use_stderr() && logs::asks_for_json() {
                stderr::begin(true);
                let said = error.render().to_string();
                let why = said.trim().trim_start_matches("error: ").lines().map(str::trim).filter(|line| !line.is_empty());
                std::process::exit(Exit::usage(&why.collect::<Vec<_>>().join("; ")).say().into());
            }
            error.exit()
        })
    }

    /// Does what was asked, and gives the exit code.
    pub async fn run(self) -> u8 {
        logs::start(self.globals.log);
        let globals = &self.globals;
        let end = match self.command {
            Command::Demo(command) => Box::pin(command.run()).await,
            Command::Init(command) => command.run(),
            Command::Validate(command) => Box::pin(command.run(globals)).await,
            Command::Jobs(command) => Box::pin(command.run(globals)).await,
            Command::Policies(command) => Box::pin(command.run(globals)).await,
            Command::Schema(command) => command.run(),
            Command::Plan(command) => Box::pin(command.run(globals)).await,
            Command::RunJob(command) => Box::pin(command.run(globals)).await,
            Command::Serve(command) => Box::pin(command.run(globals)).await,
            Command::Runs(command) => Box::pin(command.run(globals)).await,
            Command::Audit(command) => Box::pin(command.run(globals)).await,
            Command::Hold(command) => Box::pin(command.run(globals)).await,
            Command::Explain(command) => command.run(),
            Command::Doctor(command) => Box::pin(command.run(globals)).await,
            Command::Completions(command) => command.run(Self::command()),
            Command::Man(command) => command.run(help::grouped(Self::command())),
        };
        end.unwrap_or_else(|end| end).say()
    }
}

/// How a command ends: well or not, always with an [`Exit`].
type Ended = Result<Exit, Exit>;
