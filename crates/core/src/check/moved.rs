//! Warns about needs that changed without a new version: the change also applies to the version wherever it already
//! runs.

use super::{CheckInput, need_at};
use crate::change::{NeedChange, need_changes_between};
use crate::git::Commit;
use crate::history::PinRecord;
use crate::pins::{Need, Service};
use crate::problem::Problem;
use crate::version::VersionRange;

pub(super) fn changed_need_problems(checked: &CheckInput<'_>, service: &Service) -> Vec<Problem> {
    let records = checked.history.records(&service.name).iter().rev();
    let (version, now) = (&service.pin.version, &service.pin.depends_on);
    let said =
        |record: &&PinRecord| record.pin.as_ref().is_some_and(|pin| pin.version == *version && pin.depends_on != *now);
    let Some((commit, pin)) = records.filter(said).find_map(|record| Some((&record.commit, record.pin.as_ref()?)))
    else {
        return Vec::new();
    };
    let moved = need_changes_between(&pin.depends_on, now);
    moved.iter().filter_map(|moved| problem(service, commit, moved)).collect()
}

/// Warns about one need. Tables are exempt: they describe all versions, and are the remedy.
fn problem(service: &Service, commit: &Commit, moved: &NeedChange) -> Option<Problem> {
    let range = |need: Option<&Need>| match need {
        None => Some(None),
        Some(Need::Range(range)) => Some(Some(range.to_string())),
        Some(Need::Table(_)) => None,
    };
    let (name, version, provider, commit) = (&service.name, &service.pin.version, &moved.provider, commit.id.short());
    if moved.from.is_none() && moved.to == Some(Need::Range(VersionRange::any())) {
        // A new need with any range only adds an edge: no pair of versions becomes incompatible.
        return None;
    }
    let (from, to) = (range(moved.from.as_ref())?, range(moved.to.as_ref())?);
    let message = match (&from, &to) {
        (Some(from), Some(to)) => {
            format!("`{name}` {version} needs `{provider}` {to}, but needed {from} when {commit} pinned it")
        }
        (None, Some(to)) => format!("`{name}` {version} needs `{provider}` {to}, but did not when {commit} pinned it"),
        (Some(from), None) => {
            format!("`{name}` {version} does not need `{provider}`, but needed {from} when {commit} pinned it")
        }
        (None, None) => return None,
    };
    let row = |version: &str, range: &str| format!("\"{version}\": \"{range}\"");
    let remedy = match (&from, &to) {
        (Some(from), Some(to)) => format!(
            "write {from} again; or, if only the next version needs it, `{provider}: {{{}, {}}}`",
            row(version.as_str(), from),
            row("NEXT", to)
        ),
        (None, Some(to)) => format!("if only the next version needs it, write `{provider}: {{{}}}`", row("NEXT", to)),
        (_, None) => "drop it together with the version".to_owned(),
    };
    let hint = format!("this changes what {version} is said to need wherever it runs; {remedy}");
    Some(Problem::warning(message, need_at(service, provider)).for_service(name).hint(hint))
}
