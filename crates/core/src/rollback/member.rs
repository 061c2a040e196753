//! What goes back: the services that move, and all that comes with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{MemberReason, Objection, Skipped, Unmet};
use crate::desired::DesiredState;
use crate::history::{History, PinRecord};
use crate::pins::{DependsOn, HeldVersions, Need, Pin, Pins, ServiceName};
use crate::version::Version;
use crate::workload::ProvenVersion;

/// What goes back: the value that is shown, and landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    /// The moves: first those asked for, by name, then those that come along, each after the one that it comes along with.
    pub members: Vec<Member>,
    /// What was asked for and does not go back, and why.
    pub skipped: Vec<Skipped>,
    /// Needs that are not met at the tip, on edges that no move touches: told, not repaired.
    pub elsewhere: Vec<Unmet>,
    /// The holds that are put on members, with what those they have keep out.
    pub holds: Vec<(ServiceName, HeldVersions)>,
    /// Whether every set was considered; else a smaller one may exist.
    pub complete: bool,
}

/// One service goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub service: ServiceName,
    /// What is pinned at the tip.
    pub from: Pin,
    /// The newest record that pins the target: the files of its commit say how the version-bound keys were.
    pub target: PinRecord,
    /// What the target pins: as the record says, save that a table of needs stays as it is at the tip.
    pub to: Pin,
    /// How many pins back that is; none for a target that is newer than what is pinned.
    pub back: Option<usize>,
    /// Why it goes back.
    pub why: MemberReason,
    /// The proof that the target ran here.
    pub proven: Option<ProvenVersion>,
    /// The nearer pins that it did not take, and why.
    pub passed_over: Vec<(Version, Objection)>,
}

impl Revert {
    /// Nothing goes back.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the desired state after the commit.
    pub fn desired(&self, tip: &DesiredState) -> DesiredState {
        let DesiredState { commit, pins, history, namespace, .. } = tip;
        DesiredState::new(*commit, self.pins(pins), Arc::clone(history), namespace.clone())
    }

    /// Returns a service that goes back to a version without a proof, and a proven version of it that history does not
    /// know: where history is cut off, that version may be the better target.
    pub fn proof_beyond_history<'p>(
        &self,
        history: &History,
        proven: &'p BTreeMap<ServiceName, Vec<ProvenVersion>>,
    ) -> Option<(&'p ServiceName, &'p Version)> {
        let asked = self.members.iter().filter(|member| member.why == MemberReason::Asked);
        asked.filter(|member| member.proven.is_none()).find_map(|member| {
            let (service, proven) = proven.get_key_value(&member.service)?;
            let unknown = proven.iter().find(|it| history.newest_record(service, &it.version).is_none())?;
            Some((service, &unknown.version))
        })
    }

    /// The pins as they will be, for the plan; places in files are those of the tip.
    pub fn pins(&self, tip: &Pins) -> Pins {
        let mut pins = tip.clone();
        for member in &self.members {
            if let Some(service) = pins.services.get_mut(&member.service) {
                service.pin = member.to.clone();
            }
        }
        pins
    }
}

impl Member {
    /// The pin of a record as it is restored: a table of needs speaks of all versions, and stays as it is at the tip.
    pub(super) fn restored(record: &Pin, tip: &Pin) -> Pin {
        let is_table = |need: &Need| matches!(need, Need::Table(_));
        if !tip.depends_on.values().any(is_table) {
            return record.clone();
        }
        let mut needs = DependsOn::clone(&record.depends_on);
        let tables = tip.depends_on.iter().filter(|(_, need)| is_table(need));
        needs.extend(tables.map(|(provider, need)| (provider.clone(), need.clone())));
        Pin { depends_on: Arc::new(needs), ..record.clone() }
    }
}
