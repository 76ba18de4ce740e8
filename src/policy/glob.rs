//! Patterns for names: `*` for any text, `?` for one character.

/// True for a pattern that may match several names.
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

/// True when the whole name matches.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stands, and how far it has swallowed: on a mismatch it swallows one more.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, swallowed)) => {
                    star = Some((at, swallowed + 1));
                    p = at + 1;
                    n = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks_match_as_in_a_shell() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a.b"),
            ("a*c", "abbc"),
            ("a?c", "abc"),
            ("*-*", "web-sessions"),
            ("a*b*c", "a1b2b3c"),
            ("名?", "名前"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "b"), ("a?", "a"), ("a*c", "ab"), ("", "a"), ("A", "a"), ("a*b*c", "acb")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_matches_itself_and_a_star(name in "[a-z.-]{0,20}") {
            let longer = format!("{name}*");
            prop_assert!(matches(&name, &name) && matches("*", &name) && matches(&longer, &name));
        }
    }
}
