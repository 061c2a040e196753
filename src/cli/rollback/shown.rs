//! What programs are told of a rollback: `--output json` and `yaml`.

use jiff::Timestamp;
use pintle_core::git::Commit;
use pintle_core::image::Image;
use pintle_core::pins::{Held, Pin, ServiceName};
use pintle_core::rollback::Member;
use pintle_core::version::Version;
use serde::Serialize;

use super::Told;
use crate::cli::describe::PlanReport;
use crate::cli::diff::FileDiff;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown<'t> {
    revision: &'t Commit,
    /// The cluster that was asked; null where targets are from Git alone.
    cluster: Option<&'t str>,
    members: Vec<ShownMember<'t>>,
    stays: Vec<ShownStay<'t>>,
    /// Needs that are not met and that the rollback does not touch.
    unmet: Vec<String>,
    /// Pairs of versions that would be together and were never pinned so for `soak`.
    unseen: Vec<String>,
    /// The nearest set of which all pairs were seen together, where it is another one: what `--seen` takes.
    seen: Option<Vec<ShownMember<'t>>>,
    /// Whether every set of services was considered.
    complete: bool,
    holds: Vec<ShownHold<'t>>,
    plan: &'t PlanReport,
    /// Other lines that go back with the pins.
    files: &'t [FileDiff],
    /// Other lines that `--include-config` would take back too.
    not_taken: &'t [FileDiff],
    /// Whether it was given.
    include_config: bool,
    commit: ShownMessage<'t>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownMember<'t> {
    service: &'t ServiceName,
    from: End<'t>,
    to: End<'t>,
    pins_back: Option<usize>,
    why: String,
    /// The newest commit that pins the target.
    commit: &'t Commit,
    proven: Option<ShownProof>,
    passed_over: Vec<PassedOver<'t>>,
}

#[derive(Debug, Serialize)]
struct End<'t> {
    version: &'t Version,
    image: &'t Image,
}

#[derive(Debug, Serialize)]
struct ShownProof {
    at: Timestamp,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct PassedOver<'t> {
    version: &'t Version,
    why: String,
}

#[derive(Debug, Serialize)]
struct ShownStay<'t> {
    service: &'t ServiceName,
    why: String,
}

#[derive(Debug, Serialize)]
struct ShownHold<'t> {
    service: &'t ServiceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<&'t Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<&'t str>,
}

#[derive(Debug, Serialize)]
struct ShownMessage<'t> {
    subject: &'t str,
    message: String,
}

impl<'t> Shown<'t> {
    pub(super) fn of(told: &'t Told) -> Self {
        let Told {
            kind: _,
            revert,
            tip,
            desired: _,
            cluster,
            plan,
            unseen,
            seen,
            message,
            files,
            not_taken,
            restores: _,
            besides,
        } = told;
        let stay =
            |left: &'t pintle_core::rollback::Left| ShownStay { service: &left.service, why: left.why.to_string() };
        Self {
            revision: tip,
            cluster: cluster.as_deref(),
            members: revert.members.iter().map(ShownMember::of).collect(),
            stays: revert.left.iter().map(stay).collect(),
            unmet: revert.elsewhere.iter().map(ToString::to_string).collect(),
            unseen: unseen.iter().map(ToString::to_string).collect(),
            seen: seen.as_ref().map(|seen| seen.members.iter().map(ShownMember::of).collect()),
            complete: revert.complete,
            holds: revert.holds.iter().map(|(service, held)| ShownHold::of(service, held)).collect(),
            plan,
            files,
            not_taken,
            include_config: besides.is_some(),
            commit: ShownMessage { subject: &message.subject, message: message.to_string() },
        }
    }
}

impl<'t> ShownMember<'t> {
    fn of(member: &'t Member) -> Self {
        let Member { service, from, target, to, back, why, proven, passed_over } = member;
        let end = |pin: &'t Pin| End { version: &pin.version, image: &pin.image };
        Self {
            service,
            from: end(from),
            to: end(to),
            pins_back: *back,
            why: why.to_string(),
            commit: &target.commit,
            proven: proven.as_ref().map(|it| ShownProof { at: it.at, seconds: it.took().as_secs_f64() }),
            passed_over: passed_over.iter().map(|(version, it)| PassedOver { version, why: it.to_string() }).collect(),
        }
    }
}

impl<'t> ShownHold<'t> {
    fn of(service: &'t ServiceName, held: &'t Held) -> Self {
        match held {
            Held::Above(limit) => Self { service, above: Some(limit), versions: None },
            Held::Versions(range) => Self { service, above: None, versions: Some(range.as_str()) },
        }
    }
}
