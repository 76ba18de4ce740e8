//! "Did you mean …": the known word nearest to a misspelt one.

/// The candidate a person most likely meant, or none when nothing is near.
///
/// One edit in three characters is taken for a slip; a difference in case alone always is.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| distance * 3 <= folded.chars().count().max(candidate.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The way out of an unknown word: the near miss, or all there is to choose from.
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(near) = nearest(word, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<String> = candidates.into_iter().map(|candidate| format!("`{candidate}`")).collect();
    match all.as_slice() {
        [] => None,
        [only] => Some(format!("there is only {only}")),
        many if many.len() <= 16 => Some(format!("there are {}", many.join(", "))),
        many => Some(format!("there are {}, and {} more", many[..12].join(", "), many.len() - 12)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_a_stranger_is_not() {
        let words = ["clock", "where", "archive", "delete"];
        assert_eq!(nearest("clokc", words), Some("clock"));
        assert_eq!(nearest("Archive", words), Some("archive"));
        assert_eq!(nearest("zzz", words), None);
        assert_eq!(nearest("", words), None);
    }

    #[test]
    fn without_a_near_miss_the_choices_are_told() {
        assert_eq!(suggestion("xyzzy", ["core"]).unwrap(), "there is only `core`");
        assert_eq!(suggestion("xyzzy", []), None);
        assert_eq!(suggestion("cor", ["core"]).unwrap(), "did you mean `core`?");
    }
}
