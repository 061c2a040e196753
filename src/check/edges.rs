//! What a service needs of others: ranges that mean something, and pins that lie in them.

use super::{Checked, has_no_place, need_at, never_pinned, newest};
use crate::graph::{EdgeId, Label};
use crate::pins::{Need, Service, ServiceName};
use crate::problem::Problem;
use crate::version::{Order, Range, RangeError, Version};

pub(super) fn all(checked: &Checked<'_>, service: &Service, order: &Order) -> Vec<Problem> {
    let needs = service.pin.depends_on.iter();
    let known = needs.filter_map(|(name, need)| Some((checked.pins.services.get(name)?, need)));
    known.flat_map(|(provider, need)| of_one(checked, (service, order), provider, need)).collect()
}

/// One provider. A range that means nothing is all that is said; else the pins are looked at too.
fn of_one(
    checked: &Checked<'_>,
    (service, order): (&Service, &Order),
    provider: &Service,
    need: &Need,
) -> Vec<Problem> {
    let Some(of_provider) = checked.order(&provider.name) else { return Vec::new() };
    let meaningless =
        |range: &Range| range.fits(of_provider).err().map(|error| bad_range(service, provider, range, error));
    let rows: Vec<&Range> = match need {
        Need::Range(range) => vec![range],
        Need::Table(rows) => rows.iter().map(|(_, range)| range).collect(),
    };
    let bad: Vec<Problem> = rows.iter().filter_map(|range| meaningless(range)).collect();
    if !bad.is_empty() {
        return bad;
    }
    let misfit = misfit(checked, service, provider);
    let fits = misfit.is_none();
    let unknown = rows.iter().filter(|_| fits).filter_map(|range| never_pinned(range, of_provider));
    let unknown = unknown.map(|bound| unknown_bound(service, &provider.name, bound));
    misfit.into_iter().chain(unknown).chain(unknown_rows(service, order, &provider.name, need)).collect()
}

fn bad_range(service: &Service, provider: &Service, range: &Range, error: RangeError) -> Problem {
    let message = format!("`{range}` is no range for `{}`: {}", provider.name, error.message);
    let problem = Problem::error(message, need_at(service, &provider.name)).of(&service.name);
    let problem = problem.also(provider.version_at.clone(), format!("its versions look like {}", provider.pin.version));
    match error.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn unknown_bound(service: &Service, provider: &ServiceName, bound: &Version) -> Problem {
    let message = format!("`{provider}` was never pinned at {bound}, so this bound says nothing yet");
    let hint = "its versions have the order in which they were first pinned; name one that was, or set `versioning`";
    Problem::warning(message, need_at(service, provider)).of(&service.name).hint(hint)
}

fn unknown_rows(service: &Service, order: &Order, provider: &ServiceName, need: &Need) -> Vec<Problem> {
    let Need::Table(rows) = need else { return Vec::new() };
    let unknown = rows.iter().map(|(from, _)| from).filter(|from| has_no_place(from, order));
    let tell = |from: &Version| {
        let message = format!("`{}` was never pinned at {from}, so this row says nothing yet", service.name);
        Problem::warning(message, need_at(service, provider)).of(&service.name)
    };
    unknown.map(tell).collect()
}

/// The pinned version of the provider lies outside what the pinned version of the consumer needs.
fn misfit(checked: &Checked<'_>, service: &Service, provider: &Service) -> Option<Problem> {
    let (edge, range) = edge_between(checked, service, provider)?;
    let (x, y) = (&service.pin.version, &provider.pin.version);
    if checked.graph.ok(edge, Label::Version(x), Label::Version(y)) {
        return None;
    }
    let (consumer, name) = (&service.name, &provider.name);
    let message = format!("`{consumer}` {x} needs `{name}` {range}, but `{name}` is pinned at {y}");
    let pinned = format!("{y} is pinned here");
    let problem =
        Problem::error(message, need_at(service, name)).of(consumer).also(provider.version_at.clone(), pinned);
    Some(match never_pinned(range, checked.order(name)?) {
        Some(bound) => problem
            .hint(format!("`{name}` was never pinned at {bound}: no version is known to lie on either side of it")),
        None => problem.hint(way_out(checked, service, provider, (edge, range))?),
    })
}

fn edge_between<'a>(checked: &Checked<'a>, service: &Service, provider: &Service) -> Option<(EdgeId, &'a Range)> {
    let (consumer, provider) = (checked.graph.id(&service.name)?, checked.graph.id(&provider.name)?);
    let mut edges = checked.graph.needs(consumer).iter().copied();
    let edge = edges.find(|&edge| checked.graph.edge(edge).provider == provider)?;
    Some((edge, checked.graph.need(edge, &service.pin.version)?))
}

/// Versions that were pinned before and would fit.
fn way_out(
    checked: &Checked<'_>,
    service: &Service,
    provider: &Service,
    (edge, range): (EdgeId, &Range),
) -> Option<String> {
    let (of_consumer, of_provider) = (checked.order(&service.name)?, checked.order(&provider.name)?);
    let (consumer, name, y) = (&service.name, &provider.name, &provider.pin.version);
    let fitting = newest(checked.versions(name).filter(|version| range.contains(version, of_provider)), of_provider);
    let accepts = |x: &Version| checked.graph.ok(edge, Label::Version(x), Label::Version(y));
    let accepting = newest(checked.versions(consumer).filter(|version| accepts(version)), of_consumer);
    Some(match (fitting, accepting) {
        (Some(fitting), Some(accepting)) => {
            format!(
                "pin `{name}` at {fitting}, or `{consumer}` at {accepting}, which accepts {y}; both were pinned before"
            )
        }
        (Some(fitting), None) => format!("pin `{name}` at {fitting}, which was pinned before"),
        (None, Some(accepting)) => {
            format!(
                "pin `{consumer}` at {accepting}, which accepts {y} and was pinned before, or `{name}` at {}",
                range.in_words()
            )
        }
        (None, None) => format!("pin `{name}` at {}", range.in_words()),
    })
}
