//! Changes a version in its place: a scalar that is the version, or an image whose tag contains it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::refusal::Refusal;
use super::revision::{RevisionFiles, bytes, own_path};
use super::scalar;
use super::splice::TextSplice;
use crate::image::Digest;
use crate::pins::{Service, ServiceName, YamlTree, parse_file};
use crate::problem::{FilePlace, Problem};
use crate::version::Version;

/// The value that pins a service, as written.
#[derive(Debug, Clone)]
pub(super) struct PinnedValue {
    at: Range<usize>,
    raw: String,
    text: String,
}

pub(super) type PinnedValues = HashMap<ServiceName, PinnedValue>;

impl PinnedValue {
    /// Returns whether the value is an image reference and not the bare version.
    pub(super) fn is_image(&self, service: &Service) -> bool {
        self.text != service.pin.version.as_str()
    }
}

/// Reads the values that pin services. Each file is parsed once, as it may pin thousands of services.
pub(super) fn pinned_values<'s>(
    said: &RevisionFiles<'_>,
    services: impl IntoIterator<Item = &'s Service>,
) -> Result<PinnedValues, Refusal> {
    let mut of_file: BTreeMap<&Arc<str>, Vec<&Service>> = BTreeMap::new();
    for service in services {
        of_file.entry(&service.version_at.path).or_default().push(service);
    }
    let mut values = PinnedValues::new();
    for (path, services) in of_file {
        let gone = || Box::new(Problem::error("this file was not read", FilePlace::whole_file(path)));
        let bytes = bytes(said.files, path).ok_or_else(gone)?;
        let text = std::str::from_utf8(bytes).map_err(|_| gone())?;
        let read = |service: &&Service, tree: &YamlTree<'_>| {
            Ok((service.name.clone(), here(text, tree, &service.version_at)?))
        };
        let found = parse_file(path, bytes, |tree| {
            services.iter().map(|it| read(it, tree)).collect::<Result<Vec<_>, Refusal>>()
        });
        values.extend(found??);
    }
    Ok(values)
}

fn here(text: &str, tree: &YamlTree<'_>, at: &FilePlace) -> Result<PinnedValue, Refusal> {
    let gone = || Box::new(Problem::error("there is no value here", at.clone()));
    let span = at.span.clone().ok_or_else(gone)?;
    let value = tree.at(&span).ok_or_else(gone)?;
    let raw = scalar::require_one_line(text, value, at)?.to_owned();
    let text = value.scalar().ok_or_else(gone)?.text.to_owned();
    Ok(PinnedValue { at: span, raw, text })
}

/// Builds the splice that pins another version.
pub(super) fn version_splice(
    tip: &RevisionFiles<'_>,
    (service, value): (&Service, &PinnedValue),
    version: &Version,
    digest: Option<&Digest>,
) -> Result<TextSplice, Refusal> {
    new_digest(service, digest)?;
    if !value.is_image(service) {
        let text = scalar::styled_like(&value.raw, version.as_str(), !is_own(tip, service));
        return Ok(TextSplice { at: value.at.clone(), text });
    }
    let image = image(&value.text, &template(tip, service).replace("{version}", version.as_str()), digest);
    Ok(TextSplice { at: value.at.clone(), text: scalar::styled_like(&value.raw, &image, false) })
}

/// Builds the splice that pins the version of another revision. It is copied verbatim if both values are of the same
/// kind: a version or an image.
pub(super) fn restore_splice(
    tip: &RevisionFiles<'_>,
    (service, value): (&Service, &PinnedValue),
    (earlier, then): (&Service, &PinnedValue),
) -> TextSplice {
    let text = match (then.is_image(earlier), value.is_image(service)) {
        (then_image, image) if then_image == image => then.raw.clone(),
        (_, false) => scalar::styled_like(&value.raw, earlier.pin.version.as_str(), !is_own(tip, service)),
        (_, true) => {
            let old = &earlier.pin.image;
            scalar::styled_like(&value.raw, &image(&value.text, old.tag().unwrap_or_default(), old.digest()), false)
        }
    };
    TextSplice { at: value.at.clone(), text }
}

/// Returns whether the version stands in the service's own file.
fn is_own(tip: &RevisionFiles<'_>, service: &Service) -> bool {
    *service.version_at.path == *own_path(tip.root, &service.name)
}

/// Refuses a new version without a digest if the pinned image has one: a digest identifies one version only.
fn new_digest(service: &Service, digest: Option<&Digest>) -> Result<(), Refusal> {
    if service.pin.image.digest().is_none() || digest.is_some() {
        return Ok(());
    }
    let message = format!("`{}` is pinned by the digest of {}", service.name, service.pin.version);
    let hint = "say the digest of the new version too, as in 2.1.0@sha256:…";
    Err(Box::new(Problem::error(message, service.version_at.clone()).for_service(&service.name).hint(hint)))
}

/// Returns the `tag:` template of the service's own file.
fn template(tip: &RevisionFiles<'_>, service: &Service) -> String {
    let path: Arc<str> = own_path(tip.root, &service.name).into();
    let tag = bytes(tip.files, &path).and_then(|bytes| {
        let read = |tree: &YamlTree<'_>| {
            let entries = tree.documents().next()?.entries()?;
            let tag = entries.iter().find(|entry| entry.name() == Some("tag"))?;
            tag.value.scalar().map(|tag| tag.text.to_owned())
        };
        parse_file(&path, bytes, read).ok().flatten()
    });
    tag.unwrap_or_else(|| "{version}".to_owned())
}

/// Returns the image reference with another tag and digest. The old digest is dropped, as it identifies the old tag.
fn image(text: &str, tag: &str, digest: Option<&Digest>) -> String {
    let tagged = text.split('@').next().unwrap_or(text);
    let name = match tagged.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => tagged,
    };
    let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{name}:{tag}{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tag_of_an_image_is_another_one() {
        let digest: Digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        for (text, made) in [
            ("web:1", "web:2"),
            ("r.acme.dev:5000/web", "r.acme.dev:5000/web:2"),
            ("r.acme.dev:5000/web:1@sha256:ff", "r.acme.dev:5000/web:2"),
        ] {
            assert_eq!(image(text, "2", None), made);
            assert_eq!(image(text, "2", Some(&digest)), format!("{made}@{digest}"));
        }
    }
}
