//! Ranks the services that may have caused an alarm: those that changed recently, and that alarm or are providers of
//! one that alarms. The rank depends on the age of the change and the distance in the graph.
//!
//! This module only proposes suspects; it reverts nothing.

mod last_change;

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
pub use last_change::{ChangeCause, LastChange, RunningMove, UndoAction};

use crate::graph::{EdgeId, Graph, ServiceId};

/// The facts from which suspects are ranked.
#[derive(Debug, Clone, Copy)]
pub struct SuspectInput<'a> {
    pub graph: &'a Graph,
    /// The edges that count: needs of versions that run or are about to run.
    pub needed: &'a BTreeSet<EdgeId>,
    /// The time of the last change of each service; services that never changed are absent.
    pub changed: &'a BTreeMap<ServiceId, Timestamp>,
    /// The services that alarm; `None` if that is unknown.
    pub alarms: Option<&'a BTreeSet<ServiceId>>,
    /// The health of unchanged pods, for services in the middle of a change.
    pub peers: &'a BTreeMap<ServiceId, PeerHealth>,
    /// The time of the last verification of each service, if known.
    pub verified: &'a BTreeMap<ServiceId, Timestamp>,
    /// The time within which a fault shows after a change: the settings' `soak`.
    pub soak: Duration,
    /// Changes up to this time are not suspect. Takes precedence over verifications.
    pub since: Option<Timestamp>,
    pub now: Timestamp,
}

/// The health of the pods still on the old version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerHealth {
    /// All pods are healthy.
    Well,
    /// No pod is healthy.
    Unwell,
}

/// A service that may be the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    pub service: ServiceId,
    /// Time of the change.
    pub changed_at: Timestamp,
    /// Health of the pods still on the old version, if the service alarms. If they are healthy, shared causes are ruled
    /// out; if they are not, the change itself is.
    pub peers: Option<PeerHealth>,
    /// The shortest path from each service that alarms to this one, both included, shortest first. Empty if it is
    /// unknown which services alarm.
    pub paths: Vec<Vec<ServiceId>>,
}

/// Changes younger than this count as equally recent: clocks differ, and a release takes some time.
const MIN_CHANGE_AGE: SignedDuration = SignedDuration::from_mins(1);

/// Returns the suspects, likeliest first.
///
/// The health of the pods on the old version decides first. Then comes the age of the change, multiplied by the
/// distance to the nearest alarm plus one.
pub fn ranked_suspects(input: SuspectInput<'_>) -> Vec<Suspect> {
    let mut suspects = match input.alarms {
        Some(alarms) => by_alarms(input, alarms),
        None => by_change(input),
    };
    suspects.sort_by_cached_key(|it| {
        let passed = input.now.duration_since(it.changed_at).max(MIN_CHANGE_AGE).as_secs();
        let steps = i64::try_from(it.distance() + 1).unwrap_or(i64::MAX);
        let unlikely = match it.peers {
            Some(PeerHealth::Well) => 0,
            None => 1,
            Some(PeerHealth::Unwell) => 2,
        };
        (unlikely, passed.saturating_mul(steps), it.distance(), Reverse(it.paths.len()), it.service)
    });
    suspects
}

fn by_change(input: SuspectInput<'_>) -> Vec<Suspect> {
    let recent = input.changed.iter().filter(|(_, changed)| input.since.is_none_or(|since| **changed > since));
    recent
        .map(|(&service, &changed)| Suspect { service, changed_at: changed, peers: None, paths: Vec::new() })
        .collect()
}

