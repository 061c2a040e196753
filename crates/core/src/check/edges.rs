//! Checks of needs: ranges must make sense for the provider, and the pinned versions must lie in them.

use std::cmp::Ordering;

use super::{CheckInput, limits, need_at, never_pinned, newest, unpinned_bound_problem, was_never_pinned};
use crate::graph::{EdgeId, ServiceId};
use crate::pins::{Need, Service, ServiceName};
use crate::problem::Problem;
use crate::running::Label;
use crate::version::{RangeError, Version, VersionOrder, VersionRange};

pub(super) fn edge_problems(checked: &CheckInput<'_>, service: &Service, order: &VersionOrder) -> Vec<Problem> {
    let needs = service.pin.depends_on.iter();
    let known = needs.filter_map(|(name, need)| Some((checked.pins.services.get(name)?, need)));
    known.flat_map(|(provider, need)| of_one(checked, (service, order), provider, need)).collect()
}

/// Checks the need for one provider. If a range makes no sense, the pins are not checked against it.
fn of_one(
    checked: &CheckInput<'_>,
    (service, order): (&Service, &VersionOrder),
    provider: &Service,
    need: &Need,
) -> Vec<Problem> {
    let Some(of_provider) = checked.order(&provider.name) else { return Vec::new() };
    let rows: Vec<&VersionRange> = match need {
        Need::Range(range) => vec![range],
        Need::Table(rows) => rows.iter().map(|(_, range)| range).collect(),
    };
    let bad =
        rows.iter().enumerate().filter_map(|(row, range)| bad_range(service, (provider, of_provider), row, range));
    let bad: Vec<Problem> = bad.collect();
    if !bad.is_empty() {
        return bad;
    }
    let misfit = misfit_problem(checked, service, provider);
    let fits = misfit.is_none();
    let unknown = rows.iter().filter(|_| fits).filter_map(|range| never_pinned(range, of_provider));
    let unknown = unknown.map(|bound| {
        unpinned_bound_problem(service, "bound", (&provider.name, bound), &need_at(service, &provider.name))
    });
    let table = match need {
        Need::Range(_) => Vec::new(),
        Need::Table(rows) => of_table(checked, (service, order), &provider.name, rows),
    };
    misfit.into_iter().chain(unknown).chain(table).collect()
}

/// Reports a range that does not fit the provider's versioning, or that no version can lie in.
fn bad_range(
    service: &Service,
    (provider, order): (&Service, &VersionOrder),
    row: usize,
    range: &VersionRange,
) -> Option<Problem> {
    let name = &provider.name;
    let at = service.needs_at.get(name).and_then(|at| at.ranges.get(row)).cloned();
    let at = at.unwrap_or_else(|| need_at(service, name));
    let problem = |wrong: &str, RangeError { message, hint, .. }: RangeError| {
        let message = format!("`{range}` {wrong} `{name}`: {message}");
        Problem { hint, ..Problem::error(message, at.clone()).for_service(&service.name) }
    };
    if let Err(error) = range.check_order(order) {
        let looks = format!("its versions look like {}", provider.pin.version);
        return Some(problem("is no range for", error).also(provider.version_at.clone(), looks));
    }
    range.check_satisfiable(order).err().map(|error| problem("accepts nothing of", error))
}

/// Warns about rows of a table whose consumer version has no effect.
fn of_table(
    checked: &CheckInput<'_>,
    (service, order): (&Service, &VersionOrder),
    provider: &ServiceName,
    rows: &[(Version, VersionRange)],
) -> Vec<Problem> {
    let unknown = rows.iter().map(|(from, _)| from).filter(|from| was_never_pinned(from, order));
    let at = need_at(service, provider);
    let tell = |from: &Version| unpinned_bound_problem(service, "row", (&service.name, from), &at);
    unknown.map(tell).chain(starts_later(checked, (service, order), provider, rows)).collect()
}

