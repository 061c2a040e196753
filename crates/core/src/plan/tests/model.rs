//! A model checker over `next`: everything that can happen to small systems, in every order.

mod promises;
mod rollout;
mod state;
mod systems;

use stateright::{Checker, HasDiscoveries, Model};
use systems::{by_chance, by_hand};

/// How many systems are made by chance.
const BY_CHANCE: usize = 40;

/// The same for a run by hand.
const LONG_RUN: usize = 1000;

#[test]
fn what_is_promised_holds_in_every_state_that_can_be_reached() {
    hold_in_every_state(BY_CHANCE);
}

#[test]
#[ignore = "takes many minutes"]
fn what_is_promised_holds_in_many_more_systems() {
    hold_in_every_state(LONG_RUN);
}

fn hold_in_every_state(by_chance_count: usize) {
    let mut broken = Vec::new();
    let (mut systems, mut states, mut steps) = (0, 0, 0);
    for (name, rollout) in by_hand().into_iter().chain(by_chance(by_chance_count)) {
        let text = format!("{name}: {:?}, then {:?}", rollout.case, &rollout.revisions[1..]);
        let checker = rollout.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        for (promise, path) in checker.discoveries() {
            let last = *path.last_state();
            broken.push(format!("{promise}\n{text}\n{:?}\n{last:?}\n", path.into_actions()));
        }
        println!("{name}: {} states", checker.unique_state_count());
        systems += 1;
        states += checker.unique_state_count();
        steps += checker.state_count();
    }
    println!("{systems} systems, {states} states, {steps} steps between them");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
