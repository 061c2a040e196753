//! Reads Helm values files, and Flux's `HelmRelease`s, whose values have the same form.

use std::sync::Arc;

use super::manifest::environment;
use super::node::{at, leaves, pairs, repository, step, string, text};
use super::seen::{ConfigFormat, ReferenceContent, RepoScan, ServiceReference, VersionLocation};
use crate::pins::{ValueKind, YamlValue};

/// Returns whether a file has Helm values, by its name or its folder's name.
pub(super) fn is_values(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem.split(['-', '_', '.']).any(|word| word == "values") || folder.rsplit('/').next() == Some("values")
}

pub(super) fn values(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    blocks(
        seen,
        path,
        value,
        &HelmValues { layout: ConfigFormat::HelmValues, prefix: "", name: None, namespace: None },
    );
}

pub(super) fn release(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    let name = string(value, &["spec", "releaseName"]).or_else(|| string(value, &["metadata", "name"]));
    let target = string(value, &["spec", "targetNamespace"]);
    let namespace = target.or_else(|| string(value, &["metadata", "namespace"]));
    let before = seen.versions.len();
    let shown = format!("HelmRelease {}, whose values name no image", name.as_deref().unwrap_or_default());
    if let Some(values) = at(value, &["spec", "values"]) {
        blocks(
            seen,
            path,
            values,
            &HelmValues { layout: ConfigFormat::HelmRelease, prefix: "spec.values", name, namespace },
        );
    }
    if seen.versions.len() == before {
        seen.unsupported.push((shown, Arc::clone(path)));
    }
}

/// The values of one release.
pub(super) struct HelmValues<'b> {
    pub(super) layout: ConfigFormat,
    /// Key path to the values.
    pub(super) prefix: &'b str,
    /// Name of the release.
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
}

/// Reads the image of the release, or else the images of its components, each under the component's key.
pub(super) fn blocks(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>, block: &HelmValues<'_>) {
    if at(value, &["image"]).is_some() {
        seen.versions.extend(spot(path, value, block));
        return;
    }
    let parts = pairs(value, &[]).into_iter().filter(|(_, part)| at(*part, &["image"]).is_some());
    for (key, part) in parts {
        let prefix = join(block.prefix, &step(key));
        let name = Some(key.to_owned());
        let part_block = HelmValues { prefix: &prefix, name, namespace: block.namespace.clone(), layout: block.layout };
        seen.versions.extend(spot(path, part, &part_block));
    }
}

fn join(prefix: &str, step: &str) -> String {
    let joined = format!("{prefix}{step}");
    joined.strip_prefix('.').map_or(joined.clone(), str::to_owned)
}

fn spot(path: &Arc<str>, value: YamlValue<'_>, block: &HelmValues<'_>) -> Option<VersionLocation> {
    let whole = text(value, &["image"]);
    let part = |key: &str| string(value, &["image", key]).filter(|text| !text.is_empty());
    let registry = || part("registry").map(|registry| registry + "/").unwrap_or_default();
    let parted = || part("repository").map(|repository| registry() + &repository);
    let (key, written, repository) = match whole {
        Some(image) => (".image", Some(image.to_owned()), Some(repository(image).to_owned())),
        None if part("tag").is_none() && part("version").is_some() => (".image.version", part("version"), parted()),
        None => (".image.tag", part("tag"), parted()),
    };
    let value_kind = if whole.is_some() { ValueKind::Image } else { ValueKind::Version };
    // An image that is an empty map is no sign of a service.
    (written.is_some() || repository.is_some()).then(|| VersionLocation {
        path: Arc::clone(path),
        key_paths: vec![join(block.prefix, key)],
        value: value_kind,
        has_repository_beside: repository.is_some(),
        written,
        repository,
        layout: block.layout,
        name: block.name.clone(),
        namespace: block.namespace.clone(),
        affixes: Default::default(),
        references: texts(value),
    })
}

/// Collects the texts that may name other services: the environment, and all other values except images.
fn texts(value: YamlValue<'_>) -> Vec<ServiceReference> {
    let mut texts = environment(value, &["env"]);
    let named = super::node::items(value, &["env"]).into_iter().filter_map(|entry| {
        let (key, value) = (string(entry, &["name"])?, string(entry, &["value"])?);
        Some(ServiceReference {
            seen_in: format!("env {key}"),
            key: Some(key),
            content: ReferenceContent::Value(value),
        })
    });
    texts.extend(named);
    let others =
        pairs(value, &[]).into_iter().filter(|(key, _)| !key.to_lowercase().ends_with("image") && *key != "env");
    texts.extend(others.flat_map(|(key, value)| leaves(value, key)).map(|(path, value)| ServiceReference {
        seen_in: format!("values {path}"),
        key: None,
        content: ReferenceContent::Value(value),
    }));
    texts
}
