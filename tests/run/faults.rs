/// The cache.
mod cache;
/// Ends, and watches that say nothing.
mod ends;
/// The repository.
mod git;
/// Two runs and their lease.
mod leases;
/// One service that is odd, too large, or unwell at the wrong moment.
mod services;
mod story;
mod table;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};

use self::story::{Plan, Trace, story};
use self::table::{Row, TABLE};
use crate::common::proxy::fault::{Kind, Rule};

/// Stories that go on at once. Most of each is waiting.
const AT_ONCE: usize = 12;

/// More calls than without a fault, leases aside: what is begun anew. A loop that asks again at once makes hundreds.
const MORE_CALLS: usize = 40;

#[tokio::test]
async fn whatever_befalls_a_call_the_end_is_the_same_with_as_many_writes_in_order() {
    let began = Instant::now();
    let usual = story(Plan::default()).await;
    let plans: Vec<(&Row, Plan)> = TABLE.iter().flat_map(|row| plans(row, &usual)).collect();
    let runs = plans.into_iter().map(|(row, plan)| {
        let usual = &usual;
        async move {
            let began = Instant::now();
            let ended = AssertUnwindSafe(story(plan)).catch_unwind().await;
            let trace = ended.map_err(|_| "it panicked, see above".to_owned());
            let took = began.elapsed();
            let struck = trace.as_ref().is_ok_and(|trace| trace.hits > 0);
            (row, took, plan, struck, trace.and_then(|trace| judge(&trace, usual)))
        }
    });
    let done: Vec<_> = futures::stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
    let mut table: BTreeMap<&str, (usize, usize, usize, Duration)> = BTreeMap::new();
    let (mut wrong, mut missed) = (Vec::new(), 0);
    for (row, took, plan, struck, verdict) in &done {
        let (count, idle, bad, longest) = table.entry(row.says).or_default();
        *count += 1;
        // On a machine with other things to do a story may not come to some point.
        *idle += usize::from(!struck && verdict.is_ok());
        missed += usize::from(!struck && verdict.is_ok());
        *longest = took.max(longest).to_owned();
        if let Err(why) = verdict {
            *bad += 1;
            wrong.push(format!("{} {}, {:?}: {why}", row.id, row.says, plan.rule));
        }
    }
    for row in TABLE {
        let (count, idle, bad, longest) = table[row.says];
        let idle = if idle == 0 { String::new() } else { format!(", {idle} did not strike") };
        println!("{:<3} {:<60} {count:>3} plans {bad:>3} wrong, at most {longest:.1?}{idle}", row.id, row.says);
    }
    println!("{} plans in {:.0?}, {} wrong, {missed} did not strike", done.len(), began.elapsed(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(missed * 10 <= done.len(), "{missed} of {} did not strike", done.len());
}

/// Points of a row, evenly among the calls that the story makes without a fault.
fn plans<'t>(row: &'t Row, usual: &Trace) -> impl Iterator<Item = (&'t Row, Plan)> {
    // Of some kinds a story makes more or fewer by chance; each makes so many.
    let there = match row.kind {
        Kind::Patch => usual.writes.values().sum(),
        Kind::Any => usual.calls[&Kind::Any] - usual.calls[&Kind::Lease],
        Kind::Lease | Kind::Pods => usual.calls[&row.kind] - 1,
        kind => usual.calls[&kind],
    };
    assert!(there >= row.points, "{} has {there} calls", row.says);
    let point = move |it: usize| if row.points == 1 { 0 } else { it * (there - 1) / (row.points - 1) };
    let rule = move |it| Rule { kind: row.kind, number: point(it), fault: row.fault, lasts: row.lasts };
    (0..row.points).map(move |it| (row, Plan { rule: Some(rule(it)), looks_anew: row.looks_anew }))
}

fn judge(trace: &Trace, usual: &Trace) -> Result<(), String> {
    if trace.writes != usual.writes {
        return Err(format!("writes {:?} instead of {:?}", trace.writes, usual.writes));
    }
    // The lease is renewed for as long as a story lasts.
    let but_leases = |trace: &Trace| trace.calls[&Kind::Any] - trace.calls[&Kind::Lease];
    if but_leases(trace) > but_leases(usual) + MORE_CALLS {
        return Err(format!("calls {:?} instead of {:?}", trace.calls, usual.calls));
    }
    Ok(())
}
