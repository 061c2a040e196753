//! Semantic versions, parsed leniently as tags are written: `v1.2`, `7`, `1.2.3.4-rc.1`, `1.2.3_build`.

use std::cmp::Ordering;

use super::DigitRun;

/// The sort key of a semantic version: its numbers, with missing ones as 0, and its pre-release.
#[derive(Debug)]
pub(super) struct SemverKey {
    core: [u64; 4],
    pre_release: Option<Box<str>>,
}

impl SemverKey {
    /// Compares by Semver 2.0.0 §11: first the numbers, then a pre-release before its release.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.core.cmp(&other.core).then_with(|| match (&self.pre_release, &other.pre_release) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(two)) => identifiers(one).cmp(identifiers(two)),
        })
    }

    pub(super) fn is_pre_release_of(&self, release: &Self) -> bool {
        self.core == release.core && self.pre_release.is_some() && release.pre_release.is_none()
    }
}

/// An identifier of a pre-release, by Semver 2.0.0 §11.4: numbers in numeric order, then words in ASCII order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum PreReleaseIdentifier<'a> {
    Number(DigitRun<'a>),
    Word(&'a str),
}

fn identifiers(pre_release: &str) -> impl Iterator<Item = PreReleaseIdentifier<'_>> {
    pre_release.split('.').map(|text| {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            PreReleaseIdentifier::Number(DigitRun::new(text))
        } else {
            PreReleaseIdentifier::Word(text)
        }
    })
}

/// The reason that a text is no semantic version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SemverProblem {
    /// As in `main`.
    #[error("it does not begin with a number")]
    NoNumber,
    /// As in `1..2` or `1.2.`.
    #[error("a number is missing beside a dot")]
    EmptyNumber,
    /// As in `01.2.3`, which is more often a date than a version.
    #[error("leading zero: is this a date?")]
    LeadingZero,
    /// As in `1.2.3.4.5`.
    #[error("more than four numbers")]
    TooManyNumbers,
    /// The number does not fit into 64 bits.
    #[error("a number is too large")]
    TooLarge,
    /// As in `2024-01-01`, which semver would read as a pre-release of 2024.
    #[error("is this a date?")]
    Date,
    /// As in `1.2.3-` or `1.2.3-rc..1`.
    #[error("empty pre-release")]
    EmptyPreRelease,
    /// As in `1.2.3rc1`.
    #[error("unexpected {0:?}")]
    Unexpected(char),
}

impl SemverProblem {
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::EmptyPreRelease => "name the pre-release, as in `1.2.3-rc.1`, or drop the `-`",
            Self::Unexpected(_) => "a pre-release begins with `-`, as in `1.2.3-rc.1`; or set `versioning: history`",
            _ => "set `versioning: history` to have versions ordered as they appeared in Git",
        }
    }
}

/// Parses an optional `v`, one to four numbers, an optional `-pre.release` and an optional `_build`. Helm writes
/// `+build` as `_build` in tags. It does not affect the order.
pub(super) fn parse_semver(text: &str) -> Result<SemverKey, SemverProblem> {
    let core = core(text)?;
    let pre_release = match core.rest.split('_').next().unwrap_or_default() {
        "" => None,
        rest => Some(pre_release(rest)?.into()),
    };
    Ok(SemverKey { core: core.numbers, pre_release })
}

/// The leading numbers of a version.
struct SemverCore<'a> {
    numbers: [u64; 4],
    given: usize,
    rest: &'a str,
}

fn core(text: &str) -> Result<SemverCore<'_>, SemverProblem> {
    let text = without_v(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    if head.is_empty() {
        return Err(SemverProblem::NoNumber);
    }
    if is_date(head, rest) {
        return Err(SemverProblem::Date);
    }
    let mut core = SemverCore { numbers: [0; 4], given: 0, rest };
    for digits in head.split('.') {
        *core.numbers.get_mut(core.given).ok_or(SemverProblem::TooManyNumbers)? = number(digits)?;
        core.given += 1;
    }
    Ok(core)
}

/// Strips the `v` of a tag, if a number follows it.
pub(super) fn without_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text)
}

fn number(digits: &str) -> Result<u64, SemverProblem> {
    match digits {
        "" => Err(SemverProblem::EmptyNumber),
        "0" => Ok(0),
        zero if zero.starts_with('0') => Err(SemverProblem::LeadingZero),
        digits => digits.parse().map_err(|_| SemverProblem::TooLarge),
    }
}

/// Recognises dates: four digits, a separator and two digits, as in `2024-01`, `2024-01-01`, `2026-06-09-174730` or
/// `2024_01_01`.
fn is_date(head: &str, rest: &str) -> bool {
    let mut after = rest.chars().skip(1);
    let two_digits = after.by_ref().take(2).filter(char::is_ascii_digit).count() == 2;
    head.len() == 4 && !head.contains('.') && two_digits && after.next().is_none_or(|c| !c.is_ascii_alphanumeric())
}

