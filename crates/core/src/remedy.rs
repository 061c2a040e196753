//! What somebody can do about a problem, as a value: the front end says it in words and knows the commands.

use serde::Serialize;

use crate::service_name::ServiceName;
use crate::version::Version;

/// What somebody can do about a refusal or a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Remedy {
    /// Look at all problems of the pins.
    ShowProblems,
    /// Edit the file by hand, and look at its problems and at what moved.
    EditByHand,
    /// Look at the pins of a service.
    ShowPins { service: ServiceName },
    /// Look at when a service was pinned at what.
    ShowPinDates { service: ServiceName },
    /// Look at the commits that moved pins.
    ShowPinCommits,
    /// Pin what runs.
    PinVersion { service: ServiceName },
    /// Wait until one version runs, and ask again.
    AwaitOneVersion,
    /// Name how far to go back.
    NameTarget,
    /// Ask for this service alone.
    AskForOne { service: ServiceName },
    /// Name more services, and how far they go back.
    NameMoreServices,
    /// Choose a target between, or let these services start together.
    AllowLockstep { services: Vec<ServiceName> },
    /// Lower the `rollbackFloor` in a commit of its own.
    LowerFloor,
    /// Take the service back where it is deployed.
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
    /// Widen the range.
    WidenRange,
    /// Widen the range, or pin a version of this service that fits.
    WidenRangeOrPin { service: ServiceName },
    /// State that the consumer works with the provider from this version on.
    StateNeed { consumer: ServiceName, version: Version, provider: ServiceName, from: Version },
    /// Hold the service again, which mutes the marker of Flux behind its pin.
    HoldAgain { service: ServiceName },
}
