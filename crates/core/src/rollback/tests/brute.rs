//! Small systems as numbers, and every set of moves tried: no code shared with the search.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{RollbackTarget, Shop, service, shop};
use crate::rollback::{Request, Revert, RollbackError};

/// Versions are 1 to 4, and the highest is pinned.
type V = u8;

/// Versions as bits, from 1 on.
type Bits = u8;

/// A system, and who shall go back where to.
#[derive(Debug, Clone)]
struct Case {
    services: Vec<Service>,
    edges: Vec<Edge>,
    asked: Vec<(usize, V)>,
    /// Where no range speaks, only pairs that were pinned together before shall come together.
    seen: bool,
}

#[derive(Debug, Clone, Copy)]
struct Service {
    pinned: V,
    proven: Bits,
    held: Hold,
    floor: V,
    /// For how many commits each version stood, but the last one.
    stood: [usize; 3],
}

#[derive(Debug, Clone, Copy)]
enum Hold {
    None,
    Above(V),
    Only(V),
}

/// What each version of a consumer needs of a provider: none, or these versions.
#[derive(Debug, Clone)]
struct Edge {
    consumer: usize,
    provider: usize,
    accepts: [Option<Bits>; 4],
}

fn bit(version: V) -> Bits {
    1 << (version - 1)
}

impl Service {
    fn may_run(self, version: V) -> bool {
        let held = match self.held {
            Hold::None => false,
            Hold::Above(limit) => version > limit,
            Hold::Only(only) => version == only,
        };
        !held && version >= self.floor
    }

    /// What was pinned after each commit.
    fn line(self) -> Vec<V> {
        let stood = |version: V| self.stood.get(usize::from(version) - 1).copied().unwrap_or(1);
        let line = (1..=self.pinned).flat_map(|it| vec![it; if it == self.pinned { 1 } else { stood(it) }]);
        line.collect()
    }
}

impl Edge {
    fn ok(&self, x: V, y: V) -> bool {
        self.accepts[usize::from(x) - 1].is_none_or(|accepts| accepts & bit(y) != 0)
    }
}

impl Case {
    fn shop(&self) -> Shop {
        let mut text = String::new();
        for (number, it) in self.services.iter().enumerate() {
            let line = it.line();
            let moved = |at: usize| at == 0 || line[at - 1] != line[at];
            let pin = |at: usize| if moved(at) { self.pin(number, line[at]) } else { "-".to_owned() };
            let pins: Vec<String> = (0..line.len()).map(pin).collect();
            write!(text, "{}: {} //", name(number), pins.join("; ")).unwrap();
            match it.held {
                Hold::None => {}
                Hold::Above(limit) => write!(text, "hold: {{above: \"{limit}\"}} & ").unwrap(),
                Hold::Only(only) => write!(text, "hold: {{versions: \"={only}\"}} & ").unwrap(),
            }
            if it.floor > 0 { writeln!(text, "rollbackFloor: \"{}\"", it.floor).unwrap() } else { text.push('\n') }
        }
        shop(&text)
    }

    fn pin(&self, number: usize, version: V) -> String {
        let proven = if self.services[number].proven & bit(version) != 0 { "!" } else { "" };
        let needs = self.edges.iter().filter(|edge| edge.consumer == number);
        let needs = needs.filter_map(|edge| Some((edge.provider, edge.accepts[usize::from(version) - 1]?)));
        let needs: Vec<String> = needs.map(|(provider, bits)| format!("{} {}", name(provider), range(bits))).collect();
        let needs = if needs.is_empty() { String::new() } else { format!(" needs {}", needs.join(", ")) };
        format!("{version}{proven}{needs}")
    }

    /// Whether these moves may be made, fit, and have an order; 0 stays.
    fn is_valid(&self, moves: &[V]) -> bool {
        let after = self.after(moves);
        let goes = |number: usize| moves[number] > 0;
        let fits = |edge: &Edge| {
            let (x, y) = (after[edge.consumer], after[edge.provider]);
            !goes(edge.consumer) && !goes(edge.provider) || edge.ok(x, y) && (!self.seen || self.is_known(edge, x, y))
        };
        let may_run = |number: usize| !goes(number) || self.services[number].may_run(moves[number]);
        (0..moves.len()).all(may_run) && self.edges.iter().all(fits) && self.has_order(moves)
    }

    /// A range speaks of these versions, or there was a commit with which both were pinned, and a later one with which
    /// one of them was not.
    fn is_known(&self, edge: &Edge, x: V, y: V) -> bool {
        if edge.accepts[usize::from(x) - 1] != Some(15) {
            return true;
        }
        let [one, other] = [edge.consumer, edge.provider].map(|it| self.services[it].line());
        let longest = self.services.iter().map(|it| it.line().len()).max().unwrap();
        let at = |line: &[V], place: usize| *line.get(place).unwrap_or(line.last().unwrap());
        let together: Vec<bool> = (0..longest).map(|it| at(&one, it) == x && at(&other, it) == y).collect();
        together.windows(2).any(|both| both[0] && !both[1])
    }

