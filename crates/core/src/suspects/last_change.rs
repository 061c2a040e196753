//! The last change of a service: what moved, when that began, and what takes it back.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::change::{ChangeKind, Move};
use crate::image::Image;
use crate::pins::Pin;
use crate::plan::Running;
use crate::version::Order;
use crate::workload::Proven;

/// The last change of a service.
#[derive(Debug, Clone)]
pub struct LastChange {
    /// When it began: a pin counts from when it was written on, not from its commit.
    pub at: Timestamp,
    /// What made it.
    pub cause: ChangeCause,
    /// What takes it back; none where there is nothing to go back to.
    pub undo: Option<UndoAction>,
}

/// What changed a service.
#[derive(Debug, Clone)]
pub enum ChangeCause {
    /// Somebody moved what runs by hand.
    Hand,
    /// A commit moved the pin.
    Commit {
        /// The move.
        moved: Move,
        /// Whether the pin was verified since.
        is_verified: bool,
    },
}

/// What takes a change back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoAction {
    /// The pin is not what runs: it is to be written.
    WritePin,
    /// The change was a rollback: it is undone.
    Reapply,
    /// The pin goes back.
    Rollback,
}

/// The move of a pin that is what runs, beside the newest move of all.
#[derive(Debug, Clone, Copy)]
pub struct RunningMove<'m> {
    /// The newest move whose pin runs; the newest of all where none does.
    pub moved: &'m Move,
    newest: &'m Move,
}

impl<'m> RunningMove<'m> {
    /// Finds it among the moves of a service, oldest first. What is pinned and does not run yet has caused nothing.
    pub fn find(oldest_first: &'m [Move], order: &Order, running: &[Running]) -> Option<Self> {
        let runs = |pin: &Pin| running.iter().any(|it| is_image_of(it, pin));
        let mut newest_first = oldest_first.iter().rev().filter(|it| it.kind.is_some() && !is_respelled(it, order));
        let newest = newest_first.clone().next()?;
        let moved = newest_first.find(|it| it.to.as_ref().is_some_and(|pin| runs(pin))).unwrap_or(newest);
        Some(Self { moved, newest })
    }
}

impl LastChange {
    /// A move by hand, away from the pin.
    pub fn by_hand(at: Timestamp) -> Self {
        Self { at, cause: ChangeCause::Hand, undo: Some(UndoAction::WritePin) }
    }

    /// A move of the pin. `proof` is its verification, `written` when its workloads were written last.
    pub fn by_commit(
        RunningMove { moved, newest }: RunningMove<'_>,
        proof: Option<&Proven>,
        written: Option<Timestamp>,
        is_rollback: impl FnOnce() -> bool,
    ) -> Self {
        let began = proof.map(|it| it.at - SignedDuration::try_from(it.took()).unwrap_or_default()).or(written);
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

    /// The image that runs since; none where somebody moved it by hand, or nothing is pinned.
    pub fn image(&self) -> Option<&Image> {
        match &self.cause {
            ChangeCause::Hand => None,
            ChangeCause::Commit { moved, .. } => moved.to.as_ref().map(|pin| &pin.image),
        }
    }
}

/// A version may be pinned in one image after another: the image that runs decides.
fn is_image_of(running: &Running, pin: &Pin) -> bool {
    matches!(running, Running::Image(image, _) if *image == pin.image || has_digest_of(image, &pin.image))
}

/// The same content under another spelling of the same version: what runs has not changed by that.
fn is_respelled(moved: &Move, order: &Order) -> bool {
    let ends = moved.from.as_ref().zip(moved.to.as_ref());
    ends.is_some_and(|(from, to)| {
        has_digest_of(&from.image, &to.image) && order.compare(&from.version, &to.version) == Some(Ordering::Equal)
    })
}

/// Whether digests say that both are the same content.
fn has_digest_of(one: &Image, other: &Image) -> bool {
    one.digest().is_some() && one.digest() == other.digest()
}