fn by_alarms(input: SuspectInput<'_>, alarms: &BTreeSet<ServiceId>) -> Vec<Suspect> {
    let mut ways: BTreeMap<ServiceId, Vec<Vec<ServiceId>>> = BTreeMap::new();
    for &alarm in alarms {
        let good = input.since.or_else(|| was_good(input, alarm));
        for (service, way) in leads(input, alarm) {
            let changed = input.changed.get(&service);
            if changed.is_some_and(|changed| good.is_none_or(|good| *changed > good)) {
                ways.entry(service).or_default().push(way);
            }
        }
    }
    let suspect = |(service, mut ways): (ServiceId, Vec<Vec<ServiceId>>)| {
        ways.sort_by_key(|way| (way.len(), way.first().copied()));
        let peers = input.peers.get(&service).copied().filter(|_| alarms.contains(&service));
        Some(Suspect { service, changed_at: *input.changed.get(&service)?, peers, paths: ways })
    };
    ways.into_iter().filter_map(suspect).collect()
}

/// Returns the time up to which the state of a service is known to be good: `soak` before its last verification. A
/// provider may have turned bad within the soak without an effect on that verification.
fn was_good(input: SuspectInput<'_>, service: ServiceId) -> Option<Timestamp> {
    let soak = SignedDuration::try_from(input.soak).unwrap_or(SignedDuration::MAX);
    input.verified.get(&service)?.checked_sub(soak).ok()
}

/// Returns a service and all its direct and indirect providers, each with the shortest path to it.
fn leads(input: SuspectInput<'_>, from: ServiceId) -> BTreeMap<ServiceId, Vec<ServiceId>> {
    let mut ways = BTreeMap::from([(from, vec![from])]);
    let mut queue = VecDeque::from([from]);
    while let Some(id) = queue.pop_front() {
        let way = ways.get(&id).cloned().unwrap_or_default();
        for edge in input.graph.needs(id).iter().filter(|edge| input.needed.contains(edge)) {
            let provider = input.graph.edge(*edge).provider;
            if let Entry::Vacant(new) = ways.entry(provider) {
                new.insert([&way[..], &[provider]].concat());
                queue.push_back(provider);
            }
        }
    }
    ways
}

