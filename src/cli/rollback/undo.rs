//! A rollback that is undone: what it moved, and the holds that it put on services.

use std::sync::Arc;

use pintle_core::edit::{Edit, Edited, NewHold, Then};
use pintle_core::git::{Commit, CommitId};
use pintle_core::pins::{Hold, Pins, Service, ServiceName};
use pintle_core::problem::display_safe;
use pintle_core::rollback::{Left, Request};

use super::Told;
use super::edits::earlier;
use super::inverse::takes_back;
use crate::cli::config::Config;
use crate::cli::exit::Failure;
use crate::cli::land::Proposal;
use crate::cli::load::Loaded;
use crate::cli::output::{NAME, styled};
use crate::cli::plan::text::described;
use crate::cli::words::held;
use crate::source::Message;

/// The commit that is undone.
pub(in crate::cli) struct Undone {
    commit: Arc<Commit>,
    /// Its place among the commits that moved pins.
    place: u32,
    /// The services that it put on hold and that still are, with the holds they had before.
    lifted: Vec<(ServiceName, Option<Hold>)>,
}

impl Undone {
    pub(in crate::cli) fn of(config: &Config, loaded: &Loaded, commit: Arc<Commit>) -> Result<Self, Failure> {
        let place = loaded.history.position(commit.id).ok_or_else(|| {
            let described = format!("{} ({})", commit.id.short(), display_safe(&commit.subject, 80));
            Failure::error(format!("{described} moved no pin")).hint("pintle history shows the commits that moved pins")
        })?;
        let before = loaded.source.resolve(&format!("{}~1", commit.id))?.id;
        let moved =
            |service: &&Service| loaded.history.records(&service.name).iter().any(|record| record.position == place);
        let services: Vec<&Service> = loaded.at.reading.pins.services.values().filter(moved).collect();
        let (was, put) = (earlier(config, loaded, before, &services)?, earlier(config, loaded, commit.id, &services)?);
        let of = |then: &Then, name: &ServiceName| then.reading.pins.services.get(name)?.hold.clone();
        let lifted = services.into_iter().filter_map(|service| {
            let (was, put) = (of(&was, &service.name), of(&put, &service.name));
            let is_there = put.as_ref().zip(service.hold.as_ref()).is_some_and(|(put, now)| is_of(put, now));
            (is_there && !same(was.as_ref(), put.as_ref())).then(|| (service.name.clone(), was))
        });
        let lifted = lifted.collect();
        Ok(Self { commit, place, lifted })
    }

    /// What it moved goes back to what it was, but for what somebody has moved since.
    pub(in crate::cli) fn request(&self) -> Request {
        Request::Undone(self.place)
    }

    /// The pins, held as before it.
    pub(in crate::cli) fn without_holds(&self, mut pins: Pins) -> Pins {
        for (service, before) in &self.lifted {
            if let Some(service) = pins.services.get_mut(service) {
                service.hold.clone_from(before);
            }
        }
        pins
    }

    pub(super) fn edits(&self) -> impl Iterator<Item = (ServiceName, Edit)> {
        self.lifted.iter().map(|(service, before)| {
            let edit = before.clone().map_or(Edit::Release, |Hold { versions, reason, by, until, at: _ }| {
                Edit::Hold(NewHold { versions, reason: reason.unwrap_or_default(), by, until })
            });
            (service.clone(), edit)
        })
    }

    /// The end of the holds alone, where nothing that it moved is left to go forward; none where there are none any more.
    pub(in crate::cli) fn lift(
        &self,
        loaded: &Loaded,
        told: &Told,
        reason: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<Option<Proposal>, Failure> {
        let [(first, _), rest @ ..] = &*self.lifted else { return Ok(None) };
        if !(told.revert.is_empty() && told.revert.left.iter().all(Left::is_by_somebody)) {
            return Ok(None);
        }
        let names = self.lifted.iter().map(|(service, _)| service.to_string()).collect::<Vec<_>>().join(", ");
        let services = &loaded.at.reading.pins.services;
        let ends = |(service, before): &(ServiceName, Option<Hold>)| {
            let hold = services.get(service)?.hold.as_ref()?;
            let reason = hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let then = before.as_ref().map(|before| format!(", and is held {} again", held(&before.versions)));
            Some(format!("{service} was held {}{reason}{}", held(&hold.versions), then.unwrap_or_default()))
        };
        let ends = self.lifted.iter().filter_map(ends).collect::<Vec<_>>().join("\n");
        let (why, stays) = self.why_none(told);
        let message = Message {
            subject: format!("Lift holds: {names}"),
            body: format!("{}\n\nWhat {why}.\n{stays}{ends}", reason()?),
            trailers: vec![("Pintle-Services", names)],
        };
        let more = if rest.is_empty() { String::new() } else { format!("-and-{}-more", rest.len()) };
        let (edits, stem) = (self.edits().collect(), format!("lift-hold-of-{first}{more}"));
        Ok(Some(Proposal {
            beneath: Vec::new(),
            edits,
            edited: None,
            message,
            stem,
            already: String::new(),
            review: None,
            told: Some(told.shown()?),
        }))
    }

    /// Why nothing of it goes forward, in words that follow `what` or `What`; and what of it stays, in lines.
    pub(in crate::cli) fn why_none(&self, told: &Told) -> (String, String) {
        let since = if told.revert.left.is_empty() { "" } else { ", or was moved since" };
        let stays = |left: &Left| format!("{} {}\n", left.service, left.why);
        let stays = told.revert.left.iter().map(stays).collect::<Vec<_>>().concat();
        (format!("{} moved is pinned again{since}", described(&self.commit)), stays)
    }

    /// What becomes of holds.
    pub(super) fn in_words(&self) -> Vec<String> {
        let words = |(service, before): &(ServiceName, Option<Hold>)| match before {
            None => format!("  and {} is no longer held", styled(NAME, service)),
            Some(before) => {
                format!("  and {} is held {} again, as before", styled(NAME, service), held(&before.versions))
            }
        };
        self.lifted.iter().map(words).collect()
    }

    /// The commit, where it has been taken back exactly.
    pub(super) fn inverse(&self, loaded: &Loaded, edited: &Edited) -> Result<Option<CommitId>, Failure> {
        Ok(takes_back(loaded, self.commit.id, edited)?.then_some(self.commit.id))
    }
}

/// A hold that was put is still there, though somebody may have said until when, or why, in other words.
fn is_of(put: &Hold, now: &Hold) -> bool {
    put.versions == now.versions && put.by == now.by
}

/// Both say the same, wherever they stand.
fn same(one: Option<&Hold>, other: Option<&Hold>) -> bool {
    let said = |hold: &Hold| (hold.versions.clone(), hold.reason.clone(), hold.by.clone(), hold.until);
    one.map(said) == other.map(said)
}
