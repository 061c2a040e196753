//! What a run shows while it goes on: on a terminal what is in motion, redrawn in place below the lines of what has
//! happened; elsewhere the lines alone.
#![expect(clippy::disallowed_methods, reason = "a live view reads the clock")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use pintle_core::graph::ServiceId;
use pintle_core::plan::PlanStep;

use super::describe::{Describe, line};
use super::output::{BUSY_STYLE, DIM_STYLE, Output, styled};
use crate::controller::event::Event;
use crate::controller::{Desired, PassOutcome};

/// Lines of services in motion that are drawn at most.
const MAX_LIVE_LINES: usize = 12;

/// The view of one run.
pub(super) struct LiveView<'a> {
    output: &'a mut Output,
    begun: Timestamp,
    since: BTreeMap<ServiceId, Timestamp>,
    drawn: usize,
}

impl<'a> LiveView<'a> {
    /// A view on stderr.
    pub(super) fn new(output: &'a mut Output) -> Self {
        Self { output, begun: Timestamp::now(), since: BTreeMap::new(), drawn: 0 }
    }

    /// Shows what is new, and how everything stands.
    pub(super) fn show(&mut self, desired: &Desired, pass: Option<&PassOutcome>, events: &[Event]) {
        self.clear();
        let now = Timestamp::now();
        let describe = Describe::new(desired, now);
        for event in events {
            let at = passed(self.begun, now);
            self.output.note(format_args!(
                "{} {}",
                styled(DIM_STYLE, format_args!("{at:>6}")),
                line(event, Some(describe))
            ));
        }
        if let Some(pass) = pass.filter(|_| self.output.is_live()) {
            self.draw(describe, pass, now);
        }
    }

    fn draw(&mut self, describe: Describe<'_>, pass: &PassOutcome, now: Timestamp) {
        let count = |is: fn(&PlanStep) -> bool| pass.next.steps.iter().filter(|(_, step)| is(step)).count();
        let is_moving = |step: &PlanStep| matches!(step, PlanStep::Start(_) | PlanStep::UnderWay);
        let (moving, waiting) = (count(is_moving), count(|step| matches!(step, PlanStep::Waits(_))));
        let steps = || pass.next.steps.iter().filter(|(_, step)| is_moving(step));
        self.since.retain(|id, _| steps().any(|(other, _)| other == id));
        let mut text = String::new();
        for (id, step) in steps().take(MAX_LIVE_LINES) {
            let since = passed(*self.since.entry(*id).or_insert(now), now);
            let message = match step {
                // What was seen before it was written says nothing of it.
                PlanStep::Start(_) => "starts".to_owned(),
                _ => describe.healths(&pass.live_state.services[id.index()].workloads).brief,
            };
            let _ = writeln!(text, "       {} {} {since}: {message}", styled(BUSY_STYLE, "~"), describe.target(*id));
        }
        if moving + waiting > 0 {
            let _ =
                writeln!(text, "       {}", styled(DIM_STYLE, format_args!("{moving} in motion, {waiting} waiting")));
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

impl Drop for LiveView<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

fn passed(from: Timestamp, to: Timestamp) -> String {
    super::words::seconds_text(to.duration_since(from).as_secs_f64().max(0.0))
}
