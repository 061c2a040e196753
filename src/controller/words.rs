//! Plans and steps in words: which versions, which range, and the way out.

use jiff::Timestamp;
use pintle_core::evidence::Pair;
use pintle_core::graph::{EdgeId, Id};
use pintle_core::image::Image;
use pintle_core::plan::{Because, Running, Step, Wait, Why};
use pintle_core::version::Version;

use super::desired::Desired;

/// `03:07 UTC`, with the day where that is not `now`'s.
pub fn clock(time: Timestamp, now: Timestamp) -> String {
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let format = if day(time) == day(now) { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    time.strftime(format).to_string()
}

/// Says what numbers mean.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    desired: &'a Desired,
}

impl<'a> Words<'a> {
    /// Words for the services of one revision.
    pub fn new(desired: &'a Desired) -> Self {
        Self { desired }
    }

    /// The name of a service.
    pub fn name(self, id: Id) -> &'a str {
        self.desired.graph.name(id).as_str()
    }

    /// Where a service runs; none where that is not known.
    pub fn namespace(self, id: Id) -> Option<String> {
        let namespace = self.desired.namespace_of(self.desired.service(id)?);
        (!namespace.is_empty()).then(|| namespace.to_owned())
    }

    /// What a service runs: the version, or the image where that was never pinned, or where the version alone does not
    /// tell it from what is pinned.
    pub fn running(self, id: Id, running: &Running) -> String {
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
    pub fn beside(self, id: Id, running: &[Running]) -> String {
        let images = running.iter().find_map(|one| self.images(id, one));
        images.map_or_else(|| self.version(id), |[_, pinned]| pinned)
    }

    /// The image that runs and the pinned one, where they differ and the version does not.
    fn images(self, id: Id, running: &Running) -> Option<[String; 2]> {
        let pin = &self.desired.service(id)?.pin;
        match running {
            Running::Image(image, Some(version)) if pin.version == *version && pin.image != *image => {
                Some(Image::apart(image, &pin.image))
            }
            _ => None,
        }
    }

    /// All that a service runs.
    pub fn all(self, id: Id, running: &[Running]) -> String {
        running.iter().map(|one| self.running(id, one)).collect::<Vec<_>>().join(" and ")
    }

    /// A service at its pinned version; at the one pinned last where its file cannot be read.
    pub fn target(self, id: Id) -> String {
        let name = self.name(id);
        self.pinned(id).map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
    }

    /// The version alone; nothing where none was ever read.
    pub fn version(self, id: Id) -> String {
        self.pinned(id).map(ToString::to_string).unwrap_or_default()
    }

    fn pinned(self, id: Id) -> Option<&'a Version> {
        let last = || {
            let records = self.desired.history.records(self.desired.graph.name(id));
            records.iter().rev().find_map(|record| record.pin.as_deref())
        };
        self.desired.service(id).map(|service| &service.pin).or_else(last).map(|pin| &pin.version)
    }

    /// What a service waits for, as the end of a sentence that begins with "waits".
    pub fn wait(self, id: Id, wait: &Wait) -> String {
        let on = self.name(wait.on);
        let is_consumer = self.desired.graph.edge(wait.edge).consumer == id;
        match &wait.because {
            Because::Incompatible(Running::Absent) => {
                format!("until {on} runs: {}", self.need_of_target(id, wait.edge))
            }
            Because::Incompatible(running) if is_consumer => {
                let running = self.running(wait.on, running);
                format!("until {on} {running} is gone: {}", self.need_of_target(id, wait.edge))
            }
            Because::Incompatible(running) => {
                let need = self.need(wait.edge, running).unwrap_or_default();
                format!("until {on} {} is gone: it needs {} {need}", self.running(wait.on, running), self.name(id))
            }
            Because::Unverified => format!("until {} is verified", self.target(wait.on)),
            Because::Failed(words) => format!("for {}, which has failed: {words}", self.target(wait.on)),
            Because::Preference if is_consumer => {
                format!("until {} is verified: what others need goes up first", self.target(wait.on))
            }
            Because::Preference => {
                format!("until {on} runs nothing but {}: what needs it goes back before it", self.version(wait.on))
            }
        }
    }

    /// Why a service is held, with the way out.
    pub fn held(self, why: &Why) -> String {
        match why {
            Why::Said(words) => words.clone(),
            Why::Misfit(edge) => self.misfit(*edge),
            Why::Unseen(pair) => self.unseen(pair),
            Why::Lockstep(id) => format!("{} is held, and they may start together only (`lockstep`)", self.name(*id)),
        }
    }

    /// Two versions that do not fit, with the way out.
    pub fn misfit(self, edge: EdgeId) -> String {
        let ends = self.desired.graph.edge(edge);
        let need = self.need_of_target(ends.consumer, edge);
        format!(
            "{need}, and {} is what shall run; pin versions that fit, or widen the range if it is wrong",
            self.target(ends.provider)
        )
    }

    /// Two versions of which nothing says that they fit, with the way out.
    fn unseen(self, pair: &Pair) -> String {
        let Pair { consumer, version, provider, beside } = pair;
        let graph = &self.desired.graph;
        let is_pinned = |(name, version): (_, &Version)| graph.id(name).and_then(|id| self.pinned(id)) == Some(version);
        let never = format!("{consumer} {version} has never run with {provider} {beside} (`unseen: refuse`)");
        if !is_pinned((consumer, version)) || !is_pinned((provider, beside)) {
            return format!("{never}, and one of them is held where it is");
        }
        let from = self.desired.evidence().compatible_from(graph, pair);
        format!("{never}; if they fit, say so: pintle pin {consumer} {version} --needs '{provider}=>={from}'")
    }

    /// A circle of waits, with the way out.
    pub fn circle(self, circle: &[(Id, Wait)]) -> String {
        format!("no safe order: {}. {}", self.links(circle).join("; "), self.way_out(circle))
    }

    /// Each wait of a circle.
    pub fn links(self, circle: &[(Id, Wait)]) -> Vec<String> {
        circle.iter().map(|(id, wait)| format!("{} waits {}", self.target(*id), self.wait(*id, wait))).collect()
    }

    /// What breaks a circle of waits.
    pub fn way_out(self, circle: &[(Id, Wait)]) -> String {
        let names: Vec<&str> = circle.iter().map(|(id, _)| self.name(*id)).collect();
        format!(
            "Pin a version between that accepts both sides first, or allow an unsafe moment: `lockstep: [[{}]]`",
            names.join(", ")
        )
    }

    /// A step in one line.
    pub fn step(self, id: Id, step: &Step) -> String {
        match step {
            Step::Start(None) => "starts".to_owned(),
            Step::Start(Some(_)) => "starts together with its lockstep group".to_owned(),
            Step::UnderWay => "under way".to_owned(),
            Step::Failed(words) => format!("failed: {words}"),
            Step::Waits(waits) => {
                let words: Vec<String> = waits.iter().map(|wait| self.wait(id, wait)).collect();
                format!("waits {}", words.join("; and "))
            }
            Step::Held(why) => format!("held: {}", self.held(why)),
            Step::Refused(circle) => format!("refused: {}", self.circle(circle)),
        }
    }

    fn need_of_target(self, consumer: Id, edge: EdgeId) -> String {
        let provider = self.name(self.desired.graph.edge(edge).provider);
        let need = self.pinned(consumer).and_then(|version| self.desired.graph.need(edge, version));
        format!("{} needs {provider} {}", self.target(consumer), need.map(ToString::to_string).unwrap_or_default())
    }

    fn need(self, edge: EdgeId, running: &Running) -> Option<String> {
        let Running::Image(_, Some(version)) = running else { return None };
        self.desired.graph.need(edge, version).map(ToString::to_string)
    }
}