/// Parses a pre-release. A leading zero is accepted, because a commit hash may consist of digits only.
fn pre_release(rest: &str) -> Result<&str, SemverProblem> {
    let Some(pre_release) = rest.strip_prefix('-') else {
        return Err(SemverProblem::Unexpected(rest.chars().next().unwrap_or_default()));
    };
    if pre_release.split('.').any(str::is_empty) {
        return Err(SemverProblem::EmptyPreRelease);
    }
    match pre_release.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')) {
        Some(odd) => Err(SemverProblem::Unexpected(odd)),
        None => Ok(pre_release),
    }
}

/// The extent of a series of compatible versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeriesKind {
    /// `^`: until the leftmost non-zero number changes. If all numbers are 0, until the last one changes.
    Caret,
    /// `~`: until the second number changes, or the first if it is the only one.
    Tilde,
}

/// Returns the first release after the series that begins with `text`: `^1.4` ends before 2. None if `text` is no
/// semantic version, or if the number that changes has no successor.
pub(super) fn end_of_series(series: SeriesKind, text: &str) -> Option<String> {
    parse_semver(text).ok()?;
    let SemverCore { numbers, given, .. } = core(text).ok()?;
    let given = given.min(3);
    let moves = match series {
        SeriesKind::Caret => numbers.iter().take(given).position(|&number| number != 0).unwrap_or(given - 1),
        SeriesKind::Tilde => usize::from(given > 1),
    };
    let mut end = numbers.iter().take(moves).map(u64::to_string).collect::<Vec<_>>();
    end.push(numbers.get(moves)?.checked_add(1)?.to_string());
    Some(end.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(one: &str, two: &str) -> Ordering {
        parse_semver(one).unwrap().compare(&parse_semver(two).unwrap())
    }

    #[test]
    fn the_precedence_is_that_of_semver_2() {
        let rising = [
            "0",
            "0.0.1-alpha",
            "0.0.1",
            "v1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-beta.99999999999999999999999999",
            "1.0.0-rc.1",
            "1",
            "1.0.0.1",
            "1.2",
            "1.10",
            "18446744073709551615",
        ];
        for pair in rising.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn the_v_missing_numbers_and_build_metadata_do_not_count() {
        for (one, two) in [("v1.2", "1.2.0.0"), ("V1", "1"), ("1.2_a", "1.2_b"), ("1-rc.1_x", "1-rc.01")] {
            assert_eq!(compare(one, two), Ordering::Equal, "{one} {two}");
        }
    }

    #[test]
    fn what_is_not_semantic_says_why() {
        for (text, problem) in [
            ("main", SemverProblem::NoNumber),
            ("vv1", SemverProblem::NoNumber),
            ("", SemverProblem::NoNumber),
            ("1..2", SemverProblem::EmptyNumber),
            ("1.2.x", SemverProblem::EmptyNumber),
            ("01.2.3", SemverProblem::LeadingZero),
            ("2024.01.05", SemverProblem::LeadingZero),
            ("1.2.3.4.5", SemverProblem::TooManyNumbers),
            ("18446744073709551616", SemverProblem::TooLarge),
            ("2024-01-01", SemverProblem::Date),
            ("2026-06-09-174730", SemverProblem::Date),
            ("2024_01_01", SemverProblem::Date),
            ("v1.2.3-", SemverProblem::EmptyPreRelease),
            ("1.2.3-rc..1", SemverProblem::EmptyPreRelease),
            ("1.2.3rc1", SemverProblem::Unexpected('r')),
            ("1.2.3-é", SemverProblem::Unexpected('é')),
            ("1.0.0~1", SemverProblem::Unexpected('~')),
        ] {
            assert_eq!(parse_semver(text).err(), Some(problem), "{text}");
        }
    }

    #[test]
    fn a_build_number_before_a_hash_is_no_date() {
        assert_eq!(compare("1234-0af3c1d", "1235-01b2c3d"), Ordering::Less);
    }

    #[test]
    fn a_series_ends_where_cargo_and_npm_end_it() {
        for (text, caret, tilde) in [
            ("1.4", "2", "1.5"),
            ("1", "2", "2"),
            ("v1.4.2", "2", "1.5"),
            ("1.4.2.7-rc.1", "2", "1.5"),
            ("0.3", "0.4", "0.4"),
            ("0.3.7", "0.4", "0.4"),
            ("0.0.3", "0.0.4", "0.1"),
            ("0.0", "0.1", "0.1"),
            ("0", "1", "1"),
            ("0.0.0.4", "0.0.1", "0.1"),
        ] {
            assert_eq!(end_of_series(SeriesKind::Caret, text).as_deref(), Some(caret), "^{text}");
            assert_eq!(end_of_series(SeriesKind::Tilde, text).as_deref(), Some(tilde), "~{text}");
        }
        for text in ["main", "1.4.Final", "1.4rc1", "18446744073709551615"] {
            assert_eq!(end_of_series(SeriesKind::Caret, text), None, "^{text}");
        }
    }
}
