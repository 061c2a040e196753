//! What programs are told of a rollback: `--output json` and `yaml`.

use jiff::Timestamp;
use pintle_core::evidence::VersionPair;
use pintle_core::git::Commit;
use pintle_core::image::Image;
use pintle_core::pins::{HeldVersions, Pin, ServiceName};
use pintle_core::remedy::Remedy;
use pintle_core::rollback::{Member, MemberReason, Objection, SkipReason, Skipped, Unmet};
use pintle_core::version::Version;
use serde::Serialize;

use super::RollbackPreview;
use crate::cli::describe::PlanReport;
use crate::cli::diff::FileDiff;
use crate::cli::exit::CommandError;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RollbackJson<'t> {
    revision: &'t Commit,
    /// The cluster that was asked; null where targets are from Git alone.
    cluster: Option<&'t str>,
    members: Vec<MemberJson<'t>>,
    stays: Vec<SkippedJson<'t>>,
    /// Needs that are not met and that the rollback does not touch.
    unmet: Vec<String>,
    /// The parts of these.
    unmet_needs: &'t [Unmet],
    /// Pairs of versions that would be together and were never pinned so for `soak`.
    unseen: Vec<String>,
    /// The parts of these.
    unseen_pairs: &'t [VersionPair],
    /// The nearest set of which all pairs were seen together, where it is another one: what `--seen` takes.
    seen: Option<Vec<MemberJson<'t>>>,
    /// Whether every set of services was considered.
    complete: bool,
    holds: Vec<HoldJson<'t>>,
    plan: &'t PlanReport,
    /// Other lines that go back with the pins.
    files: &'t [FileDiff],
    /// Other lines that `--include-config` would take back too.
    not_taken: &'t [FileDiff],
    /// Whether it was given.
    include_config: bool,
    commit: MessageJson<'t>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberJson<'t> {
    service: &'t ServiceName,
    from: EndJson<'t>,
    to: EndJson<'t>,
    pins_back: Option<usize>,
    why: String,
    /// The code of that, and its parts.
    reason: &'t MemberReason,
    /// The newest commit that pins the target.
    commit: &'t Commit,
    proven: Option<ProofJson>,
    passed_over: Vec<PassedOverJson<'t>>,
}

#[derive(Debug, Serialize)]
struct EndJson<'t> {
    version: &'t Version,
    image: &'t Image,
}

#[derive(Debug, Serialize)]
struct ProofJson {
    at: Timestamp,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct PassedOverJson<'t> {
    version: &'t Version,
    why: String,
    /// The code of that, and its parts.
    reason: &'t Objection,
}

#[derive(Debug, Serialize)]
struct SkippedJson<'t> {
    service: &'t ServiceName,
    why: String,
    /// The code of that, and its parts.
    reason: &'t SkipReason,
    /// What can be done where a rule keeps it.
    remedy: Option<Remedy>,
}

#[derive(Debug, Serialize)]
struct HoldJson<'t> {
    service: &'t ServiceName,
    #[serde(flatten)]
    held: &'t HeldVersions,
}

#[derive(Debug, Serialize)]
struct MessageJson<'t> {
    subject: &'t str,
    message: String,
}

/// Returns what programs are told, beside the commit.
pub(super) fn to_json(told: &RollbackPreview) -> Result<serde_json::Value, CommandError> {
    let shown = serde_json::to_value(RollbackJson::of(told));
    shown.map_err(|error| CommandError::error(format!("the result cannot be printed: {error}")))
}

impl<'t> RollbackJson<'t> {
    pub(super) fn of(told: &'t RollbackPreview) -> Self {
        let RollbackPreview {
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
        let stay = |left: &'t Skipped| {
            let (why, remedy) = (left.why.to_string(), left.remedy());
            SkippedJson { service: &left.service, why, reason: &left.why, remedy }
        };
        Self {
            revision: tip,
            cluster: cluster.as_deref(),
            members: revert.members.iter().map(MemberJson::of).collect(),
            stays: revert.skipped.iter().map(stay).collect(),
            unmet: revert.elsewhere.iter().map(ToString::to_string).collect(),
            unmet_needs: &revert.elsewhere,
            unseen: unseen.iter().map(ToString::to_string).collect(),
            unseen_pairs: unseen,
            seen: seen.as_ref().map(|seen| seen.members.iter().map(MemberJson::of).collect()),
            complete: revert.complete,
            holds: revert.holds.iter().map(|(service, held)| HoldJson { service, held }).collect(),
            plan,
            files,
            not_taken,
            include_config: besides.is_some(),
            commit: MessageJson { subject: &message.subject, message: message.to_string() },
        }
    }
}

impl<'t> MemberJson<'t> {
    fn of(member: &'t Member) -> Self {
        let Member { service, from, target, to, back, why, proven, passed_over } = member;
        let end = |pin: &'t Pin| EndJson { version: &pin.version, image: &pin.image };
        Self {
            service,
            from: end(from),
            to: end(to),
            pins_back: *back,
            why: why.to_string(),
            reason: why,
            commit: &target.commit,
            proven: proven.as_ref().map(|it| ProofJson { at: it.at, seconds: it.rollout_duration().as_secs_f64() }),
            passed_over: passed_over
                .iter()
                .map(|(version, reason)| PassedOverJson { version, why: reason.to_string(), reason })
                .collect(),
        }
    }
}
