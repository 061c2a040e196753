//! Small systems as numbers, and what every sequence of starts and finishes can reach: no code shared with the rules.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{System, system};

/// Versions are 1 to 3; 0 is absence.
pub(super) type V = u8;

/// A system: services, and edges between them.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) live: Vec<V>,
    pub(super) target: Vec<V>,
    pub(super) edges: Vec<Edge>,
}

/// What each version of a consumer needs of a provider: none, or the set of versions as bits.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) consumer: usize,
    pub(super) provider: usize,
    pub(super) accepts: [Option<u8>; 3],
}

impl Edge {
    pub(super) fn ok(&self, x: V, y: V) -> bool {
        let needs = x.checked_sub(1).and_then(|x| self.accepts[usize::from(x)]);
        needs.is_none_or(|accepted| y > 0 && accepted & (1 << (y - 1)) != 0)
    }

    /// Some pair of these live sets is ok.
    pub(super) fn has_ok_pair(&self, live: &[BTreeSet<V>]) -> bool {
        live[self.consumer].iter().any(|&x| live[self.provider].iter().any(|&y| self.ok(x, y)))
    }
}

impl Case {
    /// The same system for `next`; services are named a, b, c, d.
    pub(super) fn system(&self) -> System {
        let mut text = String::new();
        for (service, (live, target)) in self.live.iter().zip(&self.target).enumerate() {
            let live = if *live == 0 { "-".to_owned() } else { live.to_string() };
            write!(text, "{}: {live} -> {target}", name(service)).unwrap();
            for version in 1..=3 {
                let needs: Vec<String> = self
                    .edges
                    .iter()
                    .filter(|edge| edge.consumer == service)
                    .filter_map(|edge| need(edge, version))
                    .collect();
                if !needs.is_empty() {
                    write!(text, "; {version} needs {}", needs.join(", ")).unwrap();
                }
            }
            text.push('\n');
        }
        system(&text)
    }

    pub(super) fn around(&self, service: usize) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.consumer == service || edge.provider == service)
    }

    /// Rule 2 with rule 4, by its words: what a start adds runs well beside everything that runs.
    pub(super) fn is_safe(&self, live: &[BTreeSet<V>], service: usize) -> bool {
        let target = self.target[service];
        self.around(service).all(|edge| {
            let beside = |x: V, y: V| !edge.has_ok_pair(live) || edge.ok(x, y);
            match edge.consumer == service {
                true => live[edge.provider].iter().all(|&y| beside(target, y)),
                false => live[edge.consumer].iter().all(|&x| beside(x, target)),
            }
        })
    }

    /// Whether some sequence of safe starts and finishes ends with every service on its target.
    pub(super) fn is_solvable(&self) -> bool {
        let start: Vec<BTreeSet<V>> = self.live.iter().map(|&version| BTreeSet::from([version])).collect();
        let goal: Vec<BTreeSet<V>> = self.target.iter().map(|&version| BTreeSet::from([version])).collect();
        let mut seen = BTreeSet::from([start.clone()]);
        let mut queue = VecDeque::from([start]);
        while let Some(live) = queue.pop_front() {
            if live == goal {
                return true;
            }
            for service in 0..live.len() {
                let target = self.target[service];
                let mut then = live.clone();
                if live[service].len() == 2 {
                    then[service] = BTreeSet::from([target]);
                } else if !live[service].contains(&target) && self.is_safe(&live, service) {
                    then[service].insert(target);
                }
                if seen.insert(then.clone()) {
                    queue.push_back(then);
                }
            }
        }
        false
    }

    /// Whether the targets fit on all edges with an end that moves.
    pub(super) fn fits(&self) -> bool {
        let moves = |service: usize| self.live[service] != self.target[service];
        let concerned = self.edges.iter().filter(|edge| moves(edge.consumer) || moves(edge.provider));
        concerned.into_iter().all(|edge| edge.ok(self.target[edge.consumer], self.target[edge.provider]))
    }
}

pub(super) fn name(service: usize) -> &'static str {
    ["a", "b", "c", "d"][service]
}

fn need(edge: &Edge, version: V) -> Option<String> {
    let accepted = edge.accepts[usize::from(version) - 1]?;
    let versions: Vec<String> = (1..=3).filter(|y| accepted & (1 << (y - 1)) != 0).map(|y| format!("={y}")).collect();
    let range = if versions.is_empty() { ">9".to_owned() } else { versions.join(" || ") };
    Some(format!("{} {range}", name(edge.provider)))
}

/// Systems of two to four services. Ranges lean to the generous side: else nearly nothing fits.
pub(super) fn cases() -> impl Strategy<Value = Case> {
    (2..=4_usize).prop_flat_map(|services| {
        let accepts = prop_oneof![1 => Just(None), 3 => (0..8_u8).prop_map(Some), 2 => Just(Some(7)), 2 => Just(Some(6)), 2 => Just(Some(3))];
        let edge = (0..services, 1..services, [accepts.clone(), accepts.clone(), accepts]).prop_map(
            move |(consumer, step, accepts)| Edge { consumer, provider: (consumer + step) % services, accepts },
        );
        (vec(0..=3_u8, services), vec(1..=3_u8, services), vec(edge, 0..=services + 2)).prop_map(|(live, target, mut edges)| {
            edges.sort_by_key(|edge| (edge.consumer, edge.provider));
            edges.dedup_by_key(|edge| (edge.consumer, edge.provider));
            Case { live, target, edges }
        })
    })
}