impl Suspect {
    /// Returns the number of edges to the nearest service that alarms.
    pub fn distance(&self) -> usize {
        self.paths.first().map_or(0, |way| way.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::graph::ServiceNode;
    use crate::pins::{DependsOn, Need, ServiceName};
    use crate::version::{Version, VersionOrder};

    /// web -> checkout -> payments -> ledger, checkout -> inventory; mail has no edges.
    fn shop() -> Graph {
        let needs: [(&str, &[&str]); 6] = [
            ("web", &["checkout"]),
            ("checkout", &["payments", "inventory"]),
            ("payments", &["ledger"]),
            ("inventory", &[]),
            ("ledger", &[]),
            ("mail", &[]),
        ];
        let name = |name: &str| ServiceName::new(name).unwrap();
        let node = |(of, needs): (&str, &[&str])| {
            let needs: DependsOn = needs.iter().map(|it| (name(it), Need::Range("*".parse().unwrap()))).collect();
            let versions = vec![(Version::new("1").unwrap(), Arc::new(needs))];
            ServiceNode {
                name: name(of),
                order: VersionOrder::choose(None, []),
                current_needs: Arc::default(),
                versions,
            }
        };
        Graph::new(needs.into_iter().map(node).collect())
    }

    /// Formats the suspects in order, each with its distance. `changed` and `verified` are minutes ago, by service.
    fn says(alarms: Option<&str>, changed: &str, verified: &str, since: Option<i64>) -> String {
        says_beside(&[], alarms, changed, verified, since)
    }

    /// As [`says`], with the health of pods that have not changed yet.
    fn says_beside(
        peers: &[(&str, PeerHealth)],
        alarms: Option<&str>,
        changed: &str,
        verified: &str,
        since: Option<i64>,
    ) -> String {
        let (graph, now) = (shop(), Timestamp::from_second(1_767_225_600).unwrap());
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let id = |name: &str| graph.id(&ServiceName::new(name).unwrap()).unwrap();
        let times = |text: &str| {
            let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
            pairs.map(|(name, minutes)| (id(name), ago(minutes.parse().unwrap()))).collect::<BTreeMap<_, _>>()
        };
        let alarms = alarms.map(|names| names.split_whitespace().map(id).collect::<BTreeSet<_>>());
        let suspects = ranked_suspects(SuspectInput {
            graph: &graph,
            needed: &graph.edges().collect(),
            changed: &times(changed),
            alarms: alarms.as_ref(),
            peers: &peers.iter().map(|&(name, peers)| (id(name), peers)).collect(),
            verified: &times(verified),
            soak: Duration::from_secs(600),
            since: since.map(ago),
            now,
        });
        let told = suspects.iter().map(|it| format!("{} {}", graph.name(it.service), it.distance()));
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn suspects_are_what_alarms_and_what_that_depends_on_if_it_changed() {
        let changed = "web=5 checkout=5 payments=5 ledger=5 inventory=5 mail=5";
        assert_eq!(says(Some("checkout"), changed, "", None), "checkout 0, inventory 1, payments 1, ledger 2");
        assert_eq!(says(Some("checkout"), "web=5 mail=5", "", None), "", "neither is what checkout depends on");
        assert_eq!(says(Some("web ledger"), "ledger=5 payments=5", "", None), "ledger 0, payments 2");
        assert_eq!(says(Some(""), changed, "", None), "", "nothing alarms");
    }

    #[test]
    fn a_recent_change_far_away_is_likelier_than_an_old_one_near_by() {
        assert_eq!(says(Some("checkout"), "checkout=4320 ledger=5", "", None), "ledger 2, checkout 0");
        assert_eq!(says(Some("checkout"), "checkout=9 ledger=5", "", None), "checkout 0, ledger 2");
        assert_eq!(says(Some("checkout"), "checkout=0 ledger=0", "", None), "checkout 0, ledger 2", "the same moment");
        let both = says(Some("checkout payments"), "inventory=5 ledger=5", "", None);
        assert_eq!(both, "ledger 1, inventory 1", "of equal ones, the one that more alarms lead to");
    }

    #[test]
    fn what_changed_before_all_was_well_is_no_suspect() {
        let changed = "checkout=300 payments=45 inventory=20 ledger=55";
        assert_eq!(says(Some("checkout"), changed, "checkout=30", None), "inventory 1", "and not payments");
        assert_eq!(says(Some("checkout"), changed, "checkout=36", None), "inventory 1, payments 1", "within the soak");
        assert_eq!(says(Some("checkout"), changed, "checkout=30", Some(50)), "inventory 1, payments 1", "as was asked");
        assert_eq!(
            says(Some("web checkout"), changed, "checkout=30", None),
            "inventory 1, payments 2, ledger 3, checkout 1"
        );
    }

    #[test]
    fn where_nobody_knows_what_alarms_all_changes_are_told_the_newest_first() {
        assert_eq!(says(None, "web=5 mail=2 ledger=700", "", Some(60)), "mail 0, web 0");
        assert_eq!(says(None, "web=5 mail=2 ledger=700", "", None), "mail 0, web 0, ledger 0");
    }

    #[test]
    fn a_change_whose_older_pods_are_well_is_the_likeliest_and_one_whose_older_pods_are_not_the_least() {
        let says = |peers: &[(&str, PeerHealth)]| {
            says_beside(peers, Some("checkout payments"), "checkout=60 payments=5 ledger=60", "", None)
        };
        assert_eq!(says(&[]), "payments 0, checkout 0, ledger 1");
        assert_eq!(says(&[("checkout", PeerHealth::Well)]), "checkout 0, payments 0, ledger 1");
        assert_eq!(says(&[("payments", PeerHealth::Unwell)]), "checkout 0, ledger 1, payments 0");
        assert_eq!(
            says(&[("ledger", PeerHealth::Well)]),
            "payments 0, checkout 0, ledger 1",
            "it does not alarm itself"
        );
    }
}
