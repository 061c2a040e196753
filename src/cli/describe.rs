//! Makes sentences of reasons: which versions, which range, and what to type. The layers below name no command; this one
//! does.

mod event;
mod health;
mod hold;
mod parts;
mod pod;
mod report;
mod rollback;

pub(crate) use event::EventJson;
pub(in crate::cli) use event::line;
pub use health::remedy_command;
pub(in crate::cli) use hold::{clock, on_hold};
use jiff::Timestamp;
pub(in crate::cli) use parts::health_parts;
use pintle_core::graph::{EdgeId, ServiceId};
use pintle_core::image::Image;
use pintle_core::plan::{EdgeWait, PlanStep, WaitReason};
use pintle_core::problem::display_safe;
use pintle_core::running::Running;
pub(in crate::cli) use report::{ChangeReport, CircleReport, EstimateReport, RestReport, UnderWayReport};
pub(crate) use report::{PlanReport, Standing};
pub(in crate::cli) use rollback::{advised, remedy};
use serde::{Serialize, Serializer};

use crate::controller::Desired;

/// A sentence, as programs are given it and as people are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// With everything that a pod said.
    pub whole: String,
    /// With the messages of pods condensed, and safe for a terminal.
    pub brief: String,
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.whole.serialize(to)
    }
}

/// Describes the services of one revision, and what keeps them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Describe<'a> {
    desired: &'a Desired,
    /// Times of another day are given with the day.
    now: Timestamp,
    /// Messages of pods are condensed.
    is_brief: bool,
}

impl<'a> Describe<'a> {
    /// Describes in whole, as programs are told it.
    pub(crate) fn new(desired: &'a Desired, now: Timestamp) -> Self {
        Self { desired, now, is_brief: false }
    }

    /// Returns both forms of a sentence.
    pub(in crate::cli) fn both(self, sentence: impl Fn(Self) -> String) -> Sentence {
        let brief = sentence(Self { is_brief: true, ..self });
        Sentence { whole: sentence(Self { is_brief: false, ..self }), brief: display_safe(&brief, usize::MAX) }
    }

