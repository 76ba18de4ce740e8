//! A text into a tree. Hostile texts end in a diagnostic: bombs, cycles, depth and size are bounded.

use super::node::{Key, Node, Scalar, Value};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use std::collections::HashMap;
use std::sync::Arc;

/// The largest text that is parsed at all.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most values in one file, those that aliases repeat counted each time.
const MAX_NODES: usize = 50_000;
/// The most levels of lists and maps inside each other.
const MAX_DEPTH: usize = 32;

/// The one document of a text; an empty text is a null at its beginning.
///
/// # Errors
/// The first thing that breaks YAML's rules or these bounds; after it nothing in the text can be trusted.
pub fn parse(file: &Arc<str>, text: &str) -> Result<Node, Box<Diagnostic>> {
    if text.len() > MAX_BYTES {
        let message = format!("`{file}` has {} bytes; it was not read, the limit is {MAX_BYTES}", text.len());
        return Err(Box::new(
            Diagnostic::error(codes::SIZE, message).help("a file of that size is rarely the one that was meant"),
        ));
    }
    let mut tree = Tree { file, open: vec![], anchors: HashMap::new(), nodes: 0, root: None };
    // A byte order mark is no part of the text, and would count as a column.
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) = event.map_err(|error| tree.broken(error.marker(), &error.info(), text))?;
        tree.take(event, &span.start)?;
    }
    Ok(tree.root.unwrap_or(Node { place: Place::File { file: file.clone(), line: 1, column: 1 }, value: Value::Null }))
}

/// The tree while it grows.
struct Tree<'a> {
    file: &'a Arc<str>,
    open: Vec<Open>,
    /// A finished node and how many values it holds; none while it is still open.
    anchors: HashMap<usize, Option<(Node, usize)>>,
    nodes: usize,
    root: Option<Node>,
}

/// A list or map that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    nodes_before: usize,
    filling: Filling,
}

/// What an open list or map holds so far.
enum Filling {
    List(Vec<Node>),
    Map(Vec<(Key, Node)>, Option<Key>),
}

type Step = Result<(), Box<Diagnostic>>;

