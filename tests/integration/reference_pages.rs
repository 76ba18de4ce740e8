//! Every page of the reference begins with an example that works.

use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::path::Path;

/// A page's first fenced block: its language, and what stands in it.
fn example(page: &str, text: &str) -> (String, String) {
    let before = text.lines().take(4).position(|line| line.starts_with("```"));
    assert!(before.is_some(), "{page} does not begin with an example");
    let (_, block) = text.split_once("```").expect("a block");
    let (block, _) = block.split_once("```").unwrap_or_else(|| panic!("{page}: the example does not end"));
    let (language, block) = block.split_once('\n').expect("a line");
    (language.to_owned(), block.to_owned())
}

#[test]
fn every_page_begins_with_an_example_that_works() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let index = std::fs::read_to_string(folder.with_extension("md")).expect("the index");
    let (sandbox, mut commands) = (Sandbox::new(Engine::Sqlite), vec![]);
    for entry in std::fs::read_dir(&folder).expect("the pages") {
        let path = entry.expect("an entry").path();
        let page = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(index.contains(&format!("(reference/{page})")), "docs/reference.md does not lead to {page}");
        match example(&page, &std::fs::read_to_string(&path).expect("a page")) {
            (language, text) if language == "yaml" => {
                let (name, _) = text.split_once('\n').expect("a line");
                let name = name
                    .strip_prefix("# ")
                    .unwrap_or_else(|| panic!("{page}: the first line names the file: # policies/NAME.yaml"));
                sandbox.write(name, &text);
            }
            (language, text) if language == "console" => {
                let words = text.lines().map(|line| line.strip_prefix("$ steward ").map(str::to_owned));
                commands.extend(words.map(|words| (page.clone(), words.unwrap_or_else(|| panic!("{page}: $ steward …")))));
            }
            (language, _) => panic!("{page}: an example in `{language}` is not tried"),
        }
    }
    commands.push(("the files of all pages".to_owned(), "validate".to_owned()));
    for (page, words) in commands {
        let ended = sandbox.command(words.split(' ')).env("GRAPH_PASSWORD", "x").output().expect("the binary starts");
        assert!(ended.status.success(), "{page}: `steward {words}`\n{}", String::from_utf8_lossy(&ended.stderr));
    }
}
