//! A model checker over `next`: everything that can happen to small systems, in every order.

mod promises;
mod rollout;
mod state;
mod systems;

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};
use systems::{by_chance, by_hand};

/// How many systems are made by chance.
const BY_CHANCE: usize = 40;

#[test]
#[expect(clippy::disallowed_methods, reason = "more systems for a longer run, and how long it took")]
fn what_is_promised_holds_in_every_state_that_can_be_reached() {
    let by_chance_count = std::env::var("PINTLE_MODEL_SYSTEMS").map_or(BY_CHANCE, |n| n.parse().unwrap());
    let began = Instant::now();
    let mut broken = Vec::new();
    let (mut systems, mut states, mut steps) = (0, 0, 0);
    for (name, rollout) in by_hand().into_iter().chain(by_chance(by_chance_count)) {
        let text = format!("{name}: {:?}, then {:?}", rollout.case, &rollout.revisions[1..]);
        let started = Instant::now();
        let checker = rollout.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        for (promise, path) in checker.discoveries() {
            let last = *path.last_state();
            broken.push(format!("{promise}\n{text}\n{:?}\n{last:?}\n", path.into_actions()));
        }
        println!("{name}: {} states, {:?}", checker.unique_state_count(), started.elapsed());
        systems += 1;
        states += checker.unique_state_count();
        steps += checker.state_count();
    }
    println!("{systems} systems, {states} states, {steps} steps between them, {:.0?}", began.elapsed());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
