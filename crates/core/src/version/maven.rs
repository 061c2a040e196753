//! Maven's version order, after the POM reference's "Version Order Specification" without its contradictions.
//!
//! The specification pads the shorter version with zeros or empty qualifiers, depending on the other version. That
//! makes its order cyclic: `1.0.alpha.1 < 1 < 1-1 < 1.0.alpha.1`. MNG-5568 and MNG-6964 were such cycles. Here, zeros
//! are dropped wherever no number after a dot follows, and the padding is always the release. This gives a total order.
//! It agrees with the specification's examples and with Maven's own tests.

use std::cmp::Ordering;

use super::{DigitRun, semver::without_v};

/// A token, in ascending order for tokens at the same position: `.qualifier` = `-qualifier` < `-number` < `.number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum MavenToken<'a> {
    Qualifier(MavenQualifier<'a>),
    /// After a hyphen or after letters.
    DashedNumber(DigitRun<'a>),
    /// After a dot, or at the start.
    DottedNumber(DigitRun<'a>),
}

/// A qualifier, in ascending order. Unknown qualifiers follow in alphabetical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum MavenQualifier<'a> {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    Release,
    ServicePack,
    Other(&'a str),
}

const RELEASE_TOKEN: MavenToken<'_> = MavenToken::Qualifier(MavenQualifier::Release);

/// Compares two versions by Maven's order.
pub(super) fn compare_maven(one: &str, two: &str) -> Ordering {
    let (one, two) = (one.to_lowercase(), two.to_lowercase());
    let (one, two) = (tokens(&one), tokens(&two));
    let length = one.len().max(two.len());
    padded(&one, length).cmp(padded(&two, length))
}

/// Returns whether `text` is `release` followed by an alpha, beta, milestone, candidate or snapshot qualifier.
pub(super) fn is_pre_release_of(text: &str, release: &str) -> bool {
    let (text, release) = (text.to_lowercase(), release.to_lowercase());
    let (text, release) = (tokens(&text), tokens(&release));
    text.strip_prefix(release.as_slice()).and_then(<[_]>::first).is_some_and(|&next| next < RELEASE_TOKEN)
}

fn padded<'a>(tokens: &[MavenToken<'a>], length: usize) -> impl Iterator<Item = MavenToken<'a>> {
    tokens.iter().copied().chain(std::iter::repeat(RELEASE_TOKEN)).take(length)
}

/// Splits a lower-case version into its tokens, without those that do not affect the order.
fn tokens(text: &str) -> Vec<MavenToken<'_>> {
    let mut tokens = Vec::new();
    let mut dashed = false;
    for piece in without_v(text).split_inclusive(['.', '-']) {
        add_runs(&mut tokens, dashed, piece.strip_suffix(['.', '-']).unwrap_or(piece));
        dashed = piece.ends_with('-');
    }
    trimmed(tokens)
}

/// Splits the text between two separators where digits meet letters. An empty piece counts as 0.
fn add_runs<'a>(tokens: &mut Vec<MavenToken<'a>>, mut dashed: bool, piece: &'a str) {
    if piece.is_empty() {
        tokens.push(number(dashed, DigitRun::ZERO));
    }
    let mut rest = piece;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        tokens.push(if is_digit {
            number(dashed, DigitRun::new(run))
        } else {
            MavenToken::Qualifier(qualifier(run, !behind.is_empty()))
        });
        dashed = true;
        rest = behind;
    }
}

fn number(dashed: bool, digits: DigitRun<'_>) -> MavenToken<'_> {
    if dashed { MavenToken::DashedNumber(digits) } else { MavenToken::DottedNumber(digits) }
}

/// Returns the qualifier of a word. The short forms `a`, `b` and `m` count only directly before a number.
fn qualifier(word: &str, before_number: bool) -> MavenQualifier<'_> {
    match word {
        "alpha" => MavenQualifier::Alpha,
        "a" if before_number => MavenQualifier::Alpha,
        "beta" => MavenQualifier::Beta,
        "b" if before_number => MavenQualifier::Beta,
        "milestone" => MavenQualifier::Milestone,
        "m" if before_number => MavenQualifier::Milestone,
        "rc" | "cr" => MavenQualifier::Candidate,
        "snapshot" => MavenQualifier::Snapshot,
        "final" | "ga" | "release" => MavenQualifier::Release,
        "sp" => MavenQualifier::ServicePack,
        other => MavenQualifier::Other(other),
    }
}

