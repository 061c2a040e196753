//! Edits pin files byte by byte. Only the intended values change; all other bytes stay as they are.
//!
//! The result is read again. If it shows anything but the intended change, the whole edit is refused.
//!
//! A version is changed in the file that holds it. Every other key is changed in the service's own file.

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
pub use flux::{muted_services, overwritten_holds};
pub use refusal::{Refusal, in_words};
pub use request::{Edit, Edited, NewHold};
pub use revision::{EarlierRevision, RevisionFiles, own_path};
use splice::TextSplice;

use crate::git::FileChange;
use crate::pins::{ServiceName, parse_revision, reparse_revision};

/// Applies the edits to the files of a revision.
///
/// # Errors
/// Refuses all edits if a service is missing or broken, or if a value cannot be changed in its place. The same goes for
/// a result that shows anything but the intended change.
pub fn apply_edits(tip: &RevisionFiles<'_>, edits: &[(ServiceName, Edit)]) -> Result<Edited, Refusal> {
    let mut files = Files::of(tip);
    // 1. Versions, in whichever file holds them. Their places refer to the unedited files.
    let (values, splices) = version_splices(tip, edits)?;
    files.splice(splices)?;
    // 2. The other keys, in each service's own file.
    let mut wanted = BTreeMap::new();
    for (name, edit) in edits {
        let before = wanted.get(name).map_or_else(|| tip.service(name), Ok)?.clone();
        let mut own = files.own(tip.root, name);
        let in_image = values.get(name).is_some_and(|value| value.is_image(&before));
        wanted.insert(name.clone(), keys::edit_keys(&mut own, (&before, in_image), edit)?);
        files.put(own);
    }
    // 3. The edited files are read again and verified.
    let edited = Edited { files: files.changed(), reading: reparse_revision(tip.root, &files.all(), tip.known) };
    proof::verify_only_intended(tip.reading, &edited, &wanted)?;
    Ok(edited)
}

/// Applies `beneath` to the files of a revision, and the edits on top. The result has all files that differ from the
/// tip.
///
/// # Errors
/// As [`apply_edits`]. The places in errors refer to the files with `beneath` applied.
pub fn edit_on(
    tip: &RevisionFiles<'_>,
    beneath: &[FileChange],
    edits: &[(ServiceName, Edit)],
) -> Result<Edited, Refusal> {
    if beneath.is_empty() {
        return apply_edits(tip, edits);
    }
    let under = overlay(tip.files, beneath);
    let under_reading = parse_revision(tip.root, &under);
    let Edited { files, reading } =
        apply_edits(&RevisionFiles { root: tip.root, files: &under, reading: &under_reading, known: None }, edits)?;
    let is_edited = |path: &str| files.iter().any(|file| &*file.path == path);
    let others: Vec<FileChange> = beneath.iter().filter(|file| !is_edited(&file.path)).cloned().collect();
    let mut files: Vec<FileChange> = files.into_iter().chain(others).collect();
    files.retain(|file| tip.bytes(&file.path) != file.content.as_deref());
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Edited { files, reading })
}

/// Returns the values that hold the versions of moved services, and the splices that change them and Flux's markers.
#[expect(clippy::type_complexity, reason = "two lists, named where they are used")]
fn version_splices(
    tip: &RevisionFiles<'_>,
    edits: &[(ServiceName, Edit)],
) -> Result<(pin::PinnedValues, Vec<(Arc<str>, TextSplice)>), Refusal> {
    let moved = edits.iter().filter(|(_, edit)| matches!(edit, Edit::Pin { .. } | Edit::Restore { .. }));
    let moved = moved.map(|(name, edit)| Ok((tip.service(name)?, edit))).collect::<Result<Vec<_>, Refusal>>()?;
    let values = pin::pinned_values(tip, moved.iter().map(|(service, _)| *service))?;
    let earlier = earlier_values(edits)?;
    let mut splices = Vec::new();
    for (service, edit) in moved {
        let Some(value) = values.get(&service.name) else { continue };
        let splice = match edit {
            Edit::Pin { version, digest, .. } => pin::version_splice(tip, (service, value), version, digest.as_ref())?,
            Edit::Restore { as_of, name } => {
                let was = as_of.said().service(name)?;
                let Some(then) = earlier.get(&Arc::as_ptr(as_of)).and_then(|values| values.get(name)) else {
                    continue;
                };
                pin::restore_splice(tip, (service, value), (was, then))
            }
            Edit::Hold(_) | Edit::Release => continue,
        };
        splices.push((Arc::clone(&service.version_at.path), splice));
    }
    for (name, edit) in edits {
        let service = tip.service(name)?;
        let splice = flux::marker_splice(tip, service, edit);
        splices.extend(splice.map(|splice| (Arc::clone(&service.version_at.path), splice)));
    }
    Ok((values, splices))
}

/// Reads the pinned values of each earlier revision that the edits restore from.
fn earlier_values(
    edits: &[(ServiceName, Edit)],
) -> Result<HashMap<*const EarlierRevision, pin::PinnedValues>, Refusal> {
    let mut revisions: HashMap<*const EarlierRevision, (&EarlierRevision, Vec<&ServiceName>)> = HashMap::new();
    for (_, edit) in edits {
        if let Edit::Restore { as_of, name } = edit {
            revisions.entry(Arc::as_ptr(as_of)).or_insert_with(|| (as_of, Vec::new())).1.push(name);
        }
    }
    let values = |(at, (then, names)): (_, (&EarlierRevision, Vec<&ServiceName>))| {
        let said = then.said();
        let services = names.into_iter().map(|name| said.service(name));
        Ok((at, pin::pinned_values(&said, services.collect::<Result<Vec<_>, _>>()?)?))
    };
    revisions.into_iter().map(values).collect()
}
