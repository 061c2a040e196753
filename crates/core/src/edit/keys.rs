//! Edits the keys in a service's own file, and computes the service that must result.

use super::entries::set_text;
use super::file_edit::FileEdit;
use super::refusal::Refusal;
use super::request::Edit;
use super::{hold, needs, restore};
use crate::image::{Digest, Image};
use crate::pins::Service;
use crate::problem::Problem;
use crate::version::Version;

/// Edits the service's own file and returns the service expected afterwards, with the places of the unedited files.
pub(super) fn edit_keys(
    own: &mut FileEdit,
    (before, in_image): (&Service, bool),
    edit: &Edit,
) -> Result<Service, Refusal> {
    let mut wanted = before.clone();
    match edit {
        Edit::Pin { version, digest, needs } => {
            if let Some(digest) = digest.as_ref().filter(|_| !in_image) {
                set_text(own, "digest", digest.as_str())?;
            }
            wanted.pin.image = image(before, version, digest.as_ref())?;
            wanted.pin.version = version.clone();
            needs::set_needs(own, &mut wanted, needs)?;
        }
        Edit::Restore { as_of, name } => {
            let as_of = as_of.said();
            let earlier = as_of.service(name)?;
            restore::restore_keys(own, &as_of, name)?;
            let needs = restore::restored_needs(&before.pin.depends_on, &earlier.pin.depends_on);
            wanted.pin = crate::pins::Pin { depends_on: needs.into(), ..earlier.pin.clone() };
        }
        Edit::Hold(new) => {
            hold::write_hold(own, new)?;
            wanted.hold = Some(hold::to_hold(new, &before.version_at));
        }
        Edit::Release => {
            hold::remove_hold(own)?;
            wanted.hold = None;
        }
    }
    Ok(wanted)
}

/// Returns the image with the new version in its tag.
fn image(before: &Service, version: &Version, digest: Option<&Digest>) -> Result<Image, Refusal> {
    let old = &before.pin.image;
    let tag = old.tag().unwrap_or_default().replacen(before.pin.version.as_str(), version.as_str(), 1);
    Image::from_parts(old.repository(), &tag, digest.map(Digest::as_str)).map_err(|error| {
        let problem = Problem::error(format!("{version} makes no image: {error}"), before.version_at.clone());
        Box::new(problem.for_service(&before.name))
    })
}
