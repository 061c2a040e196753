//! A server that rewrites images on the way in.

use pintle_core::workload::ImageRewrite;

use super::super::image_rewrites::Rewrites;
use super::super::write;
use super::drift::{at, repinned};
use super::*;
use crate::cluster::WriteReceipt;

/// Pintle wrote 2, and the server made this of it.
fn made(image: &str, verified: bool) -> Workload {
    written(settled(image), "2", verified)
}

fn observed(payments: Workload) -> Observation {
    let mut observed = Observation::default();
    observed.workloads.insert(id("checkout"), Arc::new(settled("acme/checkout:5")));
    observed.workloads.insert(id("payments"), Arc::new(payments));
    observed
}

/// What is said of it, and what would be written.
fn says(mut observed: Observation, rewrites: &Rewrites) -> String {
    let desired = repinned("");
    rewrites.add_to(&mut observed);
    let look = assess(&desired, &observed, at(2_000));
    let payments = desired.graph.ids().find(|&id| desired.graph.name(id).as_str() == "payments").unwrap();
    let writes = write::start_writes(&desired, payments, &look.services[payments.index()]);
    let written: Vec<String> = writes.iter().flat_map(|it| &it.images).map(|(_, _, image)| image.to_string()).collect();
    format!("{}\nto write: {written:?}", said(&desired, &look))
}

/// The answer to a write of 2, in which the container has this image.
fn answered(image: &str) -> Rewrites {
    let (desired, mut rewrites) = (repinned(""), Rewrites::default());
    let look = assess(&desired, &observed(made("acme/payments:1", false)), at(2_000));
    let payments = desired.graph.ids().find(|&id| desired.graph.name(id).as_str() == "payments").unwrap();
    let writes = write::start_writes(&desired, payments, &look.services[payments.index()]);
    let images = vec![("app".to_owned(), image.parse().unwrap())];
    rewrites.answered(&writes[0], &WriteReceipt { resource_version: "11".to_owned(), generation: 4, images });
    rewrites
}

#[test]
fn what_the_server_made_of_the_target_is_the_target_once_the_answer_says_so() {
    let mirrored = || observed(made("mirror.test/payments:2", false));
    assert_snapshot!(says(mirrored(), &Rewrites::default()), @r#"
    runs mirror.test/payments:2 (never pinned), Still
    payments: mirror.test/payments:2 (never pinned) -> 2 (sidegrade)
    to write: ["acme/payments:2"]
    "#);
    assert_snapshot!(says(mirrored(), &answered("mirror.test/payments:2")), @"
    runs 2, Still, to be recorded
    to write: []
    ");
    // The answer says that nothing was rewritten: it was somebody else.
    assert_snapshot!(says(mirrored(), &answered("acme/payments:2")), @r#"
    runs mirror.test/payments:2 (never pinned), Still
    payments: mirror.test/payments:2 (never pinned) -> 2 (sidegrade)
    to write: ["acme/payments:2"]
    "#);
}

#[test]
fn what_is_kept_of_it_is_enough_and_tells_older_pods_too() {
    let mut kept = made("mirror.test/payments:2", true);
    let image = |text: &str| text.parse().unwrap();
    if let Some(state) = &mut kept.state {
        state.image_rewrite =
            Some(ImageRewrite { from: image("acme/payments:2"), to: image("mirror.test/payments:2") });
    }
    assert_snapshot!(says(observed(kept.clone()), &Rewrites::default()), @"
    runs 2, Still
    to write: []
    ");
    let mut rolling = observed(in_mid_rollout(kept.clone()));
    rolling.pods.insert(id("payments"), vec![pod("mirror.test/payments:1", None), pod("mirror.test/payments:2", None)]);
    assert_snapshot!(says(rolling, &Rewrites::default()), @"
    runs 1 and 2, UnderWay
    to write: []
    ");
    let mut by_hand = kept;
    (by_hand.containers, by_hand.image_managers) = (vec![container("acme/payments:1")], vec![manager("kubectl-set")]);
    assert_snapshot!(says(observed(by_hand), &Rewrites::default()), @r#"
    runs 1, Still, drifted
    payments: 1 -> 2 (drift)
    to write: ["acme/payments:2"]
    "#);
}

#[test]
fn containers_of_another_service_are_nobodys_rewritten_ones() {
    let other = observed(made("acme/checkout:2", false));
    assert_snapshot!(says(other, &Rewrites::default()), @"
    runs nothing, Still
    payments is Held: deployment/payments in namespace shop has no container that runs acme/payments; it has app (acme/checkout:2): name them with `containers:`
    to write: []
    ");
}
