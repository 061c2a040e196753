//! The other keys of a service, in its own file; and what the service is then.

use super::draft::Draft;
use super::map::Map;
use super::splice::Splice;
use super::{Edit, Refusal, hold, needs, restore, scalar};
use crate::image::{Digest, Image};
use crate::pins::Service;
use crate::problem::{Place, Problem};
use crate::version::Version;

/// Edits the own file of a service, and says what the service must be then. Places are those of before.
pub(super) fn edit(own: &mut Draft, (before, in_image): (&Service, bool), edit: &Edit) -> Result<Service, Refusal> {
    let mut wanted = before.clone();
    match edit {
        Edit::Pin { version, digest, needs } => {
            if let Some(digest) = digest.as_ref().filter(|_| !in_image) {
                set_text(own, "digest", digest.as_str())?;
            }
            wanted.pin.image = image(before, version, digest.as_ref())?;
            wanted.pin.version = version.clone();
            needs::set(own, &mut wanted, needs)?;
        }
        Edit::Restore { as_of, name } => {
            let as_of = as_of.said();
            let earlier = super::service(&as_of, name)?;
            restore::keys(own, &as_of, name)?;
            let needs = restore::needs(&before.pin.depends_on, &earlier.pin.depends_on);
            wanted.pin = crate::pins::Pin { depends_on: needs.into(), ..earlier.pin.clone() };
        }
        Edit::Hold(new) => {
            hold::write(own, new)?;
            wanted.hold = Some(hold::of(new, &before.version_at));
        }
        Edit::Release => {
            hold::remove(own)?;
            wanted.hold = None;
        }
    }
    Ok(wanted)
}

/// What runs then: the same image with the other version in its tag.
fn image(before: &Service, version: &Version, digest: Option<&Digest>) -> Result<Image, Refusal> {
    let old = &before.pin.image;
    let tag = old.tag().unwrap_or_default().replacen(before.pin.version.as_str(), version.as_str(), 1);
    Image::render(old.repository(), &tag, digest.map(Digest::as_str)).map_err(|error| {
        let problem = Problem::error(format!("{version} makes no image: {error}"), before.version_at.clone());
        Box::new(problem.of(&before.name))
    })
}

/// Gives a key of the file a text: in the style of the one that it has, else as a new line.
pub(super) fn set_text(own: &mut Draft, key: &str, text: &str) -> Result<(), Refusal> {
    let splice = own.root(|root| -> Result<_, Refusal> {
        let map = root.and_then(|root| Map::of(&own.text, root));
        let entry = map.as_ref().and_then(|map| map.get(key));
        match entry {
            Some(entry) => {
                let at = Place::at(&own.path, entry.value.span());
                let raw = scalar::in_one_line(&own.text, entry.value, &at)?;
                Ok(Some(Splice { at: entry.value.span(), text: scalar::like(raw, text, false) }))
            }
            None => Ok(added(own, map.as_ref(), key, &scalar::plain(text))),
        }
    })??;
    apply(own, splice)
}

/// A new entry at the end of the root map, `value` as it is written.
pub(super) fn added(own: &Draft, map: Option<&Map<'_>>, key: &str, value: &str) -> Option<Splice> {
    let entry = format!("{key}: {value}");
    match map {
        Some(map) if map.is_flow() => map.with(&entry),
        Some(map) => map.with(&format!("{}{entry}{}", " ".repeat(map.indent()), own.line_end)),
        None => {
            let end = own.text.len();
            Some(Splice { at: end..end, text: format!("{entry}{}", own.line_end) })
        }
    }
}

/// Carries a splice out; none means that there is no place for it.
pub(super) fn apply(own: &mut Draft, splice: Option<Splice>) -> Result<(), Refusal> {
    match splice {
        Some(splice) => own.splices(vec![splice]),
        None => Err(own.refuse("this file cannot be edited as it is written")),
    }
}
