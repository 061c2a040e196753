//! The needs of a consumer's versions for one provider.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::version::{Version, VersionOrder, VersionRange};

#[derive(Debug, Clone)]
pub(super) enum EdgeRule {
    /// Ranges by version. A version without a row needs nothing.
    Versions(VersionRows),
    /// Each range applies from its version on, up to that of the next row. Sorted in the consumer's order.
    Table(Vec<(Version, VersionRange)>),
}

/// Ranges by version, sorted by the hash of the version's text.
///
/// Plans and rollbacks search many of these. Comparing adjacent numbers is many times faster than comparing texts that
/// are scattered in memory.
#[derive(Debug, Clone)]
pub(super) struct VersionRows(Vec<(u64, Version, VersionRange)>);

impl EdgeRule {
    /// Returns the range that version `x` of the consumer needs. `order` is the consumer's.
    pub(super) fn required_range(&self, x: &Version, order: &VersionOrder) -> Option<&VersionRange> {
        match self {
            Self::Versions(rows) => rows.get(x),
            Self::Table(rows) => {
                rows.iter().rev().find(|(from, _)| is_at_least(order, x, from)).map(|(_, range)| range)
            }
        }
    }
}

impl VersionRows {
    fn get(&self, version: &Version) -> Option<&VersionRange> {
        let hash = version.hash_of_text();
        let first = self.0.partition_point(|&(it, ..)| it < hash);
        let mut same = self.0[first..].iter().take_while(|&&(it, ..)| it == hash);
        same.find(|(_, it, _)| it == version).map(|(.., range)| range)
    }
}

impl From<BTreeMap<Version, VersionRange>> for VersionRows {
    fn from(rows: BTreeMap<Version, VersionRange>) -> Self {
        let mut rows: Vec<_> = rows.into_iter().map(|(it, range)| (it.hash_of_text(), it, range)).collect();
        rows.sort_by_key(|&(hash, ..)| hash);
        Self(rows)
    }
}

/// Returns whether `x` is `from` or newer.
pub(super) fn is_at_least(order: &VersionOrder, x: &Version, from: &Version) -> bool {
    matches!(order.compare(x, from), Some(Ordering::Equal | Ordering::Greater))
}
