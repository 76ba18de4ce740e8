//! `steward init`: a configuration, a policy and a job to begin with, each line explained.

use super::{Ended, exit::Exit, out};
use crate::actions;
use crate::declarations::schema::{Subject, schema};
use crate::job::outcome::Outcome;
use clap::Args;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Write a configuration, a policy and a job to begin with
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where; made when it is missing
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct WrittenFiles {
    written: Vec<String>,
}

impl Init {
    pub(crate) fn run(self) -> Ended {
        let files = files();
        let there: Vec<_> = files.iter().map(|(name, _)| *name).filter(|name| self.dir.join(name).exists()).collect();
        if !there.is_empty() {
            let there = there.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Exit::usage(&format!("{there} already there in `{}`; nothing was written", self.dir.display()))
                .with_help("`--dir DIR` names another folder"));
        }
        for (name, text) in &files {
            create(&self.dir.join(name), text)?;
        }
        let written: Vec<String> = files.iter().map(|(name, _)| self.dir.join(name).display().to_string()).collect();
        if self.json {
            out::json(&WrittenFiles { written })?;
        } else {
            out::say(&next(&written, &self.dir))?;
        }
        Ok(Exit::quiet())
    }
}

/// What is written; the schemas lie beside, so that editors complete keys without asking anybody.
fn files() -> Vec<(&'static str, String)> {
    vec![
        ("steward.yaml", include_str!("starter/steward.yaml").to_owned()),
        ("policies/orders.yaml", include_str!("starter/policy.yaml").to_owned()),
        ("jobs/archive-orders.yaml", include_str!("starter/job.yaml").to_owned()),
        ("schemas/config.json", schema(Subject::Config, &[])),
        ("schemas/policy.json", schema(Subject::Policy, &actions::registry().checks)),
        ("schemas/job.json", schema(Subject::Job, &[])),
    ]
}

/// Never overwrites, not even what appeared since we looked.
fn create(path: &Path, text: &str) -> Result<(), Exit> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create_new(path));
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Exit::usage(&format!("`{}` is there already; it was left as it is", path.display())),
        _ => Exit::of(Outcome::Partial, &format!("`{}` was not written: {error}", path.display())),
    })
}

fn next(written: &[String], dir: &Path) -> String {
    let into = if dir == Path::new(".") { String::new() } else { format!("  cd {}\n", dir.display()) };
    let files: String = written.iter().map(|file| format!("  {file}\n")).collect();
    format!(
        "written:\n{files}\nnext:\n{into}  edit steward.yaml               name your store, and in policies/orders.yaml your table\n  \
         steward validate                is what is declared sound?\n  \
         steward doctor                  can the store be reached, and is its user allowed what is needed?\n  \
         steward plan                    what would go, and what stands in the way; touches nothing\n  \
         steward run-job archive-orders  looks and reports, until its file says `mode: enforce`\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions;
    use crate::declarations::reading::Declarations;

    #[test]
    fn what_is_written_is_sound_and_only_observes() {
        let dir = tempfile::tempdir().unwrap();
        Init { dir: dir.path().to_owned(), json: true }.run().unwrap();
        let read = Declarations::read(&dir.path().join("steward.yaml"), &|_| None, &actions::registry());
        let (declarations, warnings) = read.unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        assert_eq!(warnings.diagnostics.len(), 0, "{warnings}");
        let job = declarations.job("archive-orders").unwrap();
        assert_eq!(job.mode, crate::job::spec::Mode::Observe);
    }

    #[test]
    fn what_comes_next_stands_in_two_columns() {
        let told = next(&[], Path::new("."));
        let lines: Vec<&str> = told.lines().skip_while(|line| *line != "next:").skip(1).collect();
        let columns: Vec<Option<usize>> = lines
            .iter()
            .map(|line| {
                Some(line.find("  ")? + 2 + line[2..].find("  ").map(|at| line[2 + at..].find(|c| c != ' ').unwrap_or(0) + at)?)
            })
            .collect();
        assert!(lines.len() == 5 && columns.windows(2).all(|pair| pair[0] == pair[1]), "{told}");
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("jobs")).unwrap();
        fs::write(dir.path().join("jobs/archive-orders.yaml"), "mine").unwrap();
        let end = Init { dir: dir.path().to_owned(), json: true }.run().unwrap_err();
        assert!(end.code() == 2 && end.why().contains("`jobs/archive-orders.yaml`"), "{end:?}");
        assert!(!dir.path().join("steward.yaml").exists());
        assert_eq!(create(&dir.path().join("jobs/archive-orders.yaml"), "ours").unwrap_err().code(), 2);
        assert_eq!(fs::read_to_string(dir.path().join("jobs/archive-orders.yaml")).unwrap(), "mine");
    }
}
