//! "Did you mean …?"

use strsim::osa_distance;

use crate::printable::show;

/// Longer words are not compared, for that would take long.
const LONGEST: usize = 128;

/// The candidate most like `word`, if one is like it at all.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    let allowed = lower.chars().count().max(3) / 3;
    let close = |candidate: &'c str| {
        let far = osa_distance(&lower, &candidate.to_lowercase());
        (far <= allowed).then_some((far, candidate))
    };
    let short = candidates.into_iter().filter(|candidate| word.len().max(candidate.len()) <= LONGEST);
    short.filter_map(close).min().map(|(_, candidate)| candidate)
}

/// `, did you mean …?` for the end of a hint; nothing where nothing is like it.
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// More names than these are not listed.
const LISTED: usize = 5;

/// What there is instead of `word`: the one that is like it, else all of them, if they are few.
pub(super) fn instead<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let mut names: Vec<&str> = candidates.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let few = || names.iter().map(|name| format!("`{}`", show(name))).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => None,
        1..=LISTED => did_you_mean(word, names.iter().copied())
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
        assert_eq!(nearest("verison", keys), Some("version"));
        assert_eq!(nearest("dependson", keys), Some("dependsOn"));
        assert_eq!(nearest("replicas", keys), None);
        assert_eq!(nearest("iamge", keys), Some("image"));
        assert_eq!(nearest(&"x".repeat(1 << 20), [&*"x".repeat(1 << 20)]), None);
        assert_eq!(did_you_mean("Tag", keys).as_deref(), Some("did you mean `tag`?"));
    }
}