/// Warns that no row of a table covers the pinned version, which thus needs nothing. If that version was pinned without
/// this need before, the gap is intended and not reported.
fn starts_later(
    checked: &CheckInput<'_>,
    (service, order): (&Service, &VersionOrder),
    provider: &ServiceName,
    rows: &[(Version, VersionRange)],
) -> Option<Problem> {
    let (name, pinned) = (&service.name, &service.pin.version);
    let later = |(from, _): &(Version, VersionRange)| order.compare(pinned, from) == Some(Ordering::Less);
    let first = rows.iter().filter(|row| later(row)).map(|(from, _)| from);
    let first = first.reduce(|a, b| if order.compare(b, a) == Some(Ordering::Less) { b } else { a })?;
    let before = checked.history.records(name).iter().filter_map(|record| record.pin.as_ref());
    let never_needed = || before.clone().any(|pin| pin.version == *pinned && !pin.depends_on.contains_key(provider));
    if !rows.iter().all(later) || never_needed() {
        return None;
    }
    let message =
        format!("`{name}` {pinned} needs nothing of `{provider}`: the first row of this table is for {first}");
    let hint = format!("if it needs some version of it already, add a row, as in `\"{pinned}\": \"*\"`");
    Some(Problem::warning(message, need_at(service, provider)).for_service(name).hint(hint))
}

/// Reports a pinned provider version outside the range that the pinned consumer version needs.
fn misfit_problem(checked: &CheckInput<'_>, service: &Service, provider: &Service) -> Option<Problem> {
    let (edge, range) = edge_between(checked, service, provider)?;
    let (x, y) = (&service.pin.version, &provider.pin.version);
    if checked.graph.is_compatible(edge, Label::Version(x), Label::Version(y)) {
        return None;
    }
    let (consumer, name) = (&service.name, &provider.name);
    let message = format!("`{consumer}` {x} needs `{name}` {range}, but `{name}` is pinned at {y}");
    let pinned = format!("{y} is pinned here");
    let problem =
        Problem::error(message, need_at(service, name)).for_service(consumer).also(provider.version_at.clone(), pinned);
    Some(match never_pinned(range, checked.order(name)?) {
        Some(bound) => problem
            .hint(format!("`{name}` was never pinned at {bound}: no version is known to lie on either side of it")),
        None => problem.hint(repin_hint(checked, service, provider, range)),
    })
}

fn edge_between<'a>(
    checked: &CheckInput<'a>,
    service: &Service,
    provider: &Service,
) -> Option<(EdgeId, &'a VersionRange)> {
    let (consumer, provider) = (checked.graph.id(&service.name)?, checked.graph.id(&provider.name)?);
    let mut edges = checked.graph.needs(consumer).iter().copied();
    let edge = edges.find(|&edge| checked.graph.edge(edge).provider == provider)?;
    Some((edge, checked.graph.required_range(edge, &service.pin.version)?))
}

/// Suggests other pins: versions that were pinned before and are compatible with all current pins.
fn repin_hint(checked: &CheckInput<'_>, service: &Service, provider: &Service, range: &VersionRange) -> String {
    let (consumer, name, y) = (&service.name, &provider.name, &provider.pin.version);
    let back = |service: &Service| {
        let order = checked.order(&service.name)?;
        let fitting = checked.versions(&service.name).filter(|version| may_run(checked, service, version, order));
        newest(fitting, order)
    };
    let mind = provider
        .hold
        .as_ref()
        .map(|hold| format!(" (its hold keeps out versions {})", limits::held_versions_text(hold)));
    let needed = format!("pin `{name}` at {}{}", range.in_words(), mind.unwrap_or_default());
    match (back(provider), back(service)) {
        (Some(fitting), Some(accepting)) => {
            format!(
                "pin `{name}` at {fitting}, or `{consumer}` at {accepting}, which accepts {y}; both were pinned before"
            )
        }
        (Some(fitting), None) => format!("pin `{name}` at {fitting}, which was pinned before"),
        (None, Some(accepting)) => {
            format!("pin `{consumer}` at {accepting}, which accepts {y} and was pinned before, or {needed}")
        }
        (None, None) => needed,
    }
}

/// Returns whether a version is within its service's limits and compatible with the pins of all neighbours.
fn may_run(checked: &CheckInput<'_>, service: &Service, version: &Version, order: &VersionOrder) -> bool {
    let graph = checked.graph;
    let fits = |id: ServiceId| {
        graph.neighbours(id).all(|(edge, other)| {
            let Some(other) = checked.pins.services.get(graph.name(other)) else { return true };
            let (version, other) = (Label::Version(version), Label::Version(&other.pin.version));
            if graph.edge(edge).consumer == id {
                graph.is_compatible(edge, version, other)
            } else {
                graph.is_compatible(edge, other, version)
            }
        })
    };
    limits::is_within_limits(service, version, order) && graph.id(&service.name).is_some_and(fits)
}