    fn after(&self, moves: &[V]) -> Vec<V> {
        moves.iter().zip(&self.services).map(|(&to, it)| if to > 0 { to } else { it.pinned }).collect()
    }

    /// Whether some sequence of safe starts and finishes makes all the moves. A service has not started, has, or has
    /// finished.
    fn has_order(&self, moves: &[V]) -> bool {
        let goal: Vec<u8> = moves.iter().map(|&to| if to > 0 { 2 } else { 0 }).collect();
        let first = vec![0; moves.len()];
        let (mut seen, mut pending) = (HashSet::from([first.clone()]), vec![first]);
        while let Some(state) = pending.pop() {
            if state == goal {
                return true;
            }
            for number in 0..moves.len() {
                let goes_on = state[number] == 1
                    || state[number] == 0 && moves[number] > 0 && self.is_safe(moves, &state, number);
                let mut then = state.clone();
                then[number] += u8::from(goes_on);
                if goes_on && seen.insert(then.clone()) {
                    pending.push(then);
                }
            }
        }
        false
    }

    fn is_safe(&self, moves: &[V], state: &[u8], number: usize) -> bool {
        let live = |it: usize| match state[it] {
            0 => vec![self.services[it].pinned],
            1 => vec![self.services[it].pinned, moves[it]],
            _ => vec![moves[it]],
        };
        self.edges.iter().filter(|edge| edge.consumer == number || edge.provider == number).all(|edge| {
            let (xs, ys) = (live(edge.consumer), live(edge.provider));
            let broken = !xs.iter().any(|&x| ys.iter().any(|&y| edge.ok(x, y)));
            let safe = if edge.consumer == number {
                ys.iter().all(|&y| edge.ok(moves[number], y))
            } else {
                xs.iter().all(|&x| edge.ok(x, moves[number]))
            };
            broken || safe
        })
    }

    /// What matters most first: how many, how many pins back, how many not proven, who.
    fn cost(&self, moves: &[V]) -> (usize, u32, usize, Vec<usize>) {
        let gone: Vec<usize> = (0..moves.len()).filter(|&number| moves[number] > 0).collect();
        let back = |&number: &usize| u32::from(self.services[number].pinned - moves[number]);
        let unproven = |number: &&usize| self.services[**number].proven & bit(moves[**number]) == 0;
        (gone.len(), gone.iter().map(back).sum(), gone.iter().filter(unproven).count(), gone)
    }

    /// The least cost of all sets that are valid.
    fn least(&self) -> Option<(usize, u32, usize, Vec<usize>)> {
        let mut all = vec![Vec::new()];
        for (number, it) in self.services.iter().enumerate() {
            let asked = self.asked.iter().find(|(asked, _)| *asked == number).map(|&(_, to)| vec![to]);
            let options: Vec<V> = asked.unwrap_or_else(|| (0..it.pinned).collect());
            all =
                all.iter().flat_map(|moves: &Vec<V>| options.iter().map(|&to| [&moves[..], &[to]].concat())).collect();
        }
        let mut by_cost: Vec<_> = all.into_iter().map(|moves| (self.cost(&moves), moves)).collect();
        by_cost.sort();
        by_cost.into_iter().find(|(_, moves)| self.is_valid(moves)).map(|(cost, _)| cost)
    }

    fn revert(&self) -> Result<Revert, RollbackError> {
        let &[(number, to), ..] = &self.asked[..] else { unreachable!("somebody is asked for") };
        let names = self.asked.iter().map(|&(number, _)| service(&name(number))).collect();
        let aim = if self.asked.len() == 1 {
            RollbackTarget::Version(super::version(&to.to_string()))
        } else {
            RollbackTarget::Steps(usize::from(self.services[number].pinned - to))
        };
        let (shop, request) = (self.shop(), Request::Services(names, aim));
        if self.seen { shop.seen(&request) } else { shop.revert(&request) }
    }

    fn moves(&self, revert: &Revert) -> Vec<V> {
        let mut moves = vec![0; self.services.len()];
        for member in &revert.members {
            let number = usize::from(member.service.as_str().as_bytes()[0] - b'a');
            moves[number] = member.to.version.as_str().parse().unwrap();
        }
        moves
    }
}

fn name(number: usize) -> String {
    char::from(b'a' + u8::try_from(number).unwrap()).to_string()
}