/// Drops zeros and release qualifiers at the end and before a hyphen. The release in `1.0.final-redhat` is kept,
/// because that version sorts before `1.0-sp1-redhat` (MNG-7714).
fn trimmed(tokens: Vec<MavenToken<'_>>) -> Vec<MavenToken<'_>> {
    let mut kept: Vec<MavenToken<'_>> = Vec::with_capacity(tokens.len());
    for token in tokens.into_iter().rev() {
        let says_nothing = match kept.last() {
            Some(MavenToken::DottedNumber(_)) => false,
            None | Some(MavenToken::DashedNumber(_)) => is_zero(token) || token == RELEASE_TOKEN,
            Some(MavenToken::Qualifier(_)) => is_zero(token),
        };
        if !says_nothing {
            kept.push(token);
        }
    }
    kept.reverse();
    kept
}

fn is_zero(token: MavenToken<'_>) -> bool {
    matches!(token, MavenToken::DottedNumber(DigitRun::ZERO) | MavenToken::DashedNumber(DigitRun::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_rising(versions: &[&str]) {
        for (place, low) in versions.iter().enumerate() {
            for high in &versions[place + 1..] {
                assert_eq!(compare_maven(low, high), Ordering::Less, "{low} {high}");
                assert_eq!(compare_maven(high, low), Ordering::Greater, "{high} {low}");
            }
        }
    }

    /// Versions in ascending order, from Maven's own tests of `ComparableVersion` and from the POM reference.
    #[test]
    fn versions_rise_as_in_maven() {
        for rising in [
            "1-alpha2snapshot 1-alpha2 1-alpha-123 1-beta-2 1-beta123 1-m2 1-m11 1-rc 1-cr2 1-rc123 1-SNAPSHOT 1 1-sp \
             1-sp2 1-sp123 1-abc 1-def 1-pom-1 1-1-snapshot 1-1 1-2 1-123",
            "2.0 2.0.a 2-1 2.0.2 2.0.123 2.1.0 2.1-a 2.1b 2.1-c 2.1-1 2.1.0.1 2.2 2.123",
            "11.a2 11.a11 11.b2 11.b11 11.m2 11.m11 11 11.a 11b 11c 11m",
            "1 1.1",
            "1-snapshot 1 1-sp",
            "1-foo2 1-foo10",
            "1.foo 1-1 1.1",
            "1-ga 1-sp",
            "1-ga.1 1-sp.1",
            "1-sp-1 1-ga-1",
            "1.0-alpha-1-SNAPSHOT 1.0-alpha-1 1.0-alpha-2 1.0-beta-1 1.0-SNAPSHOT 1.0 1.0-1 1.0-2",
            "2.0.1 2.0.1-klm 2.0.1-lmn 2.0.1-xyz 2.0.1-123",
            "6.1.0rc3 6.1.0 6.1H.5-beta",
            "20190126.230843 1234567890.12345 123456789012345.1H.5-beta 12345678901234567890.1H.5-beta",
            "1-0.alpha 1-0.beta 1",
            "1.0.final-redhat 1.0-sp1-redhat",
            "1.0.0.RC1 1.0.0-RC2",
            "aardvark c J zebra ζέβρα 1 7",
        ] {
            assert_rising(&rising.split_whitespace().collect::<Vec<_>>());
        }
    }

    #[test]
    fn versions_are_equal_as_in_maven() {
        for equal in [
            "1 1.0 1.0.0 1-0 1.0-0 1. 1- 1.ga 1-ga 1.final 1release 1Final 01 v1",
            "1a 1-a 1.0-a 1.0.0-a 1.0a 1.0.0a 1.A 1.0.a",
            "1x 1-x 1.0-x 1.0x 1.x 1.0.0.x",
            "1cr 1rc 1cR 1.0.RC",
            "1a1 1-alpha-1 1.0.alpha1",
            "1m3 1Milestone3 1-MILESTONE-3",
            "1.0.0-foo.0.0 1-foo",
            "1-1.foo-bar1baz-.1 1-1-foo-bar-1-baz-0.1",
            "0 00 0.0 0-0 ga",
        ] {
            for one in equal.split(' ') {
                for two in equal.split(' ') {
                    assert_eq!(compare_maven(one, two), Ordering::Equal, "{one} {two}");
                }
            }
        }
    }

    #[test]
    fn the_circle_of_the_specification_is_open() {
        assert_rising(&["1.0.alpha.1", "1", "1-1", "1.0.1"]);
    }

    #[test]
    fn a_pre_release_is_known_by_its_qualifier() {
        for text in ["2-alpha", "2.0-rc1", "2.0.0.CR1", "2-SNAPSHOT", "2b1"] {
            assert!(is_pre_release_of(text, "2.0"), "{text}");
        }
        for text in ["2", "2.0.Final", "2-sp", "2-foo", "2.1-rc1", "1.9", "2-1-SNAPSHOT"] {
            assert!(!is_pre_release_of(text, "2.0"), "{text}");
        }
    }
}
