//! The needs of a consumer's versions for one provider.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::version::{Order, Range, Version};

#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// Ranges by version. A version without a row needs nothing.
    Versions(Rows),
    /// Each range applies from its version on, up to that of the next row. Sorted in the consumer's order.
    Table(Vec<(Version, Range)>),
}

/// Ranges by version, sorted by the hash of the version's text.
///
/// Plans and rollbacks search many of these. Comparing adjacent numbers is many times faster than comparing texts that
/// are scattered in memory.
#[derive(Debug, Clone)]
pub(super) struct Rows(Vec<(u64, Version, Range)>);

impl Rule {
    /// Returns the range that version `x` of the consumer needs. `order` is the consumer's.
    pub(super) fn need(&self, x: &Version, order: &Order) -> Option<&Range> {
        match self {
            Self::Versions(rows) => rows.get(x),
            Self::Table(rows) => rows.iter().rev().find(|(from, _)| reaches(order, x, from)).map(|(_, range)| range),
        }
    }
}

impl Rows {
    fn get(&self, version: &Version) -> Option<&Range> {
        let hash = version.hash_of_text();
        let first = self.0.partition_point(|&(it, ..)| it < hash);
        let mut same = self.0[first..].iter().take_while(|&&(it, ..)| it == hash);
        same.find(|(_, it, _)| it == version).map(|(.., range)| range)
    }
}

impl From<BTreeMap<Version, Range>> for Rows {
    fn from(rows: BTreeMap<Version, Range>) -> Self {
        let mut rows: Vec<_> = rows.into_iter().map(|(it, range)| (it.hash_of_text(), it, range)).collect();
        rows.sort_by_key(|&(hash, ..)| hash);
        Self(rows)
    }
}

/// Returns whether `x` is `from` or newer.
pub(super) fn reaches(order: &Order, x: &Version, from: &Version) -> bool {
    matches!(order.compare(x, from), Some(Ordering::Equal | Ordering::Greater))
}
