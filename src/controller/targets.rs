//! What is wanted of each service, or why it is held: nobody asked, drift that is left, holds, floors, broken files, and
//! whatever is in the way.

use pintle_core::graph::Id;
use pintle_core::plan::{HoldReason, Wanted};

use super::desired::Desired;
use super::status::{LiveState, ServiceStatus};

/// What is wanted of each service, by its number.
pub fn targets(desired: &Desired, look: &LiveState) -> Vec<Wanted> {
    desired.graph.ids().map(|id| wanted(desired, id, &look.services[id.index()])).collect()
}

fn wanted(desired: &Desired, id: Id, seen: &ServiceStatus) -> Wanted {
    match (desired.wanted(id), &seen.suppression, &seen.obstacle) {
        (Wanted::Target(target) | Wanted::Held(Some(target), _), Some(stay), _) => {
            Wanted::Held(Some(target), HoldReason::Suppressed(stay.clone()))
        }
        (Wanted::Target(target), None, Some(obstacle)) => {
            Wanted::Held(Some(target), HoldReason::Obstacle(obstacle.clone()))
        }
        (wanted, ..) => wanted,
    }
}
