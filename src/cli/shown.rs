//! What programs are told of moves and needs: `--output json` and `yaml`.

use std::cmp::Ordering;

use pintle_core::change::{ChangeKind, NeedChange};
use pintle_core::pins::ServiceName;
use serde::Serialize;

use super::words::need_text;

/// How a pin moved.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeKindJson {
    /// `needs` where the pin did not move.
    kind: &'static str,
    direction: Option<&'static str>,
}

/// A need that moved.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NeedMoveJson {
    provider: ServiceName,
    from: Option<String>,
    to: Option<String>,
}

impl ChangeKindJson {
    /// Only the name is another one.
    pub(super) const RENAME: Self = Self { kind: "rename", direction: None };

    /// What is told of it.
    pub(super) fn of(kind: Option<ChangeKind>) -> Self {
        let direction = kind.and_then(|kind| match kind.version_direction() {
            Ordering::Greater => Some("up"),
            Ordering::Less => Some("down"),
            Ordering::Equal => None,
        });
        Self { kind: kind.map_or("needs", ChangeKind::as_str), direction }
    }
}

impl NeedMoveJson {
    /// What is told of it.
    pub(super) fn of(moved: &NeedChange) -> Self {
        let NeedChange { provider, from, to } = moved;
        Self { provider: provider.clone(), from: from.as_ref().map(need_text), to: to.as_ref().map(need_text) }
    }
}
