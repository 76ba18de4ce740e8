//! Takes out of a text what no two runs share: ids, hashes, durations, paths, the database's name, addresses, the suffix of
//! labels.

use super::sandbox::Sandbox;

/// The text with every such thing replaced by a word in brackets.
pub fn clean(text: &str, sandbox: &Sandbox) -> String {
    let text = text.replace(&sandbox.path("").display().to_string(), "[sandbox]/").replace(&sandbox.database.name, "[database]");
    let text = elsewhere(text, sandbox);
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n').filter(|line| !is_of_this_machine(line)) {
        clean.push_str(&durations(&tokens(line)));
    }
    clean
}

/// Who started the run, on which machine, with which build.
fn is_of_this_machine(line: &str) -> bool {
    line.starts_with("started by ") || line.starts_with("under plan ")
}

/// The addresses of the cache and the graph; a label is what it is without the suffix.
fn elsewhere(mut text: String, sandbox: &Sandbox) -> String {
    if let Some(cache) = &sandbox.cache {
        let database = cache.database.map(|number| format!("/{number}")).unwrap_or_default();
        text = text.replace(&format!("{}{database}", cache.address.host), "[cache]").replace(&cache.address.host, "[cache]");
    }
    if let Some(graph) = &sandbox.graph {
        text = text.replace(&graph.address.host, "[graph]").replace(&graph.suffix, "");
    }
    text
}

/// Ids of runs and hashes, wherever they stand.
fn tokens(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(at);
        clean.push_str(before);
        let end = from.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        clean.push_str(named(token));
        rest = after;
    }
    clean + rest
}

/// What a token is, or the token itself.
fn named(token: &str) -> &str {
    let is_hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    let groups: Vec<usize> = token.split('-').map(str::len).collect();
    match token.len() {
        36 if groups == [8, 4, 4, 4, 12] && token.split('-').all(is_hex) => "[id]",
        64 if is_hex(token) => "[hash]",
        _ => token,
    }
}

/// `(4.2 s)`, `(3 min 20 s)` at the end of a line.
fn durations(line: &str) -> String {
    let bare = line.trim_end_matches('\n');
    let Some((before, took)) = bare.strip_suffix(')').and_then(|bare| bare.rsplit_once(" (")) else { return line.to_owned() };
    let is_duration = took.ends_with([' ', 's', 'n'])
        && took.split(' ').all(|word| matches!(word, "s" | "min" | "h") || word.parse::<f64>().is_ok());
    if is_duration { format!("{before} ([time]){}", &line[bare.len()..]) } else { line.to_owned() }
}

#[test]
fn what_no_two_runs_share_is_taken_out_and_nothing_else() {
    let line = "job (policy a)  DONE (4.2 s)\nrun 019aa4a2-1111-7c3e-8f2c-5d0c1e2fbeef, as of 2026-11-20 18:15 UTC\n";
    let cleaned: String = line.split_inclusive('\n').map(|line| durations(&tokens(line))).collect();
    assert_eq!(cleaned, "job (policy a)  DONE ([time])\nrun [id], as of 2026-11-20 18:15 UTC\n");
    assert_eq!(durations(&tokens("3 kept (1 h 5 min)\n")), "3 kept ([time])\n");
    assert_eq!(durations("orders (exit 3)"), "orders (exit 3)");
}
