//! The words that declarations may use and that others give: actions and kinds of checks. Their tables stand on a higher floor.

use crate::policy::checks::spec::CheckSpec;
use crate::policy::section::Section;

/// Everything that is built.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// The actions, with what each reads.
    pub actions: Vec<(&'static str, Section)>,
    /// The kinds of checks.
    pub checks: Vec<&'static CheckSpec>,
}

impl Registry {
    /// What an action reads.
    pub fn section(&self, action: &str) -> Option<Section> {
        self.actions.iter().find(|(name, _)| *name == action).map(|(_, section)| *section)
    }

    /// The words of the actions.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> + Clone + use<'_> {
        self.actions.iter().map(|(name, _)| *name)
    }
}
