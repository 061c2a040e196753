//! Suggests similar names: "did you mean …?"

use strsim::osa_distance;

use crate::printable::show;

/// The longest word that is compared, in bytes. The comparison takes quadratic time.
const MAX_COMPARED_BYTES: usize = 128;

/// Returns the candidate closest to `word`, if one is close enough.
pub(super) fn nearest_candidate<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    let allowed = lower.chars().count().max(3) / 3;
    let close = |candidate: &'c str| {
        let far = osa_distance(&lower, &candidate.to_lowercase());
        (far <= allowed).then_some((far, candidate))
    };
    let short = candidates.into_iter().filter(|candidate| word.len().max(candidate.len()) <= MAX_COMPARED_BYTES);
    short.filter_map(close).min().map(|(_, candidate)| candidate)
}

/// Returns `did you mean …?` for a hint. None if no candidate is close enough.
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest_candidate(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// The most names that a hint lists.
const MAX_LISTED_NAMES: usize = 5;

/// Returns a hint on the existing names: the closest one, or all of them if they are few.
pub(super) fn suggest_instead<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let mut names: Vec<&str> = candidates.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let few = || names.iter().map(|name| format!("`{}`", show(name))).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => None,
        1..=MAX_LISTED_NAMES => did_you_mean(word, names.iter().copied())
            .or_else(|| Some(format!("there {} {}", if names.len() == 1 { "is" } else { "are" }, few()))),
        _ => did_you_mean(word, names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_like_it_is_offered() {
        let keys = ["version", "image", "tag", "dependsOn"];
        assert_eq!(nearest_candidate("verison", keys), Some("version"));
        assert_eq!(nearest_candidate("dependson", keys), Some("dependsOn"));
        assert_eq!(nearest_candidate("replicas", keys), None);
        assert_eq!(nearest_candidate("iamge", keys), Some("image"));
        assert_eq!(nearest_candidate(&"x".repeat(1 << 20), [&*"x".repeat(1 << 20)]), None);
        assert_eq!(did_you_mean("Tag", keys).as_deref(), Some("did you mean `tag`?"));
    }
}
