//! The undo of a rollback: its moves and its holds.

use std::sync::Arc;

use super::{Request, Revert, Skipped};
use crate::edit::{EarlierRevision, Edit, NewHold};
use crate::git::{Commit, CommitId};
use crate::history::History;
use crate::pins::{Hold, Pin, Pins, Service, ServiceName};

/// The rollback commit that is undone.
#[derive(Debug)]
pub struct UndoneRollback {
    pub commit: Arc<Commit>,
    /// Position of the commit in [`History::moves`].
    place: u32,
    /// Services that the commit put on hold and that still are, with their earlier holds.
    pub lifted: Vec<(ServiceName, Option<Hold>)>,
}

impl UndoneRollback {
    /// Finds the holds that end. `before` and `after` are the revisions before the commit and at it.
    pub fn new(commit: Arc<Commit>, place: u32, services: &[&Service], [before, after]: [&EarlierRevision; 2]) -> Self {
        let of = |then: &EarlierRevision, name: &ServiceName| then.reading.pins.services.get(name)?.hold.clone();
        let lifted = services.iter().filter_map(|service| {
            let (was, put) = (of(before, &service.name), of(after, &service.name));
            let is_there = put.as_ref().zip(service.hold.as_ref()).is_some_and(|(put, now)| is_from(put, now));
            (is_there && !says_same(was.as_ref(), put.as_ref())).then(|| (service.name.clone(), was))
        });
        let lifted = lifted.collect();
        Self { commit, place, lifted }
    }

    /// Returns the request to undo the moves of the commit, except of services that moved again since.
    pub fn request(&self) -> Request {
        Request::Reapply(self.place)
    }

    /// Returns the pins with the holds from before the rollback.
    #[must_use]
    pub fn without_holds(&self, mut pins: Pins) -> Pins {
        for (service, before) in &self.lifted {
            if let Some(service) = pins.services.get_mut(service) {
                service.hold.clone_from(before);
            }
        }
        pins
    }

    /// Returns the edits that restore the holds from before the rollback.
    pub fn hold_edits(&self) -> Vec<(ServiceName, Edit)> {
        let edit = |(service, before): &(ServiceName, Option<Hold>)| {
            let edit = before.clone().map_or(Edit::Release, |Hold { versions, reason, by, until, at: _ }| {
                Edit::Hold(NewHold { versions, reason: reason.unwrap_or_default(), by, until })
            });
            (service.clone(), edit)
        };
        self.lifted.iter().map(edit).collect()
    }

    /// Returns whether only holds end, because no move is left to undo.
    pub fn ends_holds_alone(&self, revert: &Revert) -> bool {
        !self.lifted.is_empty() && revert.is_empty() && revert.skipped.iter().all(Skipped::is_by_somebody)
    }
}

/// Returns the services that a commit moved. `place` is the commit's position in [`History::moves`].
pub fn moved_by<'p>(place: u32, pins: &'p Pins, history: &History) -> Vec<&'p Service> {
    let is_moved = |service: &&Service| history.records(&service.name).iter().any(|record| record.position == place);
    pins.services.values().filter(is_moved).collect()
}

/// Returns the newest rollback; with a service, the newest rollback that moved it.
pub fn newest_rollback<'h>(
    history: &'h History,
    service: Option<&ServiceName>,
    is_rollback: impl Fn(CommitId) -> bool,
) -> Option<&'h Arc<Commit>> {
    let moved = |commit: &Commit, service: &ServiceName| {
        let place = history.position_of(commit.id);
        history.records(service).iter().any(|record| Some(record.position) == place)
    };
    let is_it = |commit: &&Arc<Commit>| service.is_none_or(|service| moved(commit, service)) && is_rollback(commit.id);
    history.moves().iter().rev().find(is_it)
}

/// Returns the commit of the last move of a service with its pin, if that commit was a rollback.
pub fn taken_back_last<'h>(
    history: &'h History,
    service: &ServiceName,
    is_rollback: impl Fn(CommitId) -> bool,
) -> Option<(&'h Commit, &'h Pin)> {
    let last = history.records(service).last().filter(|last| is_rollback(last.commit.id))?;
    Some((&last.commit, last.pin.as_deref()?))
}

/// Returns whether a hold is still the one that was put. Its reason and its end may have been edited.
fn is_from(put: &Hold, now: &Hold) -> bool {
    put.versions == now.versions && put.by == now.by
}

/// Returns whether both holds have the same content; their places in the files do not matter.
fn says_same(one: Option<&Hold>, other: Option<&Hold>) -> bool {
    let said = |hold: &Hold| (hold.versions.clone(), hold.reason.clone(), hold.by.clone(), hold.until);
    one.map(said) == other.map(said)
}
