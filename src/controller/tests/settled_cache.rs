//! What is recalled of a service is what a look at it shows.

use std::sync::Arc;

use jiff::Timestamp;
use pintle_core::workload::Workload;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{container, desired, id, in_mid_rollout, manager, pauses, pod, settled, written};
use crate::cluster::{ClusterError, Observation};
use crate::controller::assess;
use crate::controller::settled_cache::SettledCache;

/// What may come to be of a workload, or of the time.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Runs(&'static str),
    Stays,
    MidRollout,
    Moved,
    Written(bool),
    Paused,
    Scaled(i32),
    Deleting,
    Gone,
    Pods(Option<&'static str>),
    NoPods,
    Templates,
    Idle,
    Unknown,
    Later(i64),
    /// The schedule's time comes, and passes.
    Due,
}

fn turns() -> impl Strategy<Value = Vec<(&'static str, Turn)>> {
    use Turn::*;
    let turn = prop_oneof![
        4 => select(vec!["acme/payments:1", "acme/payments:2", "acme/checkout:5", "other:1"]).prop_map(Runs),
        4 => Just(Stays),
        2 => Just(MidRollout),
        2 => Just(Moved),
        2 => any::<bool>().prop_map(Written),
        1 => Just(Paused),
        1 => (0..3).prop_map(Scaled),
        1 => Just(Deleting),
        1 => Just(Gone),
        2 => proptest::option::of(Just("ImagePullBackOff")).prop_map(Pods),
        2 => Just(NoPods),
        1 => Just(Templates),
        1 => Just(Idle),
        1 => Just(Unknown),
        2 => (1..2_000_i64).prop_map(Later),
        1 => Just(Due),
    ];
    vec((select(vec!["payments", "checkout"]), turn), 1..40)
}

impl Turn {
    fn take(self, name: &str, observed: &mut Observation, now: &mut i64) {
        let id = id(name);
        let fresh = || Arc::new(settled(&format!("acme/{name}:1")));
        let mut change = |change: &dyn Fn(Workload) -> Workload| {
            let workload = observed.workloads.entry(id.clone()).or_insert_with(fresh);
            *workload = Arc::new(change(Workload::clone(workload)));
        };
        match self {
            Self::Runs(image) => change(&|it| Workload { containers: vec![container(image)], ..it }),
            Self::Stays | Self::Due => {}
            Self::MidRollout => change(&in_mid_rollout),
            Self::Moved => change(&|it| Workload {
                image_managers: vec![manager("kubectl-set")],
                containers: vec![container("acme/payments:1")],
                ..written(it, "2", true)
            }),
            Self::Written(verified) => change(&|it| written(it, "2", verified)),
            Self::Paused => {
                let pause = pauses::pause(*now, *now + 500);
                change(&|it| Workload { pause: Some(pause.clone()), ..it });
            }
            Self::Scaled(replicas) => change(&|it| Workload { replicas: Some(replicas), ..it }),
            Self::Deleting => change(&|it| Workload { deleting: true, ..it }),
            Self::Gone => drop(observed.workloads.remove(&id)),
            Self::Pods(reason) => drop(observed.pods.insert(id, vec![pod(&format!("acme/{name}:2"), reason)])),
            Self::NoPods => {
                observed.pods.remove(&id);
                observed.templates.remove(&id);
                observed.idle_reasons.remove(&id);
                observed.unobservable.remove(&id);
            }
            Self::Templates => drop(observed.templates.insert(id, vec![container(&format!("acme/{name}:1"))])),
            Self::Idle => drop(observed.idle_reasons.insert(id, "it ended".to_owned())),
            Self::Unknown => drop(observed.unobservable.insert(id.clone(), ClusterError::Unreachable("no".to_owned()))),
            Self::Later(seconds) => *now += seconds,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_recalled_is_what_a_look_shows(turns in turns()) {
        let mut desired = desired("verify: {timeout: 10m}\ndrift: {policy: schedule}\n");
        let (mut recall, mut observed, mut now) = (SettledCache::default(), Observation::default(), 1_000);
        for (name, turn) in turns {
            turn.take(name, &mut observed, &mut now);
            if matches!(turn, Turn::Due) {
                desired.options.scheduled = desired.graph.ids().filter(|id| !desired.options.scheduled.contains(id)).collect();
            }
            let at = Timestamp::from_second(now).unwrap();
            let recalled = recall.assess(&desired, &observed, at);
            prop_assert_eq!(format!("{recalled:#?}"), format!("{:#?}", assess(&desired, &observed, at)));
        }
    }
}

#[test]
fn what_rests_is_not_looked_at_again() {
    let (desired, mut recall, mut observed) = (desired(""), SettledCache::default(), Observation::default());
    observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:5")));
    observed.workloads.insert(id("payments"), Arc::new(settled("acme/payments:2")));
    let mut look = |observed: &Observation| recall.assess(&desired, observed, Timestamp::UNIX_EPOCH).services;
    let first = look(&observed);
    observed.workloads.insert(id("payments"), Arc::new(in_mid_rollout(settled("acme/payments:2"))));
    let second = look(&observed);
    let same = |at: usize| Arc::ptr_eq(&first[at], &second[at]);
    assert_eq!([same(0), same(1)], [true, false]);
}
