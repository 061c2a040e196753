//! Checks of a service's own limits: version order, hold and rollback floor.

use super::{CheckInput, never_pinned, unpinned_bound_problem, was_never_pinned};
use crate::pins::{HeldVersions, Hold, Service};
use crate::printable::show;
use crate::problem::Problem;
use crate::version::{Version, VersionOrder};

pub(super) fn limit_problems(checked: &CheckInput<'_>, service: &Service, order: &VersionOrder) -> Vec<Problem> {
    let mut problems: Vec<Problem> = unordered(service, order).into_iter().collect();
    if let Some(hold) = &service.hold {
        problems.extend(hold_problem(service, order, hold));
        problems.extend(expired(checked, service, hold));
    }
    problems.extend(floor_problem(service, order));
    problems
}

/// Reports a version that does not parse in the versioning that the file states.
fn unordered(service: &Service, order: &VersionOrder) -> Option<Problem> {
    let error = order.check(&service.pin.version).err()?;
    let problem = Problem::error(error.to_string(), service.version_at.clone()).for_service(&service.name);
    Some(Problem { hint: error.hint(), ..problem })
}

fn hold_problem(service: &Service, order: &VersionOrder, hold: &Hold) -> Option<Problem> {
    let (name, version) = (&service.name, &service.pin.version);
    let unknown = match &hold.versions {
        HeldVersions::Above(limit) => was_never_pinned(limit, order).then_some(limit),
        HeldVersions::Versions(range) => {
            if let Err(error) = range.check_order(order).and_then(|()| range.check_satisfiable(order)) {
                let message = format!("`{range}` is no range for `{name}`: {}", error.message);
                return Some(Problem {
                    hint: error.hint,
                    ..Problem::error(message, hold.at.clone()).for_service(name)
                });
            }
            never_pinned(range, order)
        }
    };
    if hold.blocks(version, order) {
        let why = hold.reason.as_ref().map(|reason| format!(": {}", show(reason))).unwrap_or_default();
        let message = format!("`{name}` {version} is pinned, but versions {} are held{why}", held_versions_text(hold));
        let hint = "pin a version that is not held, or remove `hold` in the same change";
        return Some(
            Problem::error(message, service.version_at.clone())
                .for_service(name)
                .also(hold.at.clone(), "held here")
                .hint(hint),
        );
    }
    unknown.map(|unknown| unpinned_bound_problem(service, "`hold`", (name, unknown), &hold.at))
}

/// Formats the versions that a hold keeps out: "above 1.7.9".
pub(super) fn held_versions_text(hold: &Hold) -> String {
    match &hold.versions {
        HeldVersions::Above(limit) => format!("above {limit}"),
        HeldVersions::Versions(range) => format!("in {range}"),
    }
}

/// Warns about a hold past its end time. It stays in force until a commit removes it: the clock alone deploys nothing.
fn expired(checked: &CheckInput<'_>, service: &Service, hold: &Hold) -> Option<Problem> {
    let until = hold.until.filter(|until| *until < checked.now)?;
    let message = format!("the hold of `{}` was meant until {until:.0}, and still holds", service.name);
    Some(
        Problem::warning(message, hold.at.clone())
            .for_service(&service.name)
            .hint("remove it, or give it a later `until`"),
    )
}

/// Returns whether a service's own limits allow a version.
pub(super) fn is_within_limits(service: &Service, version: &Version, order: &VersionOrder) -> bool {
    let held = service.hold.as_ref().is_some_and(|hold| hold.blocks(version, order));
    !held && service.violated_floor(version, order).is_none() && order.check(version).is_ok()
}

fn floor_problem(service: &Service, order: &VersionOrder) -> Option<Problem> {
    let (name, version, floor) = (&service.name, &service.pin.version, service.rollback_floor.as_ref()?);
    let at = service.rollback_floor_at.as_ref().unwrap_or(&service.version_at);
    if service.violated_floor(version, order).is_some() {
        let message = format!("`{name}` {version} is pinned, but nothing older than {floor} may run");
        let problem =
            Problem::error(message, service.version_at.clone()).for_service(name).also(at.clone(), "the floor is here");
        return Some(
            problem
                .hint("its data has moved on; if it can go back, lower `rollbackFloor` in a commit of its own first"),
        );
    }
    was_never_pinned(floor, order).then(|| unpinned_bound_problem(service, "`rollbackFloor`", (name, floor), at))
}
