//! What is promised of every state that can be reached.

use stateright::Property;

use super::super::brute::{Aim, Bits, Edge, Health, Work, World, all as bits, bit, versions};
use super::rollout::{Question, Rollout, Said};
use super::state::{Broken, State};

pub(super) fn all() -> Vec<Property<Rollout>> {
    vec![
        Property::always("no write adds a pair that is not ok", |_, state: &State| keeps(state, Broken::Pair)),
        Property::always("no consumer starts beside an unverified provider", |_, state| {
            keeps(state, Broken::Unverified)
        }),
        Property::always("no lockstep where there is an order", |_, state| keeps(state, Broken::Lockstep)),
        Property::always("no write leads into a dead end", |_, state| keeps(state, Broken::DeadEnd)),
        Property::always("rest is the target, or there is no safe sequence", rest_is_the_target),
        Property::always("what fails or hangs stops only what waits for it", only_what_waits_stops),
        Property::always("once faults have stopped the target is reached", arrives),
    ]
}

fn keeps(state: &State, promise: Broken) -> bool {
    state.broken != Some(promise)
}

/// The writer sees everything as it is, and does nothing.
fn at_rest(model: &Rollout, state: &State) -> Option<Said> {
    let idle = state.pass.is_none() && state.seen == state.now && state.broken.is_none();
    let said = idle.then(|| model.says(&state.now, state.revision))?;
    (said.starts == 0).then_some(said)
}

/// The services that are not held.
fn free(model: &Rollout, aim: Aim<'_>) -> Bits {
    bits(model.case.services().filter(|&service| !aim.is_held(service)))
}

fn are_there(model: &Rollout, world: &World, aim: Aim<'_>) -> bool {
    model.case.services().all(|it| aim.is_held(it) || model.case.is_there(world, aim, it))
}

/// Where nothing is under way and nothing has failed, each service is where rule 1 leaves it, or no safe sequence takes
/// it there; and each that is not there is spoken of.
fn rest_is_the_target(model: &Rollout, state: &State) -> bool {
    if model.works().any(|number| state.now[number].health != Health::Well) {
        return true;
    }
    let Some(said) = at_rest(model, state) else { return true };
    let aim = model.aim(&state.now, state.revision);
    model.case.services().all(|it| {
        let there = model.case.is_there(&state.now, aim, it);
        let spoken_of = said.spoken_of & 1 << it != 0;
        there || spoken_of && (aim.is_held(it) || !model.reaches(state.now, state.revision, aim, 1 << it))
    })
}

/// Where the writer rests, whatever is under way may hang for ever and whatever has failed may stay so. Then each open
/// service whose start is safe (rules 2 and 4) waits for a provider that is not verified (rule 3), or lets a step go
/// first that hangs, or one that waits for such a step (rule 5).
fn only_what_waits_stops(model: &Rollout, state: &State) -> bool {
    if at_rest(model, state).is_none() {
        return true;
    }
    let (case, now) = (&model.case, &state.now);
    let aim = model.aim(now, state.revision);
    let open: Vec<usize> =
        case.services().filter(|&it| case.is_open(now, aim, it) && case.is_safe(now, aim, it)).collect();
    let mut waiting = bits(open.iter().copied().filter(|&it| case.unverified(now, aim, it).next().is_some()));
    loop {
        let excused = |&it: &usize| {
            firsts(model, now, aim, it)
                .any(|(edge, first)| waiting & 1 << first != 0 || hangs(model, now, aim, edge, first))
        };
        let more = waiting | bits(open.iter().copied().filter(excused));
        if more == waiting {
            return open.iter().all(|&it| waiting & 1 << it != 0);
        }
        waiting = more;
    }
}

/// Whether a step that goes first on this edge holds up the other end: as a consumer only until it has left what it
/// comes from, because its health may depend on the other end.
fn hangs(model: &Rollout, world: &World, aim: Aim<'_>, edge: &Edge, first: usize) -> bool {
    let left = model.case.live(world, first) == model.case.aims(world, aim, first);
    model.case.works(world, first).any(|work| work.health == Health::UnderWay) && (edge.provider == first || !left)
}

/// Rule 5, by its words: whom a service lets go first, if they can.
fn firsts<'a>(
    model: &'a Rollout,
    world: &'a World,
    aim: Aim<'a>,
    service: usize,
) -> impl Iterator<Item = (&'a Edge, usize)> + 'a {
    let goes_up = move |it: usize| {
        let aims = model.case.aims(world, aim, it);
        let origins = || versions(model.case.live(world, it) & !aims & !bit(0));
        versions(aims).all(|target| origins().all(|origin| origin < target))
    };
    let edges = model.case.around(service).filter(move |edge| !model.case.restricts_nothing(world, aim, edge));
    edges.filter_map(move |edge| {
        let (first, goes_first) = if edge.consumer == service {
            (edge.provider, goes_up(edge.provider))
        } else {
            (edge.consumer, !goes_up(service) && model.case.works(world, service).any(Work::has_ready_pod))
        };
        goes_first.then_some((edge, first))
    })
}

/// The targets could be reached, and after the last write they cannot.
pub(super) fn leads_astray(model: &Rollout, before: &World, state: &State) -> bool {
    let aim = model.aim(before, state.revision);
    let goal = free(model, aim);
    let reaches = |world| model.reaches(world, state.revision, aim, goal);
    reaches(*before) && !reaches(state.now)
}

/// From here, if nothing fails any more, what has failed on its target gets well, and no revision follows.
fn arrives(model: &Rollout, state: &State) -> bool {
    if state.pass.is_some() || state.broken.is_some() {
        return true;
    }
    model.answer(Question::Arrives, (state.now, state.revision), || {
        let aim = model.aim(&state.now, state.revision);
        are_there(model, &straight_on(model, state.now, state.revision), aim)
            || !model.reaches(state.now, state.revision, aim, free(model, aim))
    })
}

/// Passes without a hitch, until nothing moves any more.
fn straight_on(model: &Rollout, mut world: World, revision: u8) -> World {
    let targets = model.targets(revision);
    loop {
        let before = world;
        let said = model.says(&world, revision);
        for it in model.case.services().filter(|it| said.starts & 1 << it != 0) {
            world = model.case.start(world, it, targets[it]);
        }
        let aim = model.aim(&world, revision);
        let ending: Vec<usize> = model.works().filter(|&number| model.case.ends(&world, aim, number)).collect();
        for number in ending {
            world[number].finish();
        }
        if world == before {
            return world;
        }
    }
}
