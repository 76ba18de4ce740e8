//! `steward schema`: the JSON Schemas that editors complete and check by.

use super::{Ended, exit::Exit, out};
use crate::actions;
use crate::declarations::schema::{Subject, schema};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

/// Print the JSON Schema of a kind of file
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct PrintSchema {
    /// Which files
    subject: SubjectArg,
    /// A schema is one JSON object anyway
    #[arg(long, hide = true)]
    json: bool,
}

/// A subject as a word on the command line.
#[derive(Debug, Clone, Copy)]
struct SubjectArg(Subject);

impl ValueEnum for SubjectArg {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Subject::Policy), Self(Subject::Job), Self(Subject::Config)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self.0 {
            Subject::Policy => "policies/*.yaml",
            Subject::Job => "jobs/*.yaml",
            Subject::Config => "steward.yaml",
        };
        Some(PossibleValue::new(self.0.word()).help(help))
    }
}

impl PrintSchema {
    pub(crate) fn run(self) -> Ended {
        out::say(&schema(self.subject.0, &actions::registry().checks))?;
        Ok(Exit::quiet())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_can_be_asked_for() {
        assert_eq!(SubjectArg::value_variants().len(), Subject::ALL.len());
    }

    #[test]
    fn the_shipped_schemas_are_current() {
        for subject in Subject::ALL {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schemas/{}.json", subject.word()));
            let current = schema(*subject, &actions::registry().checks);
            if std::env::var_os("UPDATE_SCHEMAS").is_some() {
                std::fs::write(&path, &current).unwrap();
            }
            assert_eq!(
                std::fs::read_to_string(&path).unwrap_or_default(),
                current,
                "{} is stale: UPDATE_SCHEMAS=1 cargo test schemas",
                path.display()
            );
        }
    }

    #[test]
    fn the_reference_lists_every_kind_of_check() {
        let reference = include_str!("../../docs/reference/checks.md");
        for shape in actions::registry().checks {
            assert!(
                reference.contains(&format!("| `{}` |", shape.key)),
                "docs/reference/checks.md does not list `{}`",
                shape.key
            );
        }
    }
}
