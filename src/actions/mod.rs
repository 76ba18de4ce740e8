//! The table of actions: the one place that knows actions and runner. Adding one is a file and a line here.

pub mod archive;
pub mod check_quality;
pub mod checks;
pub mod delete;
pub mod expire;
pub mod refresh_views;
mod row_policy;

use crate::action::{Action, CheckAction};
use crate::counter::Counter;
use crate::job::registry::Registry;
use crate::policy::section::Section;
use crate::report::presentation::Presentation;
use crate::report::run::RunReport;
use crate::runner::plan::{Planned, Planner, Unfit};
use crate::runner::{Request, Runner};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Every action that is built. Help, listings, schemas and the check of `action:` derive from it.
pub const ACTIONS: &[Entry] = &[
    Entry::of::<archive::ArchiveRows>(), //
    Entry::of::<delete::DeleteRows>(),
    Entry::of::<expire::Expire<expire::Sessions>>(),
    Entry::of::<expire::Expire<expire::Caches>>(),
    Entry::of::<refresh_views::RefreshViews>(),
    Entry::checking::<check_quality::CheckQuality>(),
];

/// One action of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The word in `action:`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it reads.
    pub section: Section,
    /// What it counts, and how a report tells of it.
    pub presentation: &'static Presentation,
    /// It only looks: there is nothing to confirm, and a job's mode changes nothing.
    pub inspects: bool,
    run: for<'a> fn(&'a Runner, &'a Request) -> BoxFuture<'a, RunReport>,
    plan: for<'a> fn(&'a Planner, &'a Request) -> BoxFuture<'a, Planned>,
    unfit: for<'a> fn(&'a Planner, &'a Request) -> BoxFuture<'a, Vec<Unfit>>,
}

impl Entry {
    const fn of<A: Action>() -> Self {
        Self {
            name: A::NAME,
            about: A::ABOUT,
            section: A::SECTION,
            presentation: A::PRESENTATION,
            inspects: false,
            run: |runner, request| runner.run::<A>(request).boxed(),
            plan: |planner, request| planner.plan::<A>(request).boxed(),
            unfit: |planner, request| planner.unfit::<A>(request).boxed(),
        }
    }

    const fn checking<I: CheckAction>() -> Self {
        Self {
            name: I::NAME,
            about: I::ABOUT,
            section: Section::Checks,
            presentation: &Presentation::CHECKS,
            inspects: true,
            run: |runner, request| runner.run_checks::<I>(request).boxed(),
            plan: |planner, request| planner.run_checks::<I>(request).boxed(),
            // Whether a check can be evaluated is known by evaluating it.
            unfit: |_, _| std::future::ready(vec![]).boxed(),
        }
    }

    /// Runs a job of this action once.
    pub async fn run(&self, runner: &Runner, request: &Request) -> RunReport {
        (self.run)(runner, request).await
    }

    /// What would keep a job of this action from its datasets, without counting anything.
    pub async fn unfit(&self, planner: &Planner, request: &Request) -> Vec<Unfit> {
        (self.unfit)(planner, request).await
    }

    /// Surveys what a job of this action would do.
    pub async fn plan(&self, planner: &Planner, request: &Request) -> Planned {
        (self.plan)(planner, request).await
    }
}

/// An action by its word.
pub fn named(name: &str) -> Option<&'static Entry> {
    ACTIONS.iter().find(|entry| entry.name == name)
}

/// What an action says of itself; of one that is not built here, nothing.
pub fn presentation(name: &str) -> &'static Presentation {
    named(name).map_or(&Presentation::UNKNOWN, |entry| entry.presentation)
}

/// Everything that some action counts.
pub fn counters() -> Vec<&'static Counter> {
    ACTIONS.iter().flat_map(|entry| entry.presentation.counters).copied().collect()
}

/// The words that declarations may use.
pub fn registry() -> Registry {
    Registry {
        actions: ACTIONS.iter().map(|entry| (entry.name, entry.section)).collect(),
        checks: checks::KINDS.iter().map(|kind| kind.shape).collect(),
    }
}
