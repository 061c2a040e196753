//! The bounds of a range: which versions they admit, and which two admit no common version.

use std::{cmp::Ordering, fmt};

use super::{Version, VersionOrder, Versioning};

/// A bound, and its offset in the text of the range.
#[derive(Debug)]
pub(super) struct RangeBound {
    pub(super) offset: usize,
    pub(super) test: BoundTest,
}

#[derive(Debug)]
pub(super) enum BoundTest {
    Equal(Version),
    Above(Version),
    AtLeast(Version),
    AtMost(Version),
    /// `<2`, which excludes the pre-releases of 2.
    Below(Version),
    /// Maven's `2)`, which includes the pre-releases of 2.
    Before(Version),
    /// `^` and `~`: the first version, and the release that ends the series.
    Series(Version, Version),
}

/// Returns two bounds that no version satisfies together. The bound with the lower end comes first.
pub(super) fn conflicting_bounds<'b>(
    all_of: &'b [RangeBound],
    order: &VersionOrder,
) -> Option<(&'b RangeBound, &'b RangeBound)> {
    let mut pairs = all_of.iter().flat_map(|low| all_of.iter().map(move |high| (low, high)));
    let is_empty = |low: &BoundTest, high: &BoundTest| {
        let ((from, from_it), (to, to_it)) = (low.lower_end()?, high.upper_end()?);
        Some(match order.compare(from, to)? {
            Ordering::Greater => true,
            Ordering::Equal => !(from_it && to_it),
            // Only other pre-releases lie between a pre-release and its release, and `<` and series exclude them.
            Ordering::Less => {
                matches!(high, BoundTest::Below(_) | BoundTest::Series(..)) && order.is_pre_release_of(from, to)
            }
        })
    };
    pairs.find(|(low, high)| is_empty(&low.test, &high.test) == Some(true))
}

impl BoundTest {
    /// Returns the lowest version admitted, and whether the bound includes it.
    fn lower_end(&self) -> Option<(&Version, bool)> {
        match self {
            Self::Equal(version) | Self::AtLeast(version) | Self::Series(version, _) => Some((version, true)),
            Self::Above(version) => Some((version, false)),
            Self::AtMost(_) | Self::Below(_) | Self::Before(_) => None,
        }
    }

    /// Returns the highest version admitted, and whether the bound includes it.
    fn upper_end(&self) -> Option<(&Version, bool)> {
        match self {
            Self::Equal(version) | Self::AtMost(version) => Some((version, true)),
            Self::Below(version) | Self::Before(version) | Self::Series(_, version) => Some((version, false)),
            Self::Above(_) | Self::AtLeast(_) => None,
        }
    }

    /// Returns whether the bound admits a version.
    pub(super) fn admits(&self, version: &Version, order: &VersionOrder) -> bool {
        let is = |holds: fn(Ordering) -> bool, bound| order.compare(version, bound).is_some_and(holds);
        let is_below = |bound| is(Ordering::is_lt, bound) && !order.is_pre_release_of(version, bound);
        match self {
            Self::Equal(bound) => is(Ordering::is_eq, bound),
            Self::Above(bound) => is(Ordering::is_gt, bound),
            Self::AtLeast(bound) => is(Ordering::is_ge, bound),
            Self::AtMost(bound) => is(Ordering::is_le, bound),
            Self::Below(bound) => is_below(bound),
            Self::Before(bound) => is(Ordering::is_lt, bound),
            Self::Series(first, end) => {
                order.versioning() != Versioning::History && is(Ordering::is_ge, first) && is_below(end)
            }
        }
    }

    /// Returns the version in the bound, as written.
    pub(super) fn version(&self) -> &Version {
        match self {
            Self::Equal(version)
            | Self::Above(version)
            | Self::AtLeast(version)
            | Self::AtMost(version)
            | Self::Below(version)
            | Self::Before(version)
            | Self::Series(version, _) => version,
        }
    }
}

impl fmt::Display for BoundTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(version) => write!(f, "exactly {version}"),
            Self::Above(version) => write!(f, "newer than {version}"),
            Self::AtLeast(version) => write!(f, "{version} or newer"),
            Self::AtMost(version) => write!(f, "{version} or older"),
            Self::Below(version) => write!(f, "below {version}"),
            Self::Before(version) => write!(f, "before {version}"),
            Self::Series(first, end) => write!(f, "{first} or newer, below {end}"),
        }
    }
}
