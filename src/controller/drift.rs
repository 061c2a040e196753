//! What is left as it is although it could be written, why, and until when: what nobody asked for, and drift, by policy
//! and with courtesy to people. Pure.

use jiff::{SignedDuration, Timestamp};
use pintle_core::graph::Id;
use pintle_core::pins::{Drift, DriftPolicy, Service, ServiceName, held};
use pintle_core::plan::{Live, Running};
use pintle_core::workload::Pause;

use super::desired::Desired;
use super::hand::Hand;
use super::look::Seen;
use super::words::{Words, clock};

/// Why a service is left as it is although it could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// What leaves it.
    pub by: StayBy,
    /// In words, with the way out.
    pub why: String,
    /// When it ends by the passing of time alone.
    pub until: Option<Timestamp>,
}

/// What leaves a service as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StayBy {
    /// Whoever asked named others.
    NotAsked,
    /// Somebody has paused it.
    Paused,
    /// Its drift is not corrected, or not yet.
    Drift,
    /// Somebody takes back what is corrected.
    Contended,
}

impl Stay {
    /// Not even what is remembered of it is written.
    pub fn writes_nothing(&self) -> bool {
        match self.by {
            StayBy::NotAsked | StayBy::Paused => true,
            StayBy::Drift | StayBy::Contended => false,
        }
    }

    /// Somebody chose so: that is no failure of an apply.
    pub fn by_choice(&self) -> bool {
        self.by != StayBy::Contended
    }
}

/// Whether a service is left as it is at this time.
pub(super) fn stay(desired: &Desired, id: Id, seen: &Seen, live: Option<&Live>, now: Timestamp) -> Option<Stay> {
    let service = desired.service(id)?;
    if desired.options.selected.as_ref().is_some_and(|only| !only.contains(&id)) {
        return Some(Stay { by: StayBy::NotAsked, why: "not asked for".to_owned(), until: None });
    }
    if let Some(pause) = &seen.pause {
        return Some(paused(&service.name, pause, now));
    }
    if desired.options.selected.is_some() {
        return None;
    }
    // Who does not write it at all corrects nothing either.
    let writable = seen.obstacle.is_none() && held(service, desired.graph.order(id)).is_none();
    let hand = seen.hand.as_ref().filter(|_| seen.drifted && writable && !seen.is_called_back())?;
    let moved =
        live?.spec.iter().filter(|spec| !matches!(spec, Running::Image(image, _) if *image == service.pin.image));
    let drift = Drifted { desired, id, service, hand, moved: moved.cloned().collect(), now };
    let policy = service.drift.unwrap_or(desired.pins.settings.drift);
    drift.left_by(policy).map(|(until, why)| Stay { by: StayBy::Drift, why, until })
}

/// What a pause makes of a service.
pub(super) fn paused(name: &ServiceName, pause: &Pause, now: Timestamp) -> Stay {
    let reason = pause.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let why = format!("paused by {} until {}{reason}. End it: pintle resume {name}", pause.by, clock(pause.until, now));
    Stay { by: StayBy::Paused, why, until: Some(pause.until) }
}

/// A service that somebody has moved.
struct Drifted<'a> {
    desired: &'a Desired,
    id: Id,
    service: &'a Service,
    hand: &'a Hand,
    /// What its specifications say instead of the pin.
    moved: Vec<Running>,
    now: Timestamp,
}

impl Drifted<'_> {
    /// Until when it is left, and why; none where it is corrected now.
    fn left_by(&self, policy: DriftPolicy) -> Option<(Option<Timestamp>, String)> {
        match policy.policy {
            Drift::Report => Some((None, self.says("; `drift: {policy: report}` reports it and leaves it"))),
            Drift::Schedule if !self.desired.options.scheduled.contains(&self.id) => {
                Some((None, self.says("; corrected at the next time of the schedule (`drift: {policy: schedule}`)")))
            }
            Drift::Correct | Drift::Schedule => {
                let until = self.grace(policy).filter(|until| self.now < *until)?;
                Some((Some(until), self.says(&format!(", corrected at {}", clock(until, self.now)))))
            }
        }
    }

    /// When the grace of a person's move to something that was pinned before ends.
    fn grace(&self, policy: DriftPolicy) -> Option<Timestamp> {
        let was_pinned = |running: &Running| matches!(running, Running::Image(_, Some(_)));
        if policy.hand_grace.is_zero() || !self.hand.is_human() || !self.moved.iter().all(was_pinned) {
            return None;
        }
        let at = self.hand.at?;
        at.checked_add(SignedDuration::try_from(policy.hand_grace).ok()?).ok()
    }

    fn says(&self, what_then: &str) -> String {
        let Self { desired, id, service, hand, moved, now } = self;
        let words = Words::new(desired);
        let (name, runs, pinned) = (&service.name, words.all(*id, moved), words.beside(*id, moved));
        let who = if hand.is_human() { format!("hand ({})", hand.manager) } else { hand.manager.clone() };
        let at = hand.at.map(|at| format!(" {}", clock(at, *now))).unwrap_or_default();
        format!(
            "{name} pinned {pinned}, runs {runs}: by {who}{at}{what_then}. Keep it: {}. End it: pintle apply {name}",
            self.keep()
        )
    }

    fn keep(&self) -> String {
        let name = &self.service.name;
        let keep = match self.moved.as_slice() {
            [Running::Image(_, Some(_))] => format!("pintle rollback {name} --adopt"),
            _ => "pin it".to_owned(),
        };
        format!("{keep}, or for a while: pintle pause {name} --for 2h")
    }
}
