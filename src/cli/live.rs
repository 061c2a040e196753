//! What a run shows while it goes on: on a terminal what is in motion, redrawn in place below the lines of what has
//! happened; elsewhere the lines alone.
#![expect(clippy::disallowed_methods, reason = "a live view reads the clock")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use pintle_core::graph::Id;
use pintle_core::plan::Step;

use super::brief::brief;
use super::output::{BAD, BUSY, DIM, GOOD, NAME, Output, styled};
use crate::controller::event::Event;
use crate::controller::{Desired, Pass, Words};

/// Lines of services in motion that are drawn at most.
const LINES: usize = 12;

/// The view of one run.
pub(super) struct Live<'a> {
    output: &'a mut Output,
    begun: Timestamp,
    since: BTreeMap<Id, Timestamp>,
    drawn: usize,
}

impl<'a> Live<'a> {
    /// A view on stderr.
    pub(super) fn new(output: &'a mut Output) -> Self {
        Self { output, begun: Timestamp::now(), since: BTreeMap::new(), drawn: 0 }
    }

    /// Shows what is new, and how everything stands.
    pub(super) fn show(&mut self, desired: &Desired, pass: Option<&Pass>, events: &[Event]) {
        self.clear();
        let now = Timestamp::now();
        for event in events {
            let at = passed(self.begun, now);
            self.output.note(format_args!("{} {}", styled(DIM, format_args!("{at:>6}")), line(event)));
        }
        if let Some(pass) = pass.filter(|_| self.output.is_live()) {
            self.draw(desired, pass, now);
        }
    }

    fn draw(&mut self, desired: &Desired, pass: &Pass, now: Timestamp) {
        let words = Words::new(desired);
        let count = |is: fn(&Step) -> bool| pass.next.steps.iter().filter(|(_, step)| is(step)).count();
        let is_moving = |step: &Step| matches!(step, Step::Start(_) | Step::UnderWay);
        let (moving, waiting) = (count(is_moving), count(|step| matches!(step, Step::Waits(_))));
        let steps = || pass.next.steps.iter().filter(|(_, step)| is_moving(step));
        self.since.retain(|id, _| steps().any(|(other, _)| other == id));
        let mut text = String::new();
        for (id, step) in steps().take(LINES) {
            let since = passed(*self.since.entry(*id).or_insert(now), now);
            let health = pass.look.services[id.index()].workloads.iter().map(|it| it.health.message.as_str());
            let message = match step {
                // What was seen before it was written says nothing of it.
                Step::Start(_) => "starts".to_owned(),
                _ => brief(&health.collect::<Vec<_>>().join("; ")),
            };
            let _ = writeln!(text, "       {} {} {since}: {message}", styled(BUSY, "~"), words.target(*id));
        }
        if moving + waiting > 0 {
            let _ = writeln!(text, "       {}", styled(DIM, format_args!("{moving} in motion, {waiting} waiting")));
        }
        self.drawn = text.lines().count();
        self.output.redraw(0, &text);
    }

    /// Takes back what was drawn.
    fn clear(&mut self) {
        if self.drawn > 0 {
            self.output.redraw(self.drawn, "");
            self.drawn = 0;
        }
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

fn passed(from: Timestamp, to: Timestamp) -> String {
    super::words::took(to.duration_since(from).as_secs_f64().max(0.0))
}

/// An event in one line: the steps that a textbook names.
pub(super) fn line(event: &Event) -> String {
    let name = |service: &dyn std::fmt::Display| styled(NAME, service);
    match event {
        Event::TargetFound { service, from, to } => format!("{} target found: {from} -> {to}", name(service)),
        Event::Waits { service, why } => format!("{} waits {}", name(service), brief(&why.join("; and "))),
        Event::NewStarting { service, version } => format!("{} {version} starting", name(service)),
        Event::OldStopping { service, version } => format!("{} {version} stopping", name(service)),
        Event::OldGone { service, version } => format!("{} {version} gone", name(service)),
        Event::Verified { service, version, took } => {
            let took = took.map(|took| format!(" after {}", super::words::took(took.as_secs_f64())));
            format!("{} {version} {}{}", name(service), styled(GOOD, "verified"), took.unwrap_or_default())
        }
        Event::Down { service, version, why } => {
            format!("{} {version} is {}: {}", name(service), styled(BAD, "down"), brief(why))
        }
        Event::Back { service, version } => format!("{} {version} is {}", name(service), styled(GOOD, "back")),
        Event::DependenciesUpdated { service, released } => {
            format!("{} dependencies updated: released {}", name(service), list(released))
        }
        Event::Failed { service, version, words, not_started } => {
            let rest =
                if not_started.is_empty() { String::new() } else { format!("; not started: {}", list(not_started)) };
            format!("{} {version} {}: {}{rest}", name(service), styled(BAD, "failed"), brief(words))
        }
        Event::NeedsYou { service, why, command } => {
            format!("{} {}: {}; type: {command}", name(service), styled(BUSY, "waits for you"), brief(why))
        }
        Event::Held { service, why } => format!("{} {}: {}", name(service), styled(BUSY, "held"), brief(why)),
        Event::Refused { service, why } => format!("{} {}: {why}", name(service), styled(BAD, "refused")),
        Event::Unreachable { why } => {
            format!("{}: {}; everything is held", styled(BAD, "the cluster does not answer"), brief(why))
        }
        Event::Reachable => "the cluster answers again".to_owned(),
        Event::HeldAll { why } => format!("{}: {why}", styled(BAD, "everything is held")),
        Event::HeldNoMore => "held no more".to_owned(),
        Event::InSync { services } => {
            format!("{}: {} what is pinned", styled(GOOD, "in sync"), counted_runs(*services))
        }
        Event::Revision { subject } => format!("revision: {subject}"),
        Event::NoGit { why } => format!("{}: {why}", styled(BAD, "the repository does not answer")),
        Event::Git => "the repository answers again".to_owned(),
        Event::Leads => "this is the one writer".to_owned(),
        Event::StandsBy { why } => format!("{}: {why}", styled(BUSY, "stands by")),
        Event::Stopping => "told to end: nothing more is written".to_owned(),
    }
}

fn counted_runs(services: usize) -> String {
    if services == 1 { "1 service runs".to_owned() } else { format!("{services} services run") }
}

fn list(names: &[pintle_core::pins::ServiceName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
