//! The order of the versions of one service.

use std::{cmp::Ordering, collections::HashMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Version, VersionError, maven, semver};

/// The kind of order: the key `versioning:` of a service file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Versioning {
    /// Semantic Versioning 2.0.0. A leading `v`, missing numbers and a fourth number are accepted.
    Semver,
    /// Maven's `ComparableVersion`.
    Maven,
    /// The order of first appearance in Git, for dates, builds, hashes and branches.
    History,
}

impl Versioning {
    /// Returns the spelling in service files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Semver => "semver",
            Self::Maven => "maven",
            Self::History => "history",
        }
    }
}

impl fmt::Display for Versioning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The total order of one service's versions. Versions with different spellings (`v1.2`, `1.2.0`) may be equal in it.
/// Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionOrder {
    versioning: Versioning,
    explicit: bool,
    /// The position of each version by first appearance. Empty if it can never matter.
    places: Arc<HashMap<Version, usize>>,
}

impl VersionOrder {
    /// Returns the order that the service file names. Otherwise it is semver if all versions parse, or else history.
    /// `appearance` holds the service's versions by first appearance in Git. Repeats are ignored.
    pub fn choose(explicit: Option<Versioning>, appearance: impl IntoIterator<Item = Version>) -> Self {
        let mut order = Self {
            versioning: explicit.unwrap_or(Versioning::Semver),
            explicit: explicit.is_some(),
            places: Arc::default(),
        };
        for version in appearance {
            order.append(version);
        }
        order
    }

    /// Adds a version that appeared in Git after all others. If the service file names no order, a version that is not
    /// semantic changes the order to history.
    pub fn append(&mut self, version: Version) {
        if self.explicit && self.versioning != Versioning::History {
            return;
        }
        if version.semver().is_none() {
            self.versioning = Versioning::History;
        }
        let places = Arc::make_mut(&mut self.places);
        let next = places.len();
        places.entry(version).or_insert(next);
    }

    pub fn versioning(&self) -> Versioning {
        self.versioning
    }

    /// Compares two versions. None if one of them has no position in this order (see [`VersionOrder::knows`]).
    pub fn compare(&self, one: &Version, two: &Version) -> Option<Ordering> {
        match self.versioning {
            Versioning::Semver => Some(one.semver()?.compare(two.semver()?)),
            Versioning::Maven => Some(maven::compare_maven(one.as_str(), two.as_str())),
            Versioning::History => Some(self.places.get(one)?.cmp(self.places.get(two)?)),
        }
    }

    /// Returns whether the version has a position in this order. Under history it must be pinned, under semver it must
    /// parse.
    pub fn knows(&self, version: &Version) -> bool {
        match self.versioning {
            Versioning::Semver => version.semver().is_some(),
            Versioning::Maven => true,
            Versioning::History => self.places.contains_key(version),
        }
    }

    /// Checks that a version may be pinned under this order. Only semver refuses any.
    pub fn check(&self, version: &Version) -> Result<(), VersionError> {
        if self.versioning != Versioning::Semver || version.semver().is_some() {
            return Ok(());
        }
        semver::parse_semver(version.as_str())
            .map(drop)
            .map_err(|problem| VersionError::NotSemver { version: version.clone(), problem })
    }

    /// Returns whether `version` is a pre-release of `release`. Always false under history.
    pub(super) fn is_pre_release_of(&self, version: &Version, release: &Version) -> bool {
        match self.versioning {
            Versioning::Semver => version
                .semver()
                .zip(release.semver())
                .is_some_and(|(version, release)| version.is_pre_release_of(release)),
            Versioning::Maven => maven::is_pre_release_of(version.as_str(), release.as_str()),
            Versioning::History => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn version(text: &str) -> Version {
        Version::new(text).unwrap()
    }

    fn order(explicit: Option<Versioning>, appearance: &[&str]) -> VersionOrder {
        VersionOrder::choose(explicit, appearance.iter().map(|text| version(text)))
    }

    #[test]
    fn versions_that_are_all_semantic_are_ordered_so() {
        let order = order(None, &["1.10", "v1.9"]);
        assert_eq!(order.versioning(), Versioning::Semver);
        assert_eq!(order.compare(&version("1.9"), &version("1.10")), Some(Ordering::Less));
        assert_eq!(order.compare(&version("1.9"), &version("main")), None);
    }

    #[test]
    fn one_version_that_is_not_semantic_makes_it_the_order_of_first_appearance() {
        let mut order = order(None, &["1.10", "1.9", "1.10"]);
        order.append(version("main"));
        assert_eq!(order.versioning(), Versioning::History);
        assert_eq!(order.compare(&version("1.9"), &version("1.10")), Some(Ordering::Greater));
        assert_eq!(order.compare(&version("1.9"), &version("main")), Some(Ordering::Less));
        assert_eq!(order.compare(&version("1.9"), &version("1.8")), None);
        assert!(order.knows(&version("main")) && !order.knows(&version("1.8")));
    }

    #[test]
    fn an_explicit_order_stays() {
        let semver = order(Some(Versioning::Semver), &["main"]);
        assert_eq!(semver.versioning(), Versioning::Semver);
        let history = order(Some(Versioning::History), &["2", "1"]);
        assert_eq!(history.compare(&version("2"), &version("1")), Some(Ordering::Less));
    }

    #[test]
    fn where_semver_is_required_a_version_that_is_none_gets_its_precise_message() {
        let semver = order(Some(Versioning::Semver), &[]);
        assert_eq!(semver.check(&version("v1.2")), Ok(()));
        for (text, message) in [
            ("1.2.3-", "`1.2.3-` is not a semantic version: empty pre-release"),
            ("01.2.3", "`01.2.3` is not a semantic version: leading zero: is this a date?"),
            ("main", "`main` is not a semantic version: it does not begin with a number"),
        ] {
            let error = semver.check(&version(text)).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().is_some());
            assert_eq!(order(Some(Versioning::Maven), &[]).check(&version(text)), Ok(()));
        }
    }

    #[test]
    fn the_key_is_written_in_lower_case() {
        assert_eq!(serde_json::to_string(&Versioning::History).unwrap(), r#""history""#);
    }

    /// Generates versions from pieces that are hard to order.
    fn text() -> impl Strategy<Value = Version> {
        let piece =
            select(vec!["0", "1", "2", "10", ".", "-", "alpha", "rc", "ga", "sp", "snapshot", "a", "foo", "v", "_"]);
        vec(piece, 1..8).prop_map(|pieces| version(&pieces.concat()))
    }

    proptest! {
        #[test]
        fn each_order_is_total(versions in vec(text(), 3), also in vec(text(), 0..3)) {
            let [a, b, c] = [0, 1, 2].map(|place| &versions[place]);
            for explicit in [Versioning::Semver, Versioning::Maven, Versioning::History] {
                let order = VersionOrder::choose(Some(explicit), also.iter().chain(&versions).cloned());
                for version in &versions {
                    prop_assert_eq!(order.compare(version, version), order.knows(version).then_some(Ordering::Equal));
                }
                prop_assert_eq!(order.compare(a, b), order.compare(b, a).map(Ordering::reverse));
                if let (Some(first), Some(second)) = (order.compare(a, b), order.compare(b, c))
                    && (first == second || first.is_eq() || second.is_eq())
                {
                    prop_assert_eq!(order.compare(a, c), Some(first.then(second)), "{} {} {}", a, b, c);
                }
            }
        }
    }
}