fn range(accepts: Bits) -> String {
    if accepts == 15 {
        return "*".to_owned();
    }
    let versions: Vec<String> = (1..=4).filter(|&it| accepts & bit(it) != 0).map(|it| format!("={it}")).collect();
    if versions.is_empty() { ">9".to_owned() } else { versions.join(" || ") }
}

/// One to six services of one to four versions. What is pinned mostly fits, as it does in repositories; what was pinned
/// before, by chance.
fn cases() -> impl Strategy<Value = Case> {
    let held =
        prop_oneof![6 => Just(Hold::None), 1 => (1..=4_u8).prop_map(Hold::Above), 2 => (1..=4_u8).prop_map(Hold::Only)];
    let floor = prop_oneof![4 => Just(0), 1 => 1..=3_u8];
    let stood = [1..=3_usize, 1..=3, 1..=3];
    let one = (1..=4_u8, 0..16_u8, held, floor, stood).prop_map(|(pinned, proven, held, floor, stood)| Service {
        pinned,
        proven,
        held,
        floor,
        stood,
    });
    (vec(one, 1..=6), vec(0..8_usize, 2), any::<bool>()).prop_flat_map(|(mut services, chance, seen)| {
        let count = services.len();
        services[chance[0] % count].pinned = services[chance[0] % count].pinned.max(2);
        let accepts = prop_oneof![1 => Just(None), 2 => Just(Some(15)), 3 => (1..16_u8).prop_map(Some)];
        let edge = (0..count, 0..count, [accepts.clone(), accepts.clone(), accepts.clone(), accepts], 0..8_u8);
        vec(edge, 0..=2 * count).prop_map(move |edges| Case { seen, ..case(&services, edges, &chance) })
    })
}

type DrawnEdge = (usize, usize, [Option<Bits>; 4], u8);

fn case(services: &[Service], edges: Vec<DrawnEdge>, chance: &[usize]) -> Case {
    let mut known = BTreeSet::new();
    let drawn = edges
        .into_iter()
        .filter(|&(consumer, provider, ..)| consumer != provider && known.insert((consumer, provider)));
    let edges = drawn.map(|(consumer, provider, mut accepts, odd)| {
        let now = &mut accepts[usize::from(services[consumer].pinned) - 1];
        *now = now.map(|bits| if odd > 0 { bits | bit(services[provider].pinned) } else { bits });
        Edge { consumer, provider, accepts }
    });
    let first = chance[0] % services.len();
    let back = 1 + u8::try_from(chance[1]).unwrap() % (services[first].pinned - 1);
    // A second one goes back by as many pins.
    let second = (first + chance[1]) % services.len();
    let mut asked = vec![(first, services[first].pinned - back)];
    if chance[1] > 4 && second != first && services[second].pinned > back {
        asked.push((second, services[second].pinned - back));
    }
    Case { services: services.to_vec(), edges: edges.collect(), asked, seen: false }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_back_together_is_the_best_of_all_sets_that_fit_and_have_an_order(case in cases()) {
        let found = case.revert().map(|revert| case.moves(&revert));
        match (&found, case.least()) {
            (Ok(moves), Some(least)) => {
                prop_assert!(case.is_valid(moves), "{:?} is not valid", moves);
                prop_assert_eq!(case.cost(moves), least);
            }
            (Err(refusal), None) => prop_assert!(refusal.is_blocked_by_rule(), "{}", refusal),
            (found, least) => prop_assert!(false, "found {:?}, and the best costs {:?}", found, least),
        }
    }

    #[test]
    fn no_floor_is_crossed_and_no_held_version_is_picked(case in cases()) {
        if let Ok(revert) = case.revert() {
            for (&to, it) in case.moves(&revert).iter().zip(&case.services) {
                prop_assert!(to == 0 || it.may_run(to), "{} of {:?}", to, it);
            }
        }
    }

    #[test]
    fn each_member_is_led_to_by_one_before_it_and_what_speaks_against_a_nearer_pin_is_true(case in cases()) {
        let Ok(revert) = case.revert() else { return Ok(()) };
        let mut before = BTreeSet::new();
        for member in &revert.members {
            if let crate::rollback::MemberReason::Unmet(unmet) = &member.why {
                prop_assert!(before.contains(&unmet.consumer) || before.contains(&unmet.provider));
                prop_assert!(unmet.consumer == member.service || unmet.provider == member.service);
            }
            for (version, objection) in &member.passed_over {
                let own = case.services[usize::from(member.service.as_str().as_bytes()[0] - b'a')];
                let is_own = !matches!(objection, crate::rollback::Objection::Unmet(_));
                prop_assert_eq!(is_own, !own.may_run(version.as_str().parse().unwrap()));
            }
            before.insert(member.service.clone());
        }
    }
}