    /// The name of a service.
    pub(crate) fn name(self, id: ServiceId) -> &'a str {
        self.desired.graph.name(id).as_str()
    }

    /// Where a service runs; none where that is not known.
    pub(crate) fn namespace(self, id: ServiceId) -> Option<String> {
        let namespace = self.desired.namespace_of(self.desired.service(id)?);
        (!namespace.is_empty()).then(|| namespace.to_owned())
    }

    /// What a service runs: the version, or the image where that was never pinned, or where the version alone does not
    /// tell it from what is pinned.
    pub(crate) fn running(self, id: ServiceId, running: &Running) -> String {
        match running {
            Running::Absent => "nothing".to_owned(),
            Running::Unreadable(text) => text.clone(),
            Running::Image(image, None) => format!("{image} (never pinned)"),
            Running::Image(_, Some(version)) => {
                self.images(id, running).map_or_else(|| version.to_string(), |[runs, _]| runs)
            }
        }
    }

    /// What shall run, beside what runs: the version, or the image where the version alone does not tell them apart.
    pub(crate) fn beside(self, id: ServiceId, running: &[Running]) -> String {
        let images = running.iter().find_map(|one| self.images(id, one));
        images.map_or_else(|| self.version(id), |[_, pinned]| pinned)
    }

    /// The image that runs and the pinned one, where they differ and the version does not.
    fn images(self, id: ServiceId, running: &Running) -> Option<[String; 2]> {
        let pin = &self.desired.service(id)?.pin;
        match running {
            Running::Image(image, Some(version)) if pin.version == *version && pin.image != *image => {
                Some(Image::distinguish(image, &pin.image))
            }
            _ => None,
        }
    }

    /// All that a service runs.
    pub(crate) fn all(self, id: ServiceId, running: &[Running]) -> String {
        running.iter().map(|one| self.running(id, one)).collect::<Vec<_>>().join(" and ")
    }

    /// A service at its pinned version; at the one pinned last where its file cannot be read.
    pub(crate) fn target(self, id: ServiceId) -> String {
        let name = self.name(id);
        self.desired.version(id).map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
    }

    /// The version alone; nothing where none was ever read.
    pub(crate) fn version(self, id: ServiceId) -> String {
        self.desired.version(id).map(ToString::to_string).unwrap_or_default()
    }

    /// What a service waits for, as the end of a sentence that begins with "waits".
    pub(crate) fn wait(self, id: ServiceId, wait: &EdgeWait) -> String {
        let on = self.name(wait.on);
        let is_consumer = self.desired.graph.edge(wait.edge).consumer == id;
        match &wait.reason {
            WaitReason::Incompatible(Running::Absent) => {
                format!("until {on} runs: {}", self.need_of_target(id, wait.edge))
            }
            WaitReason::Incompatible(running) if is_consumer => {
                let running = self.running(wait.on, running);
                format!("until {on} {running} is gone: {}", self.need_of_target(id, wait.edge))
            }
            WaitReason::Incompatible(running) => {
                let need = self.need(wait.edge, running).unwrap_or_default();
                format!("until {on} {} is gone: it needs {} {need}", self.running(wait.on, running), self.name(id))
            }
            WaitReason::Unverified => format!("until {} is verified", self.target(wait.on)),
            WaitReason::Failed(reason) => {
                format!("for {}, which has failed: {}", self.target(wait.on), self.health(reason))
            }
            WaitReason::Preference if is_consumer => {
                format!("until {} is verified: what others need goes up first", self.target(wait.on))
            }
            WaitReason::Preference => {
                format!("until {on} runs nothing but {}: what needs it goes back before it", self.version(wait.on))
            }
        }
    }

    /// A circle of waits, with the way out.
    pub(crate) fn circle(self, circle: &[(ServiceId, EdgeWait)]) -> String {
        format!("no safe order: {}. {}", self.links(circle).join("; "), self.way_out(circle))
    }

    /// Each wait of a circle.
    pub(crate) fn links(self, circle: &[(ServiceId, EdgeWait)]) -> Vec<String> {
        circle.iter().map(|(id, wait)| format!("{} waits {}", self.target(*id), self.wait(*id, wait))).collect()
    }

    /// What breaks a circle of waits.
    pub(crate) fn way_out(self, circle: &[(ServiceId, EdgeWait)]) -> String {
        let names: Vec<&str> = circle.iter().map(|(id, _)| self.name(*id)).collect();
        format!(
            "Pin a version between that accepts both sides first, or allow an unsafe moment: `lockstep: [[{}]]`",
            names.join(", ")
        )
    }

    /// A step in one line.
    pub(crate) fn step(self, id: ServiceId, step: &PlanStep) -> String {
        match step {
            PlanStep::Start(None) => "starts".to_owned(),
            PlanStep::Start(Some(_)) => "starts together with its lockstep group".to_owned(),
            PlanStep::UnderWay => "under way".to_owned(),
            PlanStep::Failed(reason) => format!("failed: {}", self.health(reason)),
            PlanStep::Waits(waits) => {
                let words: Vec<String> = waits.iter().map(|wait| self.wait(id, wait)).collect();
                format!("waits {}", words.join("; and "))
            }
            PlanStep::Held(reason) => format!("held: {}", self.held(id, reason)),
            PlanStep::Refused(circle) => format!("refused: {}", self.circle(circle)),
        }
    }

    fn need_of_target(self, consumer: ServiceId, edge: EdgeId) -> String {
        let provider = self.name(self.desired.graph.edge(edge).provider);
        let need = self.desired.version(consumer).and_then(|version| self.desired.graph.required_range(edge, version));
        format!("{} needs {provider} {}", self.target(consumer), need.map(ToString::to_string).unwrap_or_default())
    }

    fn need(self, edge: EdgeId, running: &Running) -> Option<String> {
        let Running::Image(_, Some(version)) = running else { return None };
        self.desired.graph.required_range(edge, version).map(ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pintle_core::desired::DesiredState;
    use pintle_core::git::CommitId;
    use pintle_core::history::History;
    use pintle_core::pins;

    use super::*;

    #[test]
    fn for_people_a_sentence_stays_on_one_line_and_steers_no_terminal() {
        let pins = pins::parse_revision("", &[]).pins;
        let state = DesiredState::new(CommitId::from([7; 20]), pins, Arc::new(History::default()), String::new());
        let desired = Desired::from(state);
        let said = "exit code 1: panic:\n\u{1b}[31mred";
        let sentence = Describe::new(&desired, Timestamp::UNIX_EPOCH).both(|_| said.to_owned());
        assert_eq!((sentence.whole.as_str(), sentence.brief.as_str()), (said, "exit code 1: panic:\\n\\u{1b}[31mred"));
    }
}
