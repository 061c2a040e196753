//! Remedies for problems, as values. The front end phrases them, and knows the commands.

use serde::Serialize;

use crate::service_name::ServiceName;
use crate::version::Version;

/// What a user can do about a refusal or a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Remedy {
    /// Show all problems of the pins.
    ShowProblems,
    /// Edit the file by hand, then check its problems and the moves.
    EditByHand,
    /// Show the pins of a service.
    ShowPins { service: ServiceName },
    /// Show when each version of a service was pinned.
    ShowPinDates { service: ServiceName },
    /// Show the commits that moved pins.
    ShowPinCommits,
    /// Pin the version that runs.
    PinVersion { service: ServiceName },
    /// Wait until only one version runs, then ask again.
    AwaitOneVersion,
    /// Name how far to go back.
    NameTarget,
    /// Ask for this service alone.
    AskForOne { service: ServiceName },
    /// Name more services, and how far they go back.
    NameMoreServices,
    /// Choose a target in between, or let these services start together.
    AllowLockstep { services: Vec<ServiceName> },
    /// Lower the `rollbackFloor` in a commit of its own.
    LowerFloor,
    /// Roll the service back in the place where it is deployed.
    MoveElsewhere,
    /// End the hold of a service.
    Release { service: ServiceName },
    /// Choose another target, or end the hold.
    ChooseTargetOrRelease,
    /// Choose another target, or write the range that the consumer needs.
    ChooseTargetOrWriteRange,
    /// Choose another target, or widen the range.
    ChooseTargetOrWidenRange,
    /// Choose a nearer target, or widen the range.
    ChooseNearerTarget,
    /// Widen the range that the consumer needs.
    WidenRange,
    /// Widen the range, or pin a version of this service that is in it.
    WidenRangeOrPin { service: ServiceName },
    /// State that the consumer works with the provider from this version on.
    StateNeed { consumer: ServiceName, version: Version, provider: ServiceName, from: Version },
    /// Hold the service again, which mutes Flux's marker behind its pin.
    HoldAgain { service: ServiceName },
}
