//! Reasons as programs read them: a code and its parts.

use pintle_core::graph::ServiceId;
use pintle_core::pins::Withheld;
use pintle_core::plan::{Correction, EdgeWait, HoldReason, Obstacle, PlanStep, SuppressedBy, Suppression, WaitReason};
use pintle_core::verify::HealthReason;
use serde_json::{Value, json};

use super::Describe;
use crate::cli::words::held_text;

impl Describe<'_> {
    /// Returns the parts of a step that is not a start.
    pub(in crate::cli) fn step_parts(self, step: &PlanStep) -> Value {
        match step {
            PlanStep::Held(reason) => self.hold_parts(reason),
            PlanStep::Failed(reason) => health_parts(reason),
            PlanStep::Waits(waits) => {
                json!({"code": "waits", "for": waits.iter().map(|it| self.wait_parts(it)).collect::<Vec<_>>()})
            }
            PlanStep::Refused(circle) => self.circle_parts(circle),
            PlanStep::Start(_) | PlanStep::UnderWay => Value::Null,
        }
    }

    /// Returns the parts of a circle of waits.
    pub(in crate::cli) fn circle_parts(self, circle: &[(ServiceId, EdgeWait)]) -> Value {
        let services: Vec<&str> = circle.iter().map(|(id, _)| self.name(*id)).collect();
        json!({"code": "noSafeOrder", "services": services})
    }

    /// Returns the parts of a wait.
    pub(in crate::cli) fn wait_parts(self, wait: &EdgeWait) -> Value {
        let service = self.name(wait.on);
        match &wait.reason {
            WaitReason::Incompatible(running) => {
                json!({"code": "incompatible", "service": service, "runs": self.running(wait.on, running)})
            }
            WaitReason::Unverified => json!({"code": "unverified", "service": service}),
            WaitReason::Failed(reason) => {
                json!({"code": "failed", "service": service, "reason": health_parts(reason)})
            }
            WaitReason::Preference => json!({"code": "preference", "service": service}),
        }
    }

    /// Returns the parts of a hold.
    pub(in crate::cli) fn hold_parts(self, reason: &HoldReason) -> Value {
        match reason {
            HoldReason::Withheld(withheld) => withheld_parts(withheld),
            HoldReason::BrokenFile(problem) => json!({"code": "brokenFile", "problem": problem}),
            HoldReason::Suppressed(suppression) => suppression_parts(suppression),
            HoldReason::Obstacle(obstacle) => obstacle_parts(obstacle),
            HoldReason::Misfit(edge) => {
                let ends = self.desired.graph.edge(*edge);
                json!({"code": "misfit", "consumer": self.name(ends.consumer), "provider": self.name(ends.provider)})
            }
            HoldReason::Unseen(pair) => json!({
                "code": "unseen",
                "consumer": pair.consumer,
                "version": pair.consumer_version,
                "provider": pair.provider,
                "beside": pair.provider_version,
            }),
            HoldReason::Lockstep(id) => json!({"code": "lockstep", "member": self.name(*id)}),
        }
    }
}

/// Returns the parts of a workload's health.
pub(in crate::cli) fn health_parts(reason: &HealthReason) -> Value {
    // All of it is text and numbers.
    serde_json::to_value(reason).unwrap_or_default()
}

fn withheld_parts(withheld: &Withheld) -> Value {
    match withheld {
        Withheld::External => json!({"code": "external"}),
        Withheld::BelowFloor { pinned, floor } => json!({"code": "belowFloor", "pinned": pinned, "floor": floor}),
        Withheld::OnHold { pinned, hold } => json!({
            "code": "onHold",
            "pinned": pinned,
            "versions": held_text(&hold.versions),
            "by": hold.by,
            "until": hold.until,
            "reason": hold.reason,
        }),
    }
}

fn suppression_parts(Suppression { by, until }: &Suppression) -> Value {
    match by {
        SuppressedBy::NotSelected => json!({"code": "notSelected"}),
        SuppressedBy::Pause(pause) => {
            json!({"code": "paused", "by": pause.by, "until": until, "reason": pause.reason})
        }
        SuppressedBy::Drift { change, correction, .. } => {
            let correction = match correction {
                Correction::Never => "never",
                Correction::AtSchedule => "atSchedule",
                Correction::AfterGrace => "afterGrace",
            };
            let (manager, at) = (&change.manager, change.at);
            json!({"code": "drift", "manager": manager, "at": at, "correction": correction, "until": until})
        }
        SuppressedBy::Contention { manager, workload } => {
            json!({"code": "contended", "manager": manager, "workload": workload.to_string(), "until": until})
        }
    }
}

fn obstacle_parts(obstacle: &Obstacle) -> Value {
    match obstacle {
        Obstacle::MissingWorkload(id) => json!({"code": "missingWorkload", "workload": id}),
        Obstacle::NoContainer(none) => json!({"code": "noContainer", "workload": none.id, "wanted": none.wanted}),
        Obstacle::OtherInstance { workload, instance } => {
            json!({"code": "otherInstance", "workload": workload, "instance": instance})
        }
        Obstacle::Unreadable(message) => json!({"code": "unreadable", "message": message}),
        Obstacle::Refused(message) => json!({"code": "refused", "message": message}),
    }
}
