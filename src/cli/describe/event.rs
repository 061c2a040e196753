//! Events, as a line for people and as an object for programs.

use pintle_core::pins::ServiceName;
use pintle_core::problem::display_safe;
use pintle_core::running::Running;
use pintle_core::version::Version;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Describe;
use super::health::remedy_command;
use super::parts::health_parts;
use crate::cli::output::{BAD, BUSY, GOOD, NAME, styled};
use crate::cli::words::took as in_units;
use crate::controller::event::Event;

/// Describes an event in one line: the steps that a textbook names. Events of services come with their revision.
pub(in crate::cli) fn line(event: &Event, describe: Option<Describe<'_>>) -> String {
    let name = |service: &ServiceName| styled(NAME, service);
    let say =
        |sentence: &dyn Fn(Describe<'_>) -> String| describe.map(|it| it.both(sentence).brief).unwrap_or_default();
    let why = || say(&|it| it.reasons_of(event).join(joint(event)));
    match event {
        Event::TargetFound { service, from } => {
            let ends = say(&|it| it.ends(service, from).join(" -> "));
            format!("{} target found: {ends}", name(service))
        }
        Event::Waits { service, .. } => format!("{} waits {}", name(service), why()),
        Event::NewStarting { service, version } => format!("{} {} starting", name(service), text(version.as_ref())),
        Event::OldStopping { service, .. } => format!("{} {} stopping", name(service), why()),
        Event::OldGone { service, .. } => format!("{} {} gone", name(service), why()),
        Event::Verified { service, version, took } => {
            let took = took.map(|took| format!(" after {}", in_units(took.as_secs_f64()))).unwrap_or_default();
            format!("{} {} {}{took}", name(service), text(version.as_ref()), styled(GOOD, "verified"))
        }
        Event::Down { service, version, .. } => {
            format!("{} {} is {}: {}", name(service), text(version.as_ref()), styled(BAD, "down"), why())
        }
        Event::Back { service, version } => {
            format!("{} {} is {}", name(service), text(version.as_ref()), styled(GOOD, "back"))
        }
        Event::DependenciesUpdated { service, released } => {
            format!("{} dependencies updated: released {}", name(service), list(released))
        }
        Event::Failed { service, version, not_started, .. } => {
            let rest =
                if not_started.is_empty() { String::new() } else { format!("; not started: {}", list(not_started)) };
            format!("{} {} {}: {}{rest}", name(service), text(version.as_ref()), styled(BAD, "failed"), why())
        }
        Event::NeedsYou { service, remedy, .. } => {
            format!("{} {}: {}; type: {}", name(service), styled(BUSY, "waits for you"), why(), remedy_command(remedy))
        }
        Event::Held { service, .. } => format!("{} {}: {}", name(service), styled(BUSY, "held"), why()),
        Event::Refused { service, .. } => format!("{} {}: {}", name(service), styled(BAD, "refused"), why()),
        run => of_run(run),
    }
}

/// Describes an event of the whole run.
fn of_run(event: &Event) -> String {
    match event {
        Event::Unreachable { why } => {
            let why = display_safe(why, usize::MAX);
            format!("{}: {why}; everything is held", styled(BAD, "the cluster does not answer"))
        }
        Event::Reachable => "the cluster answers again".to_owned(),
        Event::HeldAll { why } => format!("{}: {why}", styled(BAD, "everything is held")),
        Event::HeldNoMore => "held no more".to_owned(),
        Event::InSync { services: 1 } => format!("{}: 1 service runs what is pinned", styled(GOOD, "in sync")),
        Event::InSync { services } => {
            format!("{}: {services} services run what is pinned", styled(GOOD, "in sync"))
        }
        Event::Revision { subject } => format!("revision: {subject}"),
        Event::NoGit { why } => format!("{}: {why}", styled(BAD, "the repository does not answer")),
        Event::Git => "the repository answers again".to_owned(),
        Event::Leads => "this is the one writer".to_owned(),
        Event::StandsBy { why } => format!("{}: {why}", styled(BUSY, "stands by")),
        Event::Stopping => "told to end: nothing more is written".to_owned(),
        _ => String::new(),
    }
}

/// An event as programs read it: its sentences in whole, and their codes with their parts.
pub(crate) struct EventJson<'e> {
    pub event: &'e Event,
    /// Describes the services that the event is about.
    pub describe: Option<Describe<'e>>,
}

