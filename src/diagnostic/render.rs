//! A diagnostic as people read it: the fact, the line it is about, the other places, the way out.

use super::message::{Diagnostic, Severity};
use super::source::Sources;
use crate::place::Place;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

/// One diagnostic, without a trailing newline.
pub fn diagnostic(one: &Diagnostic, sources: &Sources, styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let level = match one.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = printable(&one.message);
    let mut main = level.primary_title(message.as_str()).id(one.code.as_str()).elements(None::<annotate_snippets::Message<'_>>);
    if let Some(place) = &one.place {
        main = shown(main, place, None, sources);
    }
    let help: Vec<String> = one.help.iter().map(|help| printable(help)).collect();
    let further: Vec<(String, &Place)> = one.also.iter().map(|further| (printable(&further.what), &further.place)).collect();
    // Help belongs to the fact where nothing stands between them; else it comes last.
    if further.is_empty() {
        main = main.elements(help.iter().map(|help| Level::HELP.message(help.as_str())));
    }
    let mut groups = vec![main];
    for (what, place) in &further {
        groups.push(shown(Group::with_title(Level::NOTE.secondary_title(what.as_str())), place, None, sources));
    }
    if !further.is_empty() {
        groups.extend(help.iter().map(|help| Group::with_title(Level::HELP.secondary_title(help.as_str()))));
    }
    renderer.render(&groups)
}

/// Adds a place to a group: its line where there is a text, else its name.
fn shown<'a>(group: Group<'a>, place: &'a Place, label: Option<&'a str>, sources: &'a Sources) -> Group<'a> {
    let Place::File { file, line, column } = place else {
        return group.element(Origin::path(place.to_string()));
    };
    let excerpt = sources.text(file).and_then(|text| excerpt(text, *line, *column));
    let Some((text, span)) = excerpt else {
        return group.element(Origin::path(file.as_ref()).line(*line as usize).char_column(*column as usize));
    };
    group.element(
        Snippet::source(text)
            .path(file.as_ref())
            .line_start(*line as usize)
            .annotation(AnnotationKind::Primary.span(span).label(label)),
    )
}

/// The line and, in it, the bytes that are meant; absent when the text has no such line.
///
/// A line longer than a screen is cut around the place: a file of one endless line must not flood a terminal.
fn excerpt(text: &str, line: u32, column: u32) -> Option<(&str, Range<usize>)> {
    let text = text.lines().nth((line as usize).checked_sub(1)?)?;
    let start = text.char_indices().nth((column as usize).saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    let end = start + token(&text[start..]);
    let end_shown = text[start..].char_indices().nth(160).map_or(text.len(), |(at, _)| start + at);
    Some((&text[..end_shown], start..end.min(end_shown)))
}

/// The length of what stands first in `rest`: a quoted text, a word, or a whole plain value.
fn token(rest: &str) -> usize {
    let closing = |quote: char| rest[1..].find(quote).map(|at| at + 2);
    let plain = || {
        let ends = [": ", " #", ", ", " }", "}", "]", ",", ":\n"];
        let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
        rest[..end].trim_end().trim_end_matches(':').len().max(usize::from(!rest.is_empty()))
    };
    match rest.chars().next() {
        Some('"') => closing('"').unwrap_or(rest.len()),
        Some('\'') => closing('\'').unwrap_or(rest.len()),
        Some('{' | '[' | '-' | '&' | '*') => 1,
        Some(first) => plain().max(first.len_utf8()),
        None => 0,
    }
}

/// Control characters as escapes: a terminal obeys them, and a message quotes what strangers wrote.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::codes;
    use proptest::prelude::*;

    fn place(line: u32, column: u32) -> Place {
        Place::File { file: "a.yaml".into(), line, column }
    }

    #[test]
    fn a_diagnostic_shows_its_code_its_line_both_places_and_the_way_out() {
        let mut sources = Sources::default();
        sources.add("a.yaml".into(), "one: 1\ntwo: \"2\"\n");
        let one = Diagnostic::error(codes::UNKNOWN_KEY, "unknown key `two`")
            .at(&place(2, 1))
            .also(&place(1, 6), "the other")
            .help("go on");
        let text = diagnostic(&one, &sources, false);
        assert!(text.starts_with("error[SW0002]: unknown key `two`\n"), "{text}");
        for part in ["--> a.yaml:2:1", "2 | two: \"2\"", "^^^", "note: the other", "--> a.yaml:1:6", "help: go on"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn control_characters_reach_no_terminal() {
        let one = Diagnostic::error(codes::UNKNOWN_KEY, "unknown key `\u{1b}[2J`");
        assert!(!diagnostic(&one, &Sources::default(), false).contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn no_place_in_no_text_panics(text in "\\PC*|(?s).*", line in 0u32..9, column in 0u32..200) {
            let mut sources = Sources::default();
            sources.add("a.yaml".into(), &text);
            diagnostic(&Diagnostic::error(codes::SYNTAX, "x").at(&place(line, column)), &sources, false);
        }
    }
}
