//! Pinned versions, their orders, and the ranges that consumers declare.
//!
//! A service's earlier versions come from the history, through [`VersionOrder`].

/// Implements equality, hashing, display and serde for a type that is parsed once and represented by its text.
macro_rules! is_its_text {
    ($type:ident) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                std::sync::Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
            }
        }

        impl Eq for $type {}

        impl std::hash::Hash for $type {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl TryFrom<String> for $type {
            type Error = <Self as std::str::FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

mod bound;
mod maven;
mod notation;
mod order;
mod range;
mod range_error;
mod semver;

use std::{
    cmp::Ordering,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    str::FromStr,
    sync::Arc,
};

pub use order::{VersionOrder, Versioning};
pub use range::VersionRange;
pub use range_error::RangeError;
pub use semver::SemverProblem;
use serde::Deserialize;

/// The maximum length of an image tag (OCI distribution specification, "Pulling manifests").
const MAX_LENGTH: usize = 128;

/// A pinned version. The spelling is kept: `1.10` is never 1.1.
///
/// Versions are equal if their texts are equal. [`Ord`] compares the texts, for deterministic maps. An [`VersionOrder`]
/// decides which version is newer. Cloning is cheap.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Version(Arc<VersionData>);

struct VersionData {
    text: Box<str>,
    /// The hash of the text, computed once for tables with many versions.
    hash: u64,
    /// Parsed once, so that a range check costs a few integer comparisons.
    semver: Option<semver::SemverKey>,
}

impl Version {
    /// Parses a version: 1 to 128 printable characters without white space and without the signs of ranges. Further
    /// rules for tags apply where the tag is rendered. Rules for semantic versions are in [`VersionOrder::check`].
    pub fn new(text: &str) -> Result<Self, VersionError> {
        let length = text.chars().count();
        if length == 0 {
            return Err(VersionError::Empty);
        }
        if let Some(sign) = text.chars().find(|&c| is_of_ranges(c)) {
            return Err(VersionError::Range(sign));
        }
        if text.contains('+') {
            return Err(VersionError::BuildMetadata);
        }
        if let Some(odd) = text.chars().find(|&c| !is_printable(c)) {
            return Err(VersionError::Unprintable(odd));
        }
        if length > MAX_LENGTH {
            return Err(VersionError::TooLong(length));
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Self(Arc::new(VersionData {
            text: text.into(),
            hash: hasher.finish(),
            semver: semver::parse_semver(text).ok(),
        })))
    }

    /// Returns the text as it is pinned.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Returns a hash that is stable within this process. Other texts may have the same hash.
    pub(crate) fn hash_of_text(&self) -> u64 {
        self.0.hash
    }

    fn semver(&self) -> Option<&semver::SemverKey> {
        self.0.semver.as_ref()
    }
}

/// Returns whether ranges use this character. None of them is allowed in a tag.
fn is_of_ranges(c: char) -> bool {
    "^~<>=!*,|[]()".contains(c)
}

/// Returns whether debug output of the standard library shows a character as it is: no control, no format character, no
/// white space.
fn is_printable(c: char) -> bool {
    !c.is_whitespace() && (matches!(c, '"' | '\'' | '\\') || c.escape_debug().len() == 1)
}

/// The reason that a text is no version, or does not fit the order of its service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    #[error("a version cannot be empty")]
    Empty,
    /// The text has this many characters.
    #[error("a version has at most {MAX_LENGTH} characters, as many as an image tag; this has {0}")]
    TooLong(usize),
    /// White space, a control character, or an invisible character.
    #[error("{0:?} cannot stand in a version")]
    Unprintable(char),
    /// A sign of ranges, as in `^1.2`, `>=1`, `*` or `[1,2)`.
    #[error("`{0}` belongs to ranges: a pin is one version, not a range")]
    Range(char),
    /// Build metadata, semver's `+build`.
    #[error("`+` is not allowed in an image tag")]
    BuildMetadata,
    /// The service has semantic versions, and this is none.
    #[error("`{version}` is not a semantic version: {problem}")]
    NotSemver {
        /// The version as it is pinned.
        version: Version,
        problem: SemverProblem,
    },
}

impl VersionError {
    /// Returns what to write instead.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Empty | Self::TooLong(_) | Self::Unprintable(_) => {
                Some("write it as it was released, as in 2.1.0".to_owned())
            }
            Self::Range(_) => Some("name the one version that is to run".to_owned()),
            Self::BuildMetadata => Some("use `_` instead, as Helm does, or drop the build metadata".to_owned()),
            Self::NotSemver { problem, .. } => Some(problem.hint().to_owned()),
        }
    }
}

/// A run of ASCII digits, compared as a number of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DigitRun<'a> {
    length: usize,
    digits: &'a str,
}

impl<'a> DigitRun<'a> {
    const ZERO: Self = Self { length: 0, digits: "" };

    fn new(digits: &'a str) -> Self {
        let digits = digits.trim_start_matches('0');
        Self { length: digits.len(), digits }
    }
}

is_its_text!(Version);

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spelling_is_the_identity() {
        let [short, long] = ["1.1", "1.10"].map(|text| Version::new(text).unwrap());
        assert_ne!(short, long);
        assert_eq!(long.to_string(), "1.10");
        assert_eq!(serde_json::to_string(&long).unwrap(), r#""1.10""#);
        assert_eq!(serde_json::from_str::<Version>(r#""1.10""#).unwrap(), long);
    }

    #[test]
    fn a_version_may_be_a_date_a_branch_or_a_build() {
        for text in ["2024-01-01", "main", "1.0.0-0.dev.git.3916.h998c481f", "v1.2", "1.2.3-", "01.2.3", "ζέβρα", "\""]
        {
            assert_eq!(Version::new(text).map(|version| version.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_no_version_is_refused_with_the_reason() {
        for (text, error) in [
            ("", VersionError::Empty),
            ("^1.2", VersionError::Range('^')),
            (">=1, <2", VersionError::Range('>')),
            ("*", VersionError::Range('*')),
            ("[1,2)", VersionError::Range('[')),
            ("1.2.3+a", VersionError::BuildMetadata),
            ("1.2 ", VersionError::Unprintable(' ')),
            ("1.2\n", VersionError::Unprintable('\n')),
            ("1\u{202e}2", VersionError::Unprintable('\u{202e}')),
            ("1\u{a0}2", VersionError::Unprintable('\u{a0}')),
        ] {
            assert_eq!(Version::new(text), Err(error), "{text:?}");
        }
        assert_eq!(Version::new(&"1".repeat(129)), Err(VersionError::TooLong(129)));
        assert!(Version::new(&"1".repeat(128)).is_ok());
    }

    #[test]
    fn build_metadata_gets_the_way_out() {
        let error = Version::new("1.2.3+a").unwrap_err();
        assert_eq!(error.to_string(), "`+` is not allowed in an image tag");
        assert_eq!(error.hint().unwrap(), "use `_` instead, as Helm does, or drop the build metadata");
    }

    proptest! {
        #[test]
        fn any_text_is_a_version_of_that_text_or_an_error(text in any::<String>()) {
            if let Ok(version) = Version::new(&text) {
                prop_assert_eq!(version.as_str(), text);
            }
        }
    }
}