impl Serialize for EventJson<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { event, describe } = *self;
        let reasons = || describe.map(|it| it.reasons_of(event)).unwrap_or_default();
        let why = || reasons().join(joint(event));
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("event", code(event))?;
        if let Some(service) = event.service() {
            map.serialize_entry("service", service)?;
        }
        match event {
            Event::TargetFound { service, from } => {
                let [from, to] = describe.map(|it| it.ends(service, from)).unwrap_or_default();
                map.serialize_entry("from", &from)?;
                map.serialize_entry("to", &to)?;
            }
            Event::Waits { .. } => map.serialize_entry("why", &reasons())?,
            Event::NewStarting { version, .. } | Event::Back { version, .. } => {
                map.serialize_entry("version", &text(version.as_ref()))?;
            }
            Event::OldStopping { .. } | Event::OldGone { .. } => map.serialize_entry("version", &why())?,
            Event::Verified { version, took, .. } => {
                map.serialize_entry("version", &text(version.as_ref()))?;
                map.serialize_entry("took", &took.map(|took| took.as_secs_f64()))?;
            }
            Event::Down { version, .. } => {
                map.serialize_entry("version", &text(version.as_ref()))?;
                map.serialize_entry("why", &why())?;
            }
            Event::DependenciesUpdated { released, .. } => map.serialize_entry("released", released)?,
            Event::Failed { version, not_started, .. } => {
                map.serialize_entry("version", &text(version.as_ref()))?;
                map.serialize_entry("words", &why())?;
                map.serialize_entry("notStarted", not_started)?;
            }
            Event::NeedsYou { remedy, .. } => {
                map.serialize_entry("why", &why())?;
                map.serialize_entry("command", &remedy_command(remedy))?;
            }
            Event::Held { .. } | Event::Refused { .. } => map.serialize_entry("why", &why())?,
            Event::Unreachable { why } | Event::HeldAll { why } | Event::NoGit { why } | Event::StandsBy { why } => {
                map.serialize_entry("why", why)?;
            }
            Event::InSync { services } => map.serialize_entry("services", services)?,
            Event::Revision { subject } => map.serialize_entry("subject", subject)?,
            Event::Reachable | Event::HeldNoMore | Event::Git | Event::Leads | Event::Stopping => {}
        }
        let parts = describe.map(|it| it.parts_of(event)).unwrap_or_default();
        if !parts.is_empty() {
            map.serialize_entry("reasons", &parts)?;
        }
        map.end()
    }
}

impl Describe<'_> {
    /// Returns what runs, and what shall run instead.
    fn ends(self, service: &ServiceName, from: &[Running]) -> [String; 2] {
        let id = self.desired.graph.id(service);
        id.map(|id| [self.all(id, from), self.beside(id, from)]).unwrap_or_default()
    }

    /// Describes the reasons that an event of a service carries.
    fn reasons_of(self, event: &Event) -> Vec<String> {
        let Some(id) = event.service().and_then(|service| self.desired.graph.id(service)) else { return Vec::new() };
        match event {
            Event::Waits { waits, .. } => waits.iter().map(|wait| self.wait(id, wait)).collect(),
            Event::OldStopping { old, .. } => vec![self.all(id, old)],
            Event::OldGone { old, .. } => vec![self.running(id, old)],
            Event::Down { reasons, .. } => reasons.iter().map(|reason| self.health(reason)).collect(),
            Event::Failed { reason, .. } | Event::NeedsYou { reason, .. } => vec![self.health(reason)],
            Event::Held { reason, .. } => vec![self.held(id, reason)],
            Event::Refused { circle, .. } => vec![self.circle(circle)],
            _ => Vec::new(),
        }
    }

    /// Returns the same reasons as codes with their parts.
    fn parts_of(self, event: &Event) -> Vec<Value> {
        match event {
            Event::Waits { waits, .. } => waits.iter().map(|wait| self.wait_parts(wait)).collect(),
            Event::Down { reasons, .. } => reasons.iter().map(health_parts).collect(),
            Event::Failed { reason, .. } | Event::NeedsYou { reason, .. } => vec![health_parts(reason)],
            Event::Held { reason, .. } => vec![self.hold_parts(reason)],
            Event::Refused { circle, .. } => vec![self.circle_parts(circle)],
            _ => Vec::new(),
        }
    }
}

/// What stands between the reasons of an event.
fn joint(event: &Event) -> &'static str {
    if matches!(event, Event::Waits { .. }) { "; and " } else { "; " }
}

fn code(event: &Event) -> &'static str {
    match event {
        Event::TargetFound { .. } => "targetFound",
        Event::Waits { .. } => "waits",
        Event::NewStarting { .. } => "newStarting",
        Event::OldStopping { .. } => "oldStopping",
        Event::OldGone { .. } => "oldGone",
        Event::Verified { .. } => "verified",
        Event::Down { .. } => "down",
        Event::Back { .. } => "back",
        Event::DependenciesUpdated { .. } => "dependenciesUpdated",
        Event::Failed { .. } => "failed",
        Event::NeedsYou { .. } => "needsYou",
        Event::Held { .. } => "held",
        Event::Refused { .. } => "refused",
        Event::Unreachable { .. } => "unreachable",
        Event::Reachable => "reachable",
        Event::HeldAll { .. } => "heldAll",
        Event::HeldNoMore => "heldNoMore",
        Event::InSync { .. } => "inSync",
        Event::Revision { .. } => "revision",
        Event::NoGit { .. } => "noGit",
        Event::Git => "git",
        Event::Leads => "leads",
        Event::StandsBy { .. } => "standsBy",
        Event::Stopping => "stopping",
    }
}

fn text(version: Option<&Version>) -> &str {
    version.map(Version::as_str).unwrap_or_default()
}

fn list(names: &[ServiceName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
