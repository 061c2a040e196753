//! The systems that are walked: shapes chosen by hand, and more by chance.

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::super::brute::{Case, Edge, V, cases};
use super::rollout::Rollout;

/// A shape: live versions, targets, and `consumer version provider accepted` as numbers.
fn case(live: &[V], target: &[V], needs: &[(usize, V, usize, &[V])]) -> Case {
    let mut edges: Vec<Edge> = Vec::new();
    for &(consumer, version, provider, accepted) in needs {
        let known = edges.iter().position(|edge| (edge.consumer, edge.provider) == (consumer, provider));
        let at = known.unwrap_or_else(|| {
            edges.push(Edge { consumer, provider, accepts: [None; 3] });
            edges.len() - 1
        });
        let bits = accepted.iter().map(|y| 1 << (y - 1)).sum();
        edges[at].accepts[usize::from(version) - 1] = Some(bits);
    }
    edges.sort_by_key(|edge| (edge.consumer, edge.provider));
    Case { live: live.to_vec(), target: target.to_vec(), edges, owners: (0..live.len()).collect(), lockstep: 0 }
}

const ALL: &[V] = &[1, 2, 3];

pub(super) fn by_hand() -> Vec<(String, Rollout)> {
    let mut rollouts = Vec::new();
    let mut add = |name: &str, case: Case, lockstep: &[usize], later: &[Vec<V>], bounds| {
        rollouts.push((name.to_owned(), Rollout::new(case, lockstep, later, bounds)));
    };
    // a needs b >= its own version.
    let pair = |live, target| case(live, target, &[(0, 1, 1, ALL), (0, 2, 1, &[2, 3]), (0, 3, 1, &[3])]);
    add("pair up, reverted", pair(&[1, 1], &[2, 2]), &[], &[vec![1, 1]], (2, 2));
    add("pair down, then further up", pair(&[2, 2], &[1, 1]), &[], &[vec![3, 3]], (2, 2));
    add("pair deployed, reverted, held", pair(&[0, 0], &[2, 2]), &[], &[vec![1, 1], vec![1, 0]], (2, 2));
    add("pair skips a revision", pair(&[1, 1], &[2, 2]), &[], &[vec![3, 3], vec![1, 1]], (1, 2));

    let workloads = |mut case: Case, owners: &[usize]| {
        case.owners = owners.to_vec();
        case
    };
    add("pair of two workloads each", workloads(pair(&[1, 1], &[2, 2]), &[0, 0, 1, 1]), &[], &[vec![1, 1]], (1, 1));

    let repair = case(&[1, 0], &[3, 2], &[(0, 1, 1, &[1, 2]), (0, 2, 1, &[2]), (0, 3, 1, &[2, 3])]);
    add("a deploy that repairs, reverted", workloads(repair, &[0, 1, 1]), &[], &[vec![1, 1]], (1, 2));

    // a needs what b is, exactly, and b accepts any.
    let exact = &[(0, 1, 1, &[1][..]), (0, 2, 1, &[2]), (0, 3, 1, &[3])];
    add("circle, refused", case(&[1, 1], &[2, 2], exact), &[], &[vec![1, 1]], (2, 2));
    add("circle in lockstep", case(&[1, 1], &[2, 2], exact), &[0, 1], &[vec![1, 1]], (2, 2));
    add("circle in lockstep, then on", case(&[1, 1], &[2, 2], exact), &[0, 1], &[vec![3, 3]], (1, 2));

    let free =
        |consumer, provider| [(consumer, 1, provider, ALL), (consumer, 2, provider, ALL), (consumer, 3, provider, ALL)];
    let two_way: Vec<_> = free(0, 1).into_iter().chain(free(1, 0)).chain(free(1, 2)).collect();
    add("two-way needs", case(&[1, 1, 1], &[2, 2, 2], &two_way), &[], &[vec![1, 1, 1]], (1, 1));
    add("mixed up and down", case(&[1, 2, 1], &[2, 1, 2], &two_way), &[], &[vec![1, 2, 1]], (1, 1));

    let chain = &[(0, 1, 1, ALL), (0, 2, 1, &[2, 3][..]), (1, 1, 2, ALL), (1, 2, 2, &[2, 3])];
    add("chain up, reverted", case(&[1, 1, 1], &[2, 2, 2], chain), &[], &[vec![1, 1, 1]], (2, 2));
    let diamond =
        &[(0, 2, 1, &[2, 3][..]), (0, 2, 2, &[2, 3]), (1, 2, 3, &[2, 3]), (2, 1, 3, &[1, 2]), (2, 2, 3, &[2])];
    add("diamond up, reverted", case(&[1; 4], &[2; 4], diamond), &[], &[vec![1; 4]], (1, 1));
    rollouts
}

/// Systems of a fixed seed in which something is to be done, each with a second revision.
pub(super) fn by_chance(count: usize) -> impl Iterator<Item = (String, Rollout)> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config { max_local_rejects: 1_000_000, ..Config::default() }, rng);
    let moves = |case: &Case| {
        let aim = case.aim(&case.world(), &case.target);
        case.services().filter(|&it| case.is_open(&case.world(), aim, it)).count() > 1 && !case.edges.is_empty()
    };
    let strategy = (cases().prop_filter("nothing moves", moves), vec(0..=3_u8, 4), 0..3_usize, 0..3_usize);
    (0..count).map(move |number| {
        let (mut case, mut later, lockstep, workloads) = strategy.new_tree(&mut runner).unwrap().current();
        later.truncate(case.live.len());
        let lockstep: &[usize] = if lockstep == 0 { &[0, 1] } else { &[] };
        if workloads == 0 && case.live.len() < 4 {
            case.owners.push(0);
        }
        let bounds = if case.owners.len() < 4 { (2, 2) } else { (1, 1) };
        (format!("by chance {number}"), Rollout::new(case, lockstep, &[later], bounds))
    })
}
