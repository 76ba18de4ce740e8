//! The language of `regex`: one on every store, since the texts are compared in the worker.

use regex::{Regex, RegexBuilder};

/// A pattern may take up so much memory, compiled.
const SIZE: usize = 4 << 20;

/// What may stand in a pattern, for whoever wrote something else.
pub const SYNTAX: &str = "the syntax is that of Rust's `regex`: no look-around, no back-references";

/// The pattern, compiled.
///
/// # Errors
/// Why it cannot be used, and at which of its characters where one is to blame.
pub fn compiled(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(SIZE).build().map_err(|error| {
        let told = error.to_string();
        // The last line of a syntax error is the reason; those before it draw the pattern, set in by four, and point at a character.
        let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let mark = told
            .lines()
            .rev()
            .find(|line| line.contains('^') && line.chars().all(|c| matches!(c, ' ' | '^')))
            .and_then(|line| line.find('^'));
        match mark.and_then(|at| at.checked_sub(4)) {
            Some(at) => format!("{reason}, at its character {}", at + 1),
            None => reason,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_does_not_compile_says_where() {
        for (pattern, wanted) in [
            ("^(a|b", "unclosed group, at its character 2"),
            ("a[0-9", "unclosed character class, at its character 2"),
            ("é)", "unopened group, at its character 2"),
            ("a(?=b)", "look-around, including look-ahead and look-behind, is not supported, at its character 2"),
            ("*", "repetition operator missing expression, at its character 1"),
        ] {
            assert_eq!(compiled(pattern).map(drop), Err(wanted.to_owned()), "{pattern}");
        }
        assert!(compiled("a{1000}{1000}").unwrap_err().contains("size"), "too large is refused too");
        assert!(compiled("^[^@]+@[^@]+$").is_ok());
    }
}
