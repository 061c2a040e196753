//! Verifies an edit: the edited files must show the intended change and no other.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use super::request::Edited;
use crate::pins::{ParsedRevision, Service, ServiceName};
use crate::problem::{FilePlace, Problem, Severity};
use crate::remedy::Remedy;

/// Compares all services before and after the edit.
pub(super) fn verify_only_intended(
    before: &ParsedRevision,
    edited: &Edited,
    wanted: &BTreeMap<ServiceName, Service>,
) -> Result<(), Refusal> {
    let after = &edited.reading;
    let refuse = |name: &ServiceName, why: String| {
        let at = |service: &Service| FilePlace::whole_file(&service.version_at.path);
        let place = edited.files.first().map(|edited| FilePlace::whole_file(&edited.path));
        let place = place
            .or_else(|| before.pins.services.get(name).map(at))
            .unwrap_or_else(|| FilePlace::whole_file(&"".into()));
        let problem = Problem::error(format!("this edit was not made: {why}"), place).for_service(name);
        Err(Box::new(problem.remedy(Remedy::EditByHand)))
    };
    let (now, then) = (&after.pins.services, &before.pins.services);
    for (name, wanted) in wanted {
        let Some(is) = now.get(name) else {
            let errors = after.problems.iter().filter(|problem| problem.severity == Severity::Error);
            let why =
                errors.filter(|problem| problem.service.as_ref() == Some(name)).map(|it| it.message.clone()).next();
            return refuse(
                name,
                format!("`{name}` would have an error: {}", why.unwrap_or_else(|| "it would be gone".to_owned())),
            );
        };
        if let Some(what) = differs(&meant(wanted, is), is) {
            return refuse(name, format!("{what} of `{name}` would not be what is meant"));
        }
    }
    for (name, was) in then.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
        match now.get(name).map(|is| differs(was, is)) {
            Some(None) => {}
            Some(Some(what)) => return refuse(name, format!("{what} of `{name}` would change too")),
            None => return refuse(name, format!("`{name}` would no longer be pinned")),
        }
    }
    if let Some(new) = now.keys().find(|name| !then.contains_key(*name) && !wanted.contains_key(*name)) {
        return refuse(new, format!("`{new}` would be pinned too"));
    }
    match after.pins.broken.iter().find(|(name, _)| !before.pins.broken.contains_key(*name)) {
        Some((name, why)) => refuse(name, format!("`{name}` would have an error: {why}")),
        None => Ok(()),
    }
}

/// Returns the expected service with the actual image, if tag and digest agree. The edits do not change the repository
/// part, which comes from a pattern or from a neighbouring key.
fn meant(wanted: &Service, is: &Service) -> Service {
    let (then, now) = (&wanted.pin.image, &is.pin.image);
    let mut meant = wanted.clone();
    if (then.tag(), then.digest()) == (now.tag(), now.digest()) {
        meant.pin.image = now.clone();
    }
    meant
}

/// Returns the first key in which two services differ; source places are ignored.
fn differs(one: &Service, other: &Service) -> Option<&'static str> {
    let Service {
        name,
        pin,
        workloads,
        containers,
        namespace,
        versioning,
        hold,
        rollback_floor,
        drift,
        external,
        formerly,
        version_at: _,
        needs_at: _,
        rollback_floor_at: _,
    } = one;
    let said = |hold: &Option<crate::pins::Hold>| {
        hold.as_ref().map(|hold| (hold.versions.clone(), hold.reason.clone(), hold.by.clone(), hold.until))
    };
    let same = [
        ("the name", *name == other.name),
        ("the version", pin.version == other.pin.version),
        ("the image", pin.image == other.pin.image),
        ("`dependsOn`", pin.depends_on == other.pin.depends_on),
        ("`verify`", pin.verify == other.pin.verify),
        ("`local`", pin.local == other.pin.local),
        ("`workloads`", *workloads == other.workloads),
        ("`containers`", *containers == other.containers),
        ("`namespace`", *namespace == other.namespace),
        ("`versioning`", *versioning == other.versioning),
        ("`hold`", said(hold) == said(&other.hold)),
        ("`rollbackFloor`", *rollback_floor == other.rollback_floor),
        ("`drift`", *drift == other.drift),
        ("`external`", *external == other.external),
        ("`formerly`", *formerly == other.formerly),
    ];
    same.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}
