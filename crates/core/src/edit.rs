//! Edits of pins: bytes to bytes. What is meant is changed where it stands, everything else stays as it is, and what
//! comes out is read again: it must show the intended change and no other, or nothing is edited.
//!
//! A version is changed where it lives, in whatever file that is. All else stands in the service's own file.

mod entries;
mod file_edit;
mod files;
mod flux;
mod hold;
mod keys;
mod map;
mod needs;
mod pin;
mod proof;
mod refusal;
mod request;
mod restore;
mod revision;
mod scalar;
mod splice;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use files::Files;
pub use files::overlay;
pub use flux::{muted, written_past};
pub use refusal::{Refusal, in_words};
pub use request::{Edit, Edited, NewHold};
pub use revision::{EarlierRevision, RevisionFiles, own_path};
use splice::Splice;

use crate::git::FileChange;
use crate::pins::{ServiceName, read, read_again};

/// Carries the edits out on the files of a revision.
///
/// # Errors
/// A service that is not there or has errors; a value that cannot be changed where it stands; a result that would show
/// anything but the intended change. Nothing is edited then.
pub fn edit(tip: &RevisionFiles<'_>, edits: &[(ServiceName, Edit)]) -> Result<Edited, Refusal> {
    let mut files = Files::of(tip);
    // 1. Versions, wherever they live: places in the files as they are.
    let (values, splices) = versions(tip, edits)?;
    files.splice(splices)?;
    // 2. The other keys, in each service's own file.
    let mut wanted = BTreeMap::new();
    for (name, edit) in edits {
        let before = wanted.get(name).map_or_else(|| tip.service(name), Ok)?.clone();
        let mut own = files.own(tip.root, name);
        let in_image = values.get(name).is_some_and(|value| value.is_image(&before));
        wanted.insert(name.clone(), keys::edit(&mut own, (&before, in_image), edit)?);
        files.put(own);
    }
    // 3. What comes out is read again.
    let edited = Edited { files: files.changed(), reading: read_again(tip.root, &files.all(), tip.known) };
    proof::verify_only_intended(tip.reading, &edited, &wanted)?;
    Ok(edited)
}

/// Carries edits out on a revision in which other files change first. The result names all files that differ from the tip.
///
/// # Errors
/// As [`edit`]; places are those of the files with the other changes.
pub fn edit_on(
    tip: &RevisionFiles<'_>,
    beneath: &[FileChange],
    edits: &[(ServiceName, Edit)],
) -> Result<Edited, Refusal> {
    if beneath.is_empty() {
        return edit(tip, edits);
    }
    let under = overlay(tip.files, beneath);
    let under_reading = read(tip.root, &under);
    let Edited { files, reading } =
        edit(&RevisionFiles { root: tip.root, files: &under, reading: &under_reading, known: None }, edits)?;
    let is_edited = |path: &str| files.iter().any(|file| &*file.path == path);
    let others: Vec<FileChange> = beneath.iter().filter(|file| !is_edited(&file.path)).cloned().collect();
    let mut files: Vec<FileChange> = files.into_iter().chain(others).collect();
    files.retain(|file| tip.bytes(&file.path) != file.content.as_deref());
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Edited { files, reading })
}

/// The values that pin the services, and what becomes of them.
#[expect(clippy::type_complexity, reason = "two lists, named where they are used")]
fn versions(
    tip: &RevisionFiles<'_>,
    edits: &[(ServiceName, Edit)],
) -> Result<(pin::Values, Vec<(Arc<str>, Splice)>), Refusal> {
    let moved = edits.iter().filter(|(_, edit)| matches!(edit, Edit::Pin { .. } | Edit::Restore { .. }));
    let moved = moved.map(|(name, edit)| Ok((tip.service(name)?, edit))).collect::<Result<Vec<_>, Refusal>>()?;
    let values = pin::values(tip, moved.iter().map(|(service, _)| *service))?;
    let earlier = earlier(edits)?;
    let mut splices = Vec::new();
    for (service, edit) in moved {
        let Some(value) = values.get(&service.name) else { continue };
        let splice = match edit {
            Edit::Pin { version, digest, .. } => pin::pinned(tip, (service, value), version, digest.as_ref())?,
            Edit::Restore { as_of, name } => {
                let was = as_of.said().service(name)?;
                let Some(then) = earlier.get(&Arc::as_ptr(as_of)).and_then(|values| values.get(name)) else {
                    continue;
                };
                pin::restored(tip, (service, value), (was, then))
            }
            Edit::Hold(_) | Edit::Release => continue,
        };
        splices.push((Arc::clone(&service.version_at.path), splice));
    }
    for (name, edit) in edits {
        let service = tip.service(name)?;
        let splice = flux::splice(tip, service, edit);
        splices.extend(splice.map(|splice| (Arc::clone(&service.version_at.path), splice)));
    }
    Ok((values, splices))
}

/// The values at other revisions, by these.
fn earlier(edits: &[(ServiceName, Edit)]) -> Result<HashMap<*const EarlierRevision, pin::Values>, Refusal> {
    let mut revisions: HashMap<*const EarlierRevision, (&EarlierRevision, Vec<&ServiceName>)> = HashMap::new();
    for (_, edit) in edits {
        if let Edit::Restore { as_of, name } = edit {
            revisions.entry(Arc::as_ptr(as_of)).or_insert_with(|| (as_of, Vec::new())).1.push(name);
        }
    }
    let values = |(at, (then, names)): (_, (&EarlierRevision, Vec<&ServiceName>))| {
        let said = then.said();
        let services = names.into_iter().map(|name| said.service(name));
        Ok((at, pin::values(&said, services.collect::<Result<Vec<_>, _>>()?)?))
    };
    revisions.into_iter().map(values).collect()
}
