//! Services by number, of which large systems are made.

use pintle_core::image::Image;
use pintle_core::pins::ServiceName;
use pintle_core::plan::{LiveService, RolloutProgress};
use pintle_core::running::Running;
use pintle_core::version::Version;

/// How many there are.
pub(crate) const SERVICES: usize = 10_000;

/// How many others each needs.
pub(crate) const NEEDS: usize = 3;

pub(crate) fn name(service: usize) -> ServiceName {
    ServiceName::try_from(format!("s{service:05}")).expect("a name")
}

pub(crate) fn image(service: usize, version: &Version) -> Image {
    Image::from_parts(&format!("ghcr.io/acme/{}", name(service)), version.as_str(), None).expect("an image")
}

/// It runs, and nothing of it moves.
pub(crate) fn settled(running: Running) -> LiveService {
    let (running, spec) = (vec![running.clone()], vec![running]);
    LiveService {
        running,
        spec,
        progress: RolloutProgress::Still,
        ready: true,
        replaced_pods: 3,
        surge_pods: 1,
        is_drift: false,
    }
}
