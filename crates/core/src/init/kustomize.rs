//! Kustomizations: <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/>.

use std::sync::Arc;

use super::manifest::config_text;
use super::node::{at, items, string, text};
use super::seen::{ConfigFormat, RepoScan, VersionLocation};
use crate::pins::{ValueKind, YamlValue};

/// Returns whether the name is that of a kustomization.
pub(super) fn is_kustomization(file: &str) -> bool {
    matches!(file, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

pub(super) fn file(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    let affix = |key: &str| string(value, &[key]).unwrap_or_default();
    let images = items(value, &["images"]);
    let tags = images.iter().filter(|image| text(**image, &["newTag"]).is_some()).count();
    for (index, image) in images.iter().enumerate() {
        let (Some(name), tag) = (text(*image, &["name"]), string(*image, &["newTag"])) else { continue };
        let mut keys = Vec::new();
        if !name.contains(['{', '}', ']', '=']) {
            keys.push(format!("images[name={name}].newTag"));
        }
        // An index into a list is a stable key only if the list has no other items.
        if tags == 1 && images.len() == 1 {
            keys.push(format!("images[{index}].newTag"));
        }
        seen.versions.push(VersionLocation {
            path: Arc::clone(path),
            key_paths: keys,
            value: ValueKind::Version,
            written: tag.filter(|_| at(*image, &["digest"]).is_none_or(YamlValue::is_null)),
            repository: Some(name.to_owned()),
            has_repository_beside: true,
            layout: ConfigFormat::Kustomize,
            name: None,
            namespace: string(value, &["namespace"]),
            affixes: (affix("namePrefix"), affix("nameSuffix")),
            references: Vec::new(),
        });
    }
    generated(seen, path, value);
}

/// Reads the ConfigMaps that the kustomization generates from literals.
fn generated(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    for map in items(value, &["configMapGenerator"]) {
        let Some(name) = string(map, &["name"]) else { continue };
        let literals = items(map, &["literals"]).into_iter().filter_map(|it| it.scalar()?.text.split_once('='));
        let texts = literals.map(|(key, value)| config_text(&name, key.to_owned(), value.to_owned()));
        let texts: Vec<_> = texts.map(|text| (Arc::clone(path), text)).collect();
        seen.configs.entry(name).or_default().extend(texts);
    }
}
