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
use crate::cli::output::{BAD_STYLE, BUSY_STYLE, GOOD_STYLE, NAME_STYLE, styled};
use crate::cli::words::seconds_text as in_units;
use crate::controller::event::Event;

/// Describes an event in one line: the steps that a textbook names. Events of services come with their revision.
pub(in crate::cli) fn line(event: &Event, describe: Option<Describe<'_>>) -> String {
    let name = |service: &ServiceName| styled(NAME_STYLE, service);
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
            format!("{} {} {}{took}", name(service), text(version.as_ref()), styled(GOOD_STYLE, "verified"))
        }
        Event::Down { service, version, .. } => {
            format!("{} {} is {}: {}", name(service), text(version.as_ref()), styled(BAD_STYLE, "down"), why())
        }
        Event::Recovered { service, version } => {
            format!("{} {} is {}", name(service), text(version.as_ref()), styled(GOOD_STYLE, "back"))
        }
        Event::DependenciesUpdated { service, released } => {
            format!("{} dependencies updated: released {}", name(service), list(released))
        }
        Event::Failed { service, version, not_started, .. } => {
            let rest =
                if not_started.is_empty() { String::new() } else { format!("; not started: {}", list(not_started)) };
            format!("{} {} {}: {}{rest}", name(service), text(version.as_ref()), styled(BAD_STYLE, "failed"), why())
        }
        Event::NeedsAction { service, remedy, .. } => {
            format!(
                "{} {}: {}; type: {}",
                name(service),
                styled(BUSY_STYLE, "waits for you"),
                why(),
                remedy_command(remedy)
            )
        }
        Event::Held { service, .. } => format!("{} {}: {}", name(service), styled(BUSY_STYLE, "held"), why()),
        Event::Refused { service, .. } => format!("{} {}: {}", name(service), styled(BAD_STYLE, "refused"), why()),
        run => of_run(run),
    }
}

/// Describes an event of the whole run.
fn of_run(event: &Event) -> String {
    match event {
        Event::Unreachable { why } => {
            let why = display_safe(why, usize::MAX);
            format!("{}: {why}; everything is held", styled(BAD_STYLE, "the cluster does not answer"))
        }
        Event::Reachable => "the cluster answers again".to_owned(),
        Event::HeldAll { why } => format!("{}: {why}", styled(BAD_STYLE, "everything is held")),
        Event::AllReleased => "held no more".to_owned(),
        Event::InSync { services: 1 } => format!("{}: 1 service runs what is pinned", styled(GOOD_STYLE, "in sync")),
        Event::InSync { services } => {
            format!("{}: {services} services run what is pinned", styled(GOOD_STYLE, "in sync"))
        }
        Event::RevisionChanged { subject } => format!("revision: {subject}"),
        Event::GitUnreachable { why } => format!("{}: {why}", styled(BAD_STYLE, "the repository does not answer")),
        Event::GitReachable => "the repository answers again".to_owned(),
        Event::LeadershipAcquired => "this is the one writer".to_owned(),
        Event::StandingBy { why } => format!("{}: {why}", styled(BUSY_STYLE, "stands by")),
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
            Event::NewStarting { version, .. } | Event::Recovered { version, .. } => {
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
            Event::NeedsAction { remedy, .. } => {
                map.serialize_entry("why", &why())?;
                map.serialize_entry("command", &remedy_command(remedy))?;
            }
            Event::Held { .. } | Event::Refused { .. } => map.serialize_entry("why", &why())?,
            Event::Unreachable { why }
            | Event::HeldAll { why }
            | Event::GitUnreachable { why }
            | Event::StandingBy { why } => {
                map.serialize_entry("why", why)?;
            }
            Event::InSync { services } => map.serialize_entry("services", services)?,
            Event::RevisionChanged { subject } => map.serialize_entry("subject", subject)?,
            Event::Reachable
            | Event::AllReleased
            | Event::GitReachable
            | Event::LeadershipAcquired
            | Event::Stopping => {}
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
            Event::Failed { reason, .. } | Event::NeedsAction { reason, .. } => vec![self.health(reason)],
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
            Event::Failed { reason, .. } | Event::NeedsAction { reason, .. } => vec![health_parts(reason)],
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
        Event::Recovered { .. } => "back",
        Event::DependenciesUpdated { .. } => "dependenciesUpdated",
        Event::Failed { .. } => "failed",
        Event::NeedsAction { .. } => "needsYou",
        Event::Held { .. } => "held",
        Event::Refused { .. } => "refused",
        Event::Unreachable { .. } => "unreachable",
        Event::Reachable => "reachable",
        Event::HeldAll { .. } => "heldAll",
        Event::AllReleased => "heldNoMore",
        Event::InSync { .. } => "inSync",
        Event::RevisionChanged { .. } => "revision",
        Event::GitUnreachable { .. } => "noGit",
        Event::GitReachable => "git",
        Event::LeadershipAcquired => "leads",
        Event::StandingBy { .. } => "standsBy",
        Event::Stopping => "stopping",
    }
}

fn text(version: Option<&Version>) -> &str {
    version.map(Version::as_str).unwrap_or_default()
}

fn list(names: &[ServiceName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