impl Tree<'_> {
    fn take(&mut self, event: Event<'_>, at: &Marker) -> Step {
        let place = self.place(at);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let is_text = self.tag(tag.as_deref(), &place)?;
                let null = !quoted && !is_text && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let value =
                    if null { Value::Null } else { Value::Scalar(Scalar { text: text.into_owned(), quoted: quoted || is_text }) };
                self.count(1, &place)?;
                self.add(Node { place, value }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(Filling::List(vec![]), anchor, tag.as_deref(), place),
            Event::MappingStart(_, anchor, tag) => self.begin(Filling::Map(vec![], None), anchor, tag.as_deref(), place),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::DocumentStart(..) if self.root.is_some() => {
                let message = "a second document begins here; one file holds one";
                Err(Box::new(
                    Diagnostic::error(codes::SYNTAX, message)
                        .at(&place)
                        .help("remove the `---`, or move what follows to a file of its own"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// True for a tag that makes a text of whatever follows; any other is refused.
    fn tag(&self, tag: Option<&Tag>, place: &Place) -> Result<bool, Box<Diagnostic>> {
        match tag.map(ToString::to_string).as_deref() {
            None => Ok(false),
            Some("!" | "!!str" | "tag:yaml.org,2002:str") => Ok(true),
            Some(tag) => Err(Box::new(
                Diagnostic::error(codes::SYNTAX, format!("the tag `{tag}` is not used here"))
                    .at(place)
                    .help("write the value without a tag"),
            )),
        }
    }

    fn begin(&mut self, filling: Filling, anchor: usize, tag: Option<&Tag>, place: Place) -> Step {
        if tag.is_some() {
            self.tag(tag, &place)?;
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Box::new(
                Diagnostic::error(codes::SIZE, format!("more than {MAX_DEPTH} levels inside each other")).at(&place),
            ));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        let nodes_before = self.nodes;
        self.count(1, &place)?;
        self.open.push(Open { place, anchor, nodes_before, filling });
        Ok(())
    }

    fn end(&mut self) -> Step {
        let Some(done) = self.open.pop() else { return Ok(()) };
        let value = match done.filling {
            Filling::List(items) => Value::List(items),
            Filling::Map(pairs, _) => Value::Map(pairs),
        };
        let size = self.nodes - done.nodes_before;
        self.add(Node { place: done.place, value }, done.anchor, size)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Step {
        match self.anchors.get(&anchor).cloned() {
            Some(Some((node, size))) => {
                if depth(&node) + self.open.len() > MAX_DEPTH {
                    return Err(Box::new(
                        Diagnostic::error(codes::SIZE, format!("more than {MAX_DEPTH} levels inside each other")).at(&place),
                    ));
                }
                self.count(size, &place)?;
                self.add(node, 0, size)
            }
            Some(None) => {
                Err(Box::new(Diagnostic::error(codes::SYNTAX, "an alias stands inside the very thing it refers to").at(&place)))
            }
            None => Err(Box::new(
                Diagnostic::error(codes::SYNTAX, "an alias refers to an anchor that is not defined above it").at(&place),
            )),
        }
    }

    /// Puts a finished node where it belongs: under its key, into its list, or at the root.
    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Step {
        if anchor > 0 {
            self.anchors.insert(anchor, Some((node.clone(), size)));
        }
        match self.open.last_mut().map(|open| &mut open.filling) {
            None => self.root = Some(node),
            Some(Filling::List(items)) => items.push(node),
            Some(Filling::Map(pairs, key)) => match key.take() {
                Some(key) => pairs.push((key, node)),
                None => *key = Some(key_of(node)?),
            },
        }
        Ok(())
    }

    fn count(&mut self, more: usize, place: &Place) -> Step {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            let message = format!("more than {MAX_NODES} values, those that aliases repeat included");
            return Err(Box::new(Diagnostic::error(codes::SIZE, message).at(place)));
        }
        Ok(())
    }

    fn place(&self, at: &Marker) -> Place {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Place::File { file: self.file.clone(), line: number(at.line().max(1)), column: number(at.col() + 1) }
    }

    /// What the parser says, and the likeliest cause.
    fn broken(&self, at: &Marker, info: &str, text: &str) -> Box<Diagnostic> {
        let line = text.lines().nth(at.line().saturating_sub(1)).unwrap_or_default();
        let tab = |line: &str| line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t');
        let help = if tab(line) || text.lines().take(at.line()).any(tab) {
            Some("a tab indents a line; YAML indents with spaces")
        } else if line.matches('"').count() % 2 == 1 || line.matches('\'').count() % 2 == 1 {
            Some("a quote is opened and not closed")
        } else if line.matches(": ").count() > 1 && !line.contains('{') {
            Some("a value that contains `: ` needs quotes")
        } else {
            None
        };
        let diagnostic = Diagnostic::error(
            codes::SYNTAX,
            format!("not readable as YAML: {}; nothing in this file was read", info.trim_end_matches('.')),
        );
        Box::new(diagnostic.at(&self.place(at)).help_if(help.map(str::to_owned)))
    }
}

/// Levels of lists and maps in a node.
fn depth(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(pairs) => 1 + pairs.iter().map(|(_, node)| depth(node)).max().unwrap_or(0),
        Value::Null | Value::Scalar(_) => 0,
    }
}

/// A key is a text; `~` and nothing are keys nobody means.
fn key_of(node: Node) -> Result<Key, Box<Diagnostic>> {
    match node.value {
        Value::Scalar(scalar) => Ok(Key { place: node.place, text: scalar.text }),
        _ => Err(Box::new(Diagnostic::error(codes::SYNTAX, format!("a key is {}; keys are words", node.kind())).at(&node.place))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Node, Box<Diagnostic>> {
        parse(&"t.yaml".into(), text)
    }

    fn refused(text: &str) -> String {
        let diagnostic = read(text).unwrap_err();
        format!("{} {}", diagnostic.code, diagnostic.message)
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let node = read("a: 1\n\"ключ\": { b: x }\n").unwrap();
        assert_eq!(node.get("ключ").unwrap().get("b").unwrap().place.to_string(), "t.yaml:2:14");
    }

    #[test]
    fn nothing_is_guessed_from_the_look_of_a_text() {
        for text in ["yes", "no", "on", "010", "1e3", "0x10", "12:30:00", ".inf"] {
            assert_eq!(read(&format!("k: {text}")).unwrap().get("k").unwrap().scalar(), Some(text));
        }
        assert_eq!(read("on: 1").unwrap().get("on").unwrap().scalar(), Some("1"));
        assert_eq!(read("k: ~").unwrap().get("k").unwrap().value, Value::Null);
        assert_eq!(read("k: \"null\"").unwrap().get("k").unwrap().scalar(), Some("null"));
    }

    #[test]
    fn an_alias_stands_for_what_it_names() {
        let node = read("a: &x { b: 1 }\nc: *x").unwrap();
        assert_eq!(node.get("c").unwrap().get("b").unwrap().scalar(), Some("1"));
    }

    #[test]
    fn a_cyclic_alias_an_alias_bomb_and_an_unknown_alias_are_refused() {
        assert!(refused("a: &x [ *x ]").starts_with("SW0001 an alias stands inside"));
        assert!(refused("a: *x").starts_with("SW0001"));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..9 {
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(","));
        }
        assert!(refused(&bomb).starts_with("SW0008"), "{}", refused(&bomb));
    }

    #[test]
    fn size_depth_tags_and_second_documents_are_refused() {
        assert!(refused(&" ".repeat(10 * 1024 * 1024)).starts_with("SW0008"));
        assert!(refused(&"[".repeat(100_000)).starts_with("SW0"));
        assert!(refused(&format!("{}{}", "[".repeat(40), "]".repeat(40))).starts_with("SW0008"));
        assert!(refused("a: !!binary aGk=").starts_with("SW0001 the tag"));
        assert!(refused("a: 1\n---\nb: 2\n").starts_with("SW0001 a second document"));
        assert!(refused("? [a, b]\n: c").starts_with("SW0001 a key is a list"));
    }

    #[test]
    fn a_tab_is_named_as_the_cause() {
        let diagnostic = read("a:\n\tb: 1\n").unwrap_err();
        assert!(diagnostic.help[0].contains("tab"), "{diagnostic:?}");
    }

    #[test]
    fn an_empty_text_is_null() {
        assert_eq!(read("").unwrap().value, Value::Null);
        assert_eq!(read("# nothing\n").unwrap().value, Value::Null);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).*") {
            let _ = read(&text);
        }

        #[test]
        fn nothing_that_looks_like_yaml_panics(text in "([a-c]: |- |\\n {0,6}|[{}\\[\\],&*!|>'\"#?~-]|x|\\t|:|&a|\\*a){0,60}") {
            let _ = read(&text);
        }
    }
}
