//! A rollback that is undone: what it moved, and the holds that it put on services.

use std::sync::Arc;

use super::{Request, Revert, Skipped};
use crate::edit::{EarlierRevision, Edit, NewHold};
use crate::git::{Commit, CommitId};
use crate::history::History;
use crate::pins::{Hold, Pin, Pins, Service, ServiceName};

/// The commit that is undone.
#[derive(Debug)]
pub struct UndoneRollback {
    /// The commit.
    pub commit: Arc<Commit>,
    /// Its place in [`History::moves`].
    place: u32,
    /// The services that it put on hold and that still are, with the holds they had before.
    pub lifted: Vec<(ServiceName, Option<Hold>)>,
}

impl UndoneRollback {
    /// Works out which holds end. `before` and `after` are the revisions before the commit and at it.
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

    /// What it moved goes back to what it was, except what somebody has moved since.
    pub fn request(&self) -> Request {
        Request::Reapply(self.place)
    }

    /// Returns the pins, held as before the rollback.
    #[must_use]
    pub fn without_holds(&self, mut pins: Pins) -> Pins {
        for (service, before) in &self.lifted {
            if let Some(service) = pins.services.get_mut(service) {
                service.hold.clone_from(before);
            }
        }
        pins
    }

    /// Returns the edits that end its holds.
    pub fn hold_edits(&self) -> Vec<(ServiceName, Edit)> {
        let edit = |(service, before): &(ServiceName, Option<Hold>)| {
            let edit = before.clone().map_or(Edit::Release, |Hold { versions, reason, by, until, at: _ }| {
                Edit::Hold(NewHold { versions, reason: reason.unwrap_or_default(), by, until })
            });
            (service.clone(), edit)
        };
        self.lifted.iter().map(edit).collect()
    }

    /// Whether its holds alone end, because nothing that it moved is left to go forward.
    pub fn ends_holds_alone(&self, revert: &Revert) -> bool {
        !self.lifted.is_empty() && revert.is_empty() && revert.skipped.iter().all(Skipped::is_by_somebody)
    }
}

/// Returns the services of the pins that the commit at a place moved.
pub fn moved_by<'p>(place: u32, pins: &'p Pins, history: &History) -> Vec<&'p Service> {
    let is_moved = |service: &&Service| history.records(&service.name).iter().any(|record| record.position == place);
    pins.services.values().filter(is_moved).collect()
}

/// Returns the newest rollback; where a service is given, the newest that moved it.
pub fn newest_rollback<'h>(
    history: &'h History,
    service: Option<&ServiceName>,
    is_rollback: impl Fn(CommitId) -> bool,
) -> Option<&'h Arc<Commit>> {
    let moved = |commit: &Commit, service: &ServiceName| {
        let place = history.position(commit.id);
        history.records(service).iter().any(|record| Some(record.position) == place)
    };
    let is_it = |commit: &&Arc<Commit>| service.is_none_or(|service| moved(commit, service)) && is_rollback(commit.id);
    history.moves().iter().rev().find(is_it)
}

/// Returns the commit that moved a service last and what it pins, where that was a rollback.
pub fn taken_back_last<'h>(
    history: &'h History,
    service: &ServiceName,
    is_rollback: impl Fn(CommitId) -> bool,
) -> Option<(&'h Commit, &'h Pin)> {
    let last = history.records(service).last().filter(|last| is_rollback(last.commit.id))?;
    Some((&last.commit, last.pin.as_deref()?))
}

/// Whether a hold that was put is still there, though somebody may have changed its reason or its end.
fn is_from(put: &Hold, now: &Hold) -> bool {
    put.versions == now.versions && put.by == now.by
}

/// Whether both holds say the same, wherever they stand.
fn says_same(one: Option<&Hold>, other: Option<&Hold>) -> bool {
    let said = |hold: &Hold| (hold.versions.clone(), hold.reason.clone(), hold.by.clone(), hold.until);
    one.map(said) == other.map(said)
}
