//! "Did you mean …?"

use crate::problem::show;

/// The candidate most like `word`, if one is like it at all.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    let close = |candidate: &&'c str| {
        let far = distance(&lower, &candidate.to_lowercase());
        (far <= (lower.chars().count().max(3)) / 3).then_some((far, *candidate))
    };
    candidates.into_iter().filter_map(|candidate| close(&candidate)).min().map(|(_, candidate)| candidate)
}

/// `, did you mean …?` for the end of a hint; nothing where nothing is like it.
pub(crate) fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
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

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). Long words are far apart.
fn distance(one: &str, two: &str) -> usize {
    let one: Vec<char> = one.chars().take(64).collect();
    let two: Vec<char> = two.chars().take(64).collect();
    let mut rows = [Vec::new(), Vec::new(), (0..=two.len()).collect::<Vec<_>>()];
    for (i, letter) in one.iter().enumerate() {
        rows.rotate_left(1);
        rows[2] = vec![i + 1];
        for (j, other) in two.iter().enumerate() {
            let replaced = rows[1][j] + usize::from(letter != other);
            let mut least = replaced.min(rows[1][j + 1] + 1).min(rows[2][j] + 1);
            if i > 0 && j > 0 && *letter == two[j - 1] && one[i - 1] == *other {
                least = least.min(rows[0][j - 1] + 1);
            }
            rows[2].push(least);
        }
    }
    rows[2].last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_edits() {
        for (one, two, edits) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("verison", "version", 1),
            ("", "ab", 2),
            ("ab", "xy", 2),
        ] {
            assert_eq!(distance(one, two), edits, "{one} {two}");
        }
    }

    #[test]
    fn only_what_is_like_it_is_offered() {
        let keys = ["version", "image", "tag", "dependsOn"];
        assert_eq!(nearest("verison", keys), Some("version"));
        assert_eq!(nearest("dependson", keys), Some("dependsOn"));
        assert_eq!(nearest("replicas", keys), None);
        assert_eq!(did_you_mean("Tag", keys).as_deref(), Some("did you mean `tag`?"));
    }
}
