//! Needs that changed while the version did not: what the old version is said to need, changed with them.

use super::{Checked, need_at};
use crate::change::{NeedMoved, needs_between};
use crate::pins::{Need, Service};
use crate::problem::Problem;
use crate::source::{Commit, Record};

pub(super) fn needs(checked: &Checked<'_>, service: &Service) -> Vec<Problem> {
    let records = checked.history.records(&service.name).iter().rev();
    let (version, now) = (&service.pin.version, &service.pin.depends_on);
    let said =
        |record: &&Record| record.pin.as_ref().is_some_and(|pin| pin.version == *version && pin.depends_on != *now);
    let Some((commit, pin)) = records.filter(said).find_map(|record| Some((&record.commit, record.pin.as_ref()?)))
    else {
        return Vec::new();
    };
    let moved = needs_between(&pin.depends_on, now);
    moved.iter().filter_map(|moved| problem(service, commit, moved)).collect()
}

/// The table form speaks of all versions, and is the remedy.
fn problem(service: &Service, commit: &Commit, moved: &NeedMoved) -> Option<Problem> {
    let range = |need: Option<&Need>| match need {
        None => Some(None),
        Some(Need::Range(range)) => Some(Some(range.to_string())),
        Some(Need::Table(_)) => None,
    };
    let (name, version, provider, commit) = (&service.name, &service.pin.version, &moved.provider, commit.id.short());
    let (from, to) = (range(moved.from.as_ref())?, range(moved.to.as_ref())?);
    let needs = to.as_ref().map_or_else(|| format!("needs no `{provider}`"), |to| format!("needs `{provider}` {to}"));
    let needed = from.as_ref().map_or_else(|| "without it".to_owned(), |from| format!("with {from}"));
    let message = format!("`{name}` {version} {needs}, but {commit} pinned the same version {needed}");
    let row = |version: &str, range: Option<String>| range.map(|range| format!("\"{version}\": \"{range}\""));
    let table: Vec<String> = row(version.as_str(), from).into_iter().chain(row("NEXT", to)).collect();
    let hint = match moved.to {
        Some(_) => format!(
            "this changes what {version} is said to need wherever it runs; \
             if only the next version needs it, write `{provider}: {{{}}}`",
            table.join(", ")
        ),
        None => {
            format!("this changes what {version} is said to need wherever it runs; drop it together with the version")
        }
    };
    Some(Problem::warning(message, need_at(service, provider)).of(name).hint(hint))
}
