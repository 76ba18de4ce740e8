//! What `steward --help` shows: the commands in groups, each with the line that its own help begins with.

use clap::Command;
use std::fmt::Write;

/// Who needs which commands, in the order of a first week with them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Begin", &["demo", "init"]),
    ("Declare", &["validate", "jobs", "policies", "schema"]),
    ("Run", &["plan", "run-job", "serve"]),
    ("Look back", &["runs", "audit"]),
    ("Hold", &["hold"]),
    ("Find help", &["explain", "doctor", "completions", "man", "help"]),
];

/// What stands below the options.
pub(super) const EXAMPLES: &str = "\
Examples:
  steward init                       a configuration, a policy and a job to begin with
  steward validate --connect         hold what is declared against the live tables
  steward plan archive-orders        what is due, how old, what blocks; touches nothing
  steward run-job archive-orders     do it, once and now
  steward runs                       what happened, newest first
  steward audit verify --head HASH   prove that nothing was cut off since that mail
  steward hold add case-114 --dataset core.users --where \"id = 17\" --because litigation

Exit codes: 0 done, 1 findings, 2 usage, 3 partial, 4 refused, 5 undelivered, 6 due,
75 temporary (try again), 78 invalid.";

/// The same command with its help in groups.
pub(super) fn grouped(command: Command) -> Command {
    // Once more than it is parsed, so that `help` is among the commands.
    let mut built = command.clone();
    built.build();
    let template =
        format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}Options:\n{{options}}{{after-help}}", groups(&built));
    command.help_template(template)
}

fn groups(built: &Command) -> String {
    let mut text = String::new();
    let mut group = |title: &str, commands: &[&Command]| {
        if commands.is_empty() {
            return;
        }
        let _ = writeln!(text, "{title}:");
        for command in commands {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            // The template would read a brace as one of its own words.
            let _ = writeln!(text, "  {:12} {}", command.get_name(), about.replace(['{', '}'], ""));
        }
        text.push('\n');
    };
    for (title, names) in GROUPS {
        let commands: Vec<&Command> = names.iter().filter_map(|name| built.find_subcommand(name)).collect();
        group(title, &commands);
    }
    let known = |command: &&Command| GROUPS.iter().any(|(_, names)| names.contains(&command.get_name()));
    group("More", &built.get_subcommands().filter(|command| !known(command)).collect::<Vec<_>>());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_stands_in_the_help_once_with_its_line() {
        let help = grouped(crate::cli::Cli::command()).render_long_help().to_string();
        for command in crate::cli::Cli::command().get_subcommands() {
            let name = command.get_name();
            let lines = help.lines().filter(|line| line.starts_with(&format!("  {name:12} "))).count();
            assert_eq!(lines, 1, "{name}\n{help}");
            assert!(command.get_about().is_some_and(|about| about.to_string().len() > 10), "{name}");
        }
        assert!(help.contains("Exit codes:") && help.contains("--config <FILE>"), "{help}");
    }
}
