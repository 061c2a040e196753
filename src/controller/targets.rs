//! What is wanted of each service, or why it is held: nobody asked, drift that is left, holds, floors, broken files, and
//! whatever is in the way.

use pintle_core::graph::ServiceId;
use pintle_core::plan::{HoldReason, ServiceTarget};

use super::desired::Desired;
use super::status::{LiveState, ServiceStatus};

/// What is wanted of each service, by its number.
pub fn targets(desired: &Desired, look: &LiveState) -> Vec<ServiceTarget> {
    desired.graph.ids().map(|id| wanted(desired, id, &look.services[id.index()])).collect()
}

fn wanted(desired: &Desired, id: ServiceId, seen: &ServiceStatus) -> ServiceTarget {
    match (desired.target(id), &seen.suppression, &seen.obstacle) {
        (ServiceTarget::Run(target) | ServiceTarget::Held(Some(target), _), Some(stay), _) => {
            ServiceTarget::Held(Some(target), HoldReason::Suppressed(stay.clone()))
        }
        (ServiceTarget::Run(target), None, Some(obstacle)) => {
            ServiceTarget::Held(Some(target), HoldReason::Obstacle(obstacle.clone()))
        }
        (wanted, ..) => wanted,
    }
}
