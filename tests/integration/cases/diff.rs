//! Two texts, line by line: what is missing, what is new.

/// The lines that differ, with two lines around them.
pub fn diff(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let marked = marked(&old, &new);
    let near = |at: usize| marked[at.saturating_sub(2)..marked.len().min(at + 3)].iter().any(|(mark, _)| *mark != ' ');
    let shown = marked.iter().enumerate().filter(|(at, _)| near(*at));
    shown.map(|(_, (mark, line))| format!("    {mark} {line}\n")).collect()
}

/// Every line of both, by their longest common subsequence.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let mut longest = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for at in (0..old.len()).rev() {
        for to in (0..new.len()).rev() {
            longest[at][to] =
                if old[at] == new[to] { longest[at + 1][to + 1] + 1 } else { longest[at + 1][to].max(longest[at][to + 1]) };
        }
    }
    let (mut at, mut to, mut lines) = (0, 0, vec![]);
    while at < old.len() || to < new.len() {
        if at < old.len() && to < new.len() && old[at] == new[to] {
            lines.push((' ', old[at]));
            (at, to) = (at + 1, to + 1);
        } else if to == new.len() || at < old.len() && longest[at + 1][to] >= longest[at][to + 1] {
            lines.push(('-', old[at]));
            at += 1;
        } else {
            lines.push(('+', new[to]));
            to += 1;
        }
    }
    lines
}

#[test]
fn only_what_differs_is_shown_with_its_surroundings() {
    let text = |lines: &[&str]| lines.join("\n");
    let shown = diff(&text(&["a", "b", "c", "d", "e", "f"]), &text(&["a", "b", "c", "x", "e", "f"]));
    assert_eq!(shown, "      b\n      c\n    - d\n    + x\n      e\n      f\n");
    assert_eq!(diff("a\nb", "a\nb"), "");
    assert_eq!(diff("", "a"), "    + a\n");
}
