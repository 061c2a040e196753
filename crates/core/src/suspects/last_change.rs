//! The last change of a service: its cause, its start and its undo.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::change::{ChangeKind, PinMove};
use crate::image::Image;
use crate::pins::Pin;
use crate::running::Running;
use crate::version::VersionOrder;
use crate::workload::ProvenVersion;

/// The last change of a service.
#[derive(Debug, Clone)]
pub struct LastChange {
    /// The start of the change. The change to a pin starts when the workloads are written, not with the commit.
    pub at: Timestamp,
    pub cause: ChangeCause,
    /// The action that undoes the change; `None` if there is no earlier state.
    pub undo: Option<UndoAction>,
}

#[derive(Debug, Clone)]
pub enum ChangeCause {
    /// A manual change of what runs.
    Hand,
    /// A commit that moved the pin.
    Commit {
        moved: PinMove,
        /// Whether the pin was verified since.
        is_verified: bool,
    },
}

/// The action that undoes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoAction {
    /// Write the pin, as something else runs.
    WritePin,
    /// Undo the rollback that made the change.
    Reapply,
    /// Roll the pin back.
    Rollback,
}

/// The move to the pin that runs, and the newest move of all.
#[derive(Debug, Clone, Copy)]
pub struct RunningMove<'m> {
    /// The newest move whose pin runs, or the newest of all if none does.
    pub moved: &'m PinMove,
    newest: &'m PinMove,
}

impl<'m> RunningMove<'m> {
    /// Finds the moves among those of a service, oldest first. A pin that does not run yet is not a cause of anything.
    pub fn find(oldest_first: &'m [PinMove], order: &VersionOrder, running: &[Running]) -> Option<Self> {
        let runs = |pin: &Pin| running.iter().any(|it| is_image_of(it, pin));
        let mut newest_first = oldest_first.iter().rev().filter(|it| it.kind.is_some() && !is_respelled(it, order));
        let newest = newest_first.clone().next()?;
        let moved = newest_first.find(|it| it.to.as_ref().is_some_and(|pin| runs(pin))).unwrap_or(newest);
        Some(Self { moved, newest })
    }
}

impl LastChange {
    /// Returns the change that a manual change away from the pin makes.
    pub fn by_hand(at: Timestamp) -> Self {
        Self { at, cause: ChangeCause::Hand, undo: Some(UndoAction::WritePin) }
    }

    /// Returns the change that a move of the pin makes. `written` is the time when the workloads were last written.
    pub fn by_commit(
        RunningMove { moved, newest }: RunningMove<'_>,
        proof: Option<&ProvenVersion>,
        written: Option<Timestamp>,
        is_rollback: impl FnOnce() -> bool,
    ) -> Self {
        let began =
            proof.map(|it| it.at - SignedDuration::try_from(it.rollout_duration()).unwrap_or_default()).or(written);
        let undo = match moved.kind {
            _ if moved.commit != newest.commit || moved.to.is_none() => Some(UndoAction::WritePin),
            Some(ChangeKind::Deploy) => None,
            _ if is_rollback() => Some(UndoAction::Reapply),
            _ => Some(UndoAction::Rollback),
        };
        Self {
            at: began.map_or(moved.commit.time, |began| began.max(moved.commit.time)),
            cause: ChangeCause::Commit { moved: moved.clone(), is_verified: proof.is_some() },
            undo,
        }
    }

    /// Returns the image that the change brought; `None` for a manual change or the end of a pin.
    pub fn image(&self) -> Option<&Image> {
        match &self.cause {
            ChangeCause::Hand => None,
            ChangeCause::Commit { moved, .. } => moved.to.as_ref().map(|pin| &pin.image),
        }
    }
}

/// Returns whether the pin's image runs. Images decide, as one version may be pinned in several images.
fn is_image_of(running: &Running, pin: &Pin) -> bool {
    matches!(running, Running::Image(image, _) if *image == pin.image || has_digest_of(image, &pin.image))
}

/// Returns whether a move only spells the same version and content in another way, so that what runs did not change.
fn is_respelled(moved: &PinMove, order: &VersionOrder) -> bool {
    let ends = moved.from.as_ref().zip(moved.to.as_ref());
    ends.is_some_and(|(from, to)| {
        has_digest_of(&from.image, &to.image) && order.compare(&from.version, &to.version) == Some(Ordering::Equal)
    })
}

/// Returns whether both images have the same digest.
fn has_digest_of(one: &Image, other: &Image) -> bool {
    one.digest().is_some() && one.digest() == other.digest()
}
