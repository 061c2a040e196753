//! Why a service is not written, in sentences with the way out.

use jiff::Timestamp;
use pintle_core::evidence::VersionPair;
use pintle_core::graph::{EdgeId, ServiceId};
use pintle_core::pins::{HeldVersions, Hold, ServiceName, Withheld};
use pintle_core::plan::{Correction, HoldReason, ManualChange, Obstacle, SuppressedBy, Suppression};
use pintle_core::running::Running;
use pintle_core::version::Version;
use pintle_core::workload::StateAnnotation;

use super::Describe;
use super::rollback::remedy;

/// `03:07 UTC`, with the day where that is not `now`'s.
pub(in crate::cli) fn clock(time: Timestamp, now: Timestamp) -> String {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let format = if day(time) == day(now) { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    time.strftime(format).to_string()
}

/// `2.1.0 is on hold by Ada (above 2.0.3): loses refunds`.
pub(in crate::cli) fn on_hold(version: &Version, hold: &Hold) -> String {
    let versions = match &hold.versions {
        HeldVersions::Above(limit) => format!("above {limit}"),
        HeldVersions::Versions(range) => range.in_words(),
    };
    let by = hold.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = hold.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let until = hold.until.map(|until| format!(", until {until}")).unwrap_or_default();
    format!("{version} is on hold{by} ({versions}{until}){reason}")
}

impl Describe<'_> {
    /// Describes why a service is held, with the way out.
    pub(crate) fn held(self, id: ServiceId, reason: &HoldReason) -> String {
        match reason {
            HoldReason::Withheld(withheld) => self.withheld(id, withheld),
            HoldReason::BrokenFile(problem) => problem.clone(),
            HoldReason::Suppressed(suppression) => self.suppressed(id, suppression),
            HoldReason::Obstacle(obstacle) => described(obstacle),
            HoldReason::Misfit(edge) => self.misfit(*edge),
            HoldReason::Unseen(pair) => self.unseen(pair),
            HoldReason::Lockstep(id) => {
                format!("{} is held, and they may start together only (`lockstep`)", self.name(*id))
            }
        }
    }

    fn withheld(self, id: ServiceId, withheld: &Withheld) -> String {
        match withheld {
            Withheld::External => "deployed elsewhere (`external: true`)".to_owned(),
            Withheld::BelowFloor { pinned, floor } => format!(
                "{pinned} is older than its `rollbackFloor` {floor}: its data has moved on; pin {floor} or newer"
            ),
            Withheld::OnHold { pinned, hold } => {
                format!("{}; release it: pintle release {}", on_hold(pinned, hold), self.name(id))
            }
        }
    }

    /// Describes why a service is left as it is.
    pub(crate) fn suppressed(self, id: ServiceId, Suppression { by, until }: &Suppression) -> String {
        let name = self.name(id);
        let until = until.map(|until| clock(until, self.now)).unwrap_or_default();
        match by {
            SuppressedBy::NotSelected => "not asked for".to_owned(),
            SuppressedBy::Pause(pause) => {
                let reason = pause.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                format!("paused by {} until {until}{reason}. End it: pintle resume {name}", pause.by)
            }
            SuppressedBy::Drift { change, moved, correction } => {
                let then = match correction {
                    Correction::Never => "; `drift: {policy: report}` reports it and leaves it".to_owned(),
                    Correction::AtSchedule => {
                        "; corrected at the next time of the schedule (`drift: {policy: schedule}`)".to_owned()
                    }
                    Correction::AfterGrace => format!(", corrected at {until}"),
                };
                self.drift(id, change, moved, &then)
            }
            SuppressedBy::Contention { manager, workload } => format!(
                "contended: {manager} has taken the image of {workload} back twice in ten minutes; stop what does that, \
                 or pin what it wants. Corrected once more at {until}, or now: pintle apply {name}"
            ),
        }
    }

    fn drift(self, id: ServiceId, change: &ManualChange, moved: &[Running], then: &str) -> String {
        let (name, runs, pinned) = (self.name(id), self.all(id, moved), self.beside(id, moved));
        let manager = &change.manager;
        let who = if change.is_human() { format!("hand ({manager})") } else { manager.clone() };
        let at = change.at.map(|at| format!(" {}", clock(at, self.now))).unwrap_or_default();
        let keep = match moved {
            [Running::Image(_, Some(_))] => format!("pintle rollback {name} --adopt"),
            _ => "pin it".to_owned(),
        };
        format!(
            "{name} pinned {pinned}, runs {runs}: by {who}{at}{then}. Keep it: {keep}, or for a while: \
             pintle pause {name} --for 2h. End it: pintle apply {name}"
        )
    }

    /// Describes two versions that do not fit, with the way out.
    fn misfit(self, edge: EdgeId) -> String {
        let ends = self.desired.graph.edge(edge);
        let need = self.need_of_target(ends.consumer, edge);
        format!(
            "{need}, and {} is what shall run; pin versions that fit, or widen the range if it is wrong",
            self.target(ends.provider)
        )
    }

    /// Describes two versions of which nothing says that they fit, with the way out.
    fn unseen(self, pair: &VersionPair) -> String {
        let VersionPair { consumer, consumer_version: version, provider, provider_version: beside } = pair;
        let graph = &self.desired.graph;
        let is_pinned = |name: &ServiceName, version: &Version| {
            graph.id(name).and_then(|id| self.desired.version(id)) == Some(version)
        };
        let never = format!("{consumer} {version} has never run with {provider} {beside} (`unseen: refuse`)");
        if !is_pinned(consumer, version) || !is_pinned(provider, beside) {
            return format!("{never}, and one of them is held where it is");
        }
        format!("{never}; {}", remedy(&self.desired.evidence().remedy(graph, pair)))
    }
}

fn described(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::MissingWorkload(id) => {
            format!("{id} does not exist; Pintle creates no workload: apply its manifest first")
        }
        Obstacle::NoContainer(none) => format!("{none}: name them with `containers:`"),
        Obstacle::OtherInstance { workload, instance } => format!(
            "{workload} belongs to the instance {instance}: pin it there, or remove its annotation {}",
            StateAnnotation::ANNOTATION
        ),
        Obstacle::Unreadable(message) => format!("it cannot be looked at: {message}"),
        Obstacle::Refused(message) => message.clone(),
    }
}
