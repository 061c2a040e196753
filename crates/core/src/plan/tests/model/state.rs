//! What can happen to a small system and its writer, one thing at a time.

use stateright::{Model, Property};

use super::super::brute::{Aim, Bits, Health, V, World, bit, versions};
use super::promises;
use super::rollout::Rollout;

/// The cluster, and all that the writer has in its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// The workloads as they are.
    pub(super) now: World,
    /// As the writer sees them: now, or as they were at some time after its last write to them.
    pub(super) seen: World,
    /// The tip of the branch.
    pub(super) revision: u8,
    /// The pass that goes on.
    pub(super) pass: Option<Pass>,
    faults: u8,
    /// The promise that the last step has broken.
    pub(super) broken: Option<Broken>,
}

/// A pass that has been decided, in the midst of its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pass {
    revision: u8,
    /// The workloads still to be written, as bits.
    left: Bits,
    /// The edges that rule 4 exempts, or the lockstep of rule 6, as bits.
    exempt: u16,
}

/// Promises that a single step can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Broken {
    /// A write added a pair that is not ok.
    Pair,
    /// A consumer was started beside a provider that is not verified.
    Unverified,
    /// A lockstep group was started although there is an order.
    Lockstep,
    /// The targets could be reached before a write, and cannot be reached after it.
    DeadEnd,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A pass begins: `next` decides on what is seen.
    Look,
    /// The pass writes one workload, or is refused by the fence.
    Write(usize),
    /// The pass dies.
    Kill,
    /// The writer sees the workload as it is.
    See(usize),
    /// The last pod of an older version ends.
    End(usize, V),
    /// What was written is verified.
    Finish(usize),
    /// What was written fails; with or without a ready pod left.
    Fail(usize, Health),
    /// What has failed is on its way again.
    Recover(usize),
    /// Another revision becomes the tip.
    Revise,
}

impl Rollout {
    /// Decides on what is seen.
    fn look(&self, state: &mut State) {
        let said = self.says(&state.seen, state.revision);
        let aim = self.aim(&state.seen, state.revision);
        let starts = || self.case.services().filter(|it| said.starts & 1 << it != 0);
        let left = starts().map(|it| self.writes(&state.seen, it, aim.targets[it])).fold(0, |all, it| all | it);
        let exempt = self.case.edges.iter().map(|edge| {
            let both = 1 << edge.consumer | 1 << edge.provider;
            said.together & both == both || self.case.restricts_nothing(&state.seen, aim, edge)
        });
        let exempt = exempt.enumerate().map(|(number, exempt)| u16::from(exempt) << number).sum();
        state.pass = (left != 0).then_some(Pass { revision: state.revision, left, exempt });
        state.broken = match () {
            () if starts().any(|it| self.case.unverified(&state.seen, aim, it).next().is_some()) => {
                Some(Broken::Unverified)
            }
            () if said.together != 0 && self.case.reaches(self.hung(state.seen, aim), aim, said.together) => {
                Some(Broken::Lockstep)
            }
            () => None,
        };
    }

    /// The same where what was superseded never ends: rule 6 does not wait for it.
    fn hung(&self, mut world: World, aim: Aim<'_>) -> World {
        for (work, &owner) in world.iter_mut().zip(&self.case.owners) {
            if work.health == Health::UnderWay && work.spec != aim.targets[owner] && !aim.is_held(owner) {
                work.health = Health::Failed;
            }
        }
        world
    }

    /// Writes one workload, unless it is another one than was seen. Its old pods may have ended meanwhile: the fence
    /// does not know of them.
    fn write(&self, state: &mut State, number: usize) {
        let Some(pass) = &mut state.pass else { return };
        pass.left &= !(1 << number);
        let (before, pass) = (state.now, *pass);
        if pass.left == 0 {
            state.pass = None;
        }
        let (now, seen) = (&mut state.now[number], &mut state.seen[number]);
        if (now.spec, now.health) != (seen.spec, seen.health) {
            return;
        }
        let service = self.case.owners[number];
        let target = self.targets(pass.revision)[service];
        now.write(target);
        seen.write(target);
        state.broken = match () {
            () if !self.adds_only_ok_pairs(&before, pass, service) => Some(Broken::Pair),
            () if pass.revision == state.revision && promises::leads_astray(self, &before, state) => {
                Some(Broken::DeadEnd)
            }
            () => None,
        };
    }

    /// Looks at what really runs; what ran already is not added.
    fn adds_only_ok_pairs(&self, before: &World, pass: Pass, service: usize) -> bool {
        let target = bit(self.targets(pass.revision)[service]);
        let restricting = self.case.edges.iter().enumerate().filter(|(number, _)| pass.exempt & 1 << number == 0);
        self.case.live(before, service) & target != 0
            || restricting.map(|(_, edge)| edge).all(|edge| match service {
                it if it == edge.consumer => edge.all_ok(target, self.case.live(before, edge.provider)),
                it if it == edge.provider => edge.all_ok(self.case.live(before, edge.consumer), target),
                _ => true,
            })
    }
}

impl Model for Rollout {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let now = self.case.world();
        vec![State { now, seen: now, revision: 0, pass: None, faults: self.faults, broken: None }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken.is_some() {
            return;
        }
        if let Some(pass) = state.pass {
            let left = self.works().filter(|number| pass.left & 1 << number != 0);
            actions.extend(left.map(Action::Write).chain([Action::Kill]));
        } else {
            actions.push(Action::Look);
            actions.extend(self.works().filter(|&number| state.seen[number] != state.now[number]).map(Action::See));
        }
        for (number, work) in self.works().zip(state.now) {
            if work.health != Health::Well {
                actions.extend(versions(work.old).map(|version| Action::End(number, version)));
            }
            match work.health {
                Health::UnderWay => actions.push(Action::Finish(number)),
                Health::Failed | Health::Down => actions.push(Action::Recover(number)),
                Health::Well => {}
            }
            if work.health == Health::UnderWay && state.faults > 0 {
                actions.extend([Health::Failed, Health::Down].map(|health| Action::Fail(number, health)));
            }
        }
        actions.extend((usize::from(state.revision) + 1 < self.revisions.len()).then_some(Action::Revise));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Look => self.look(&mut state),
            Action::Write(number) => self.write(&mut state, number),
            Action::Kill => state.pass = None,
            Action::See(number) => state.seen[number] = state.now[number],
            Action::End(number, version) => state.now[number].old &= !bit(version),
            Action::Finish(number) => state.now[number].finish(),
            Action::Fail(number, health) => {
                state.now[number].health = health;
                state.faults -= 1;
            }
            Action::Recover(number) => state.now[number].health = Health::UnderWay,
            Action::Revise => state.revision += 1,
        }
        (state != *last).then_some(state)
    }

    fn within_boundary(&self, state: &State) -> bool {
        self.works().filter(|&number| state.seen[number] != state.now[number]).count() <= self.lag
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all()
    }
}
