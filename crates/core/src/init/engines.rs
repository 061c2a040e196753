//! Reads which paths Argo CD and Flux apply. They own the image fields of what they apply.

use std::sync::Arc;

use super::helm::{HelmValues, blocks};
use super::node::{at, items, repository, string, text};
use super::seen::{ConfigFormat, GitOpsSource, RepoScan, VersionLocation};
use crate::pins::{ValueKind, YamlValue};

/// Reads an Argo CD `Application`. An `ApplicationSet` has its paths in a template.
pub(super) fn application(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    let set = text(value, &["kind"]) == Some("ApplicationSet");
    let Some(spec) = (if set { at(value, &["spec", "template", "spec"]) } else { at(value, &["spec"]) }) else {
        return;
    };
    let namespace = string(spec, &["destination", "namespace"]).filter(|it| !it.contains("{{"));
    let single = at(spec, &["source"]);
    for source in single.into_iter().chain(items(spec, &["sources"])) {
        if let Some(folder) = string(source, &["path"]).filter(|it| !it.contains("{{")) {
            let path = normal(&folder);
            seen.engines.push(GitOpsSource { manager: "argocd-controller", path, namespace: namespace.clone() });
        }
    }
    if let Some(source) = single.filter(|_| !set) {
        overrides(seen, path, (value, source), namespace);
    }
}

/// Reads versions that the `Application` itself overrides.
fn overrides(
    seen: &mut RepoScan,
    path: &Arc<str>,
    (value, source): (YamlValue<'_>, YamlValue<'_>),
    namespace: Option<String>,
) {
    let name = string(value, &["metadata", "name"]);
    let before = seen.versions.len();
    if let Some(values) = at(source, &["helm", "valuesObject"]) {
        let prefix = "spec.source.helm.valuesObject";
        let block = HelmValues {
            layout: ConfigFormat::ArgoApplication,
            prefix,
            name: name.clone(),
            namespace: namespace.clone(),
        };
        blocks(seen, path, values, &block);
    }
    let spot = |key: String, value: ValueKind, written: &str, repository: Option<String>| VersionLocation {
        path: Arc::clone(path),
        key_paths: vec![key],
        value,
        written: Some(written.to_owned()),
        has_repository_beside: value == ValueKind::Image,
        repository,
        layout: ConfigFormat::ArgoApplication,
        name: name.clone(),
        namespace: namespace.clone(),
        affixes: Default::default(),
        references: Vec::new(),
    };
    let parameters = items(source, &["helm", "parameters"]);
    let parameter = |wanted: &str| {
        let found = parameters.iter().find(|parameter| text(**parameter, &["name"]) == Some(wanted));
        found.and_then(|parameter| text(*parameter, &["value"]))
    };
    if let Some(tag) = parameter("image.tag") {
        let repository = parameter("image.repository").map(str::to_owned);
        let key = "spec.source.helm.parameters[name=image.tag].value".to_owned();
        seen.versions.push(spot(key, ValueKind::Version, tag, repository));
    }
    let images = items(source, &["kustomize", "images"]);
    if let [image] = images.as_slice()
        && let Some(image) = image.scalar().filter(|image| !image.text.contains('='))
    {
        let key = "spec.source.kustomize.images[0]".to_owned();
        seen.versions.push(spot(key, ValueKind::Image, image.text, Some(repository(image.text).to_owned())));
    }
    if seen.versions.len() > before {
        seen.engines.push(GitOpsSource { manager: "argocd-controller", path: path.to_string(), namespace });
    }
}

/// Reads a Flux `Kustomization`.
pub(super) fn flux(seen: &mut RepoScan, value: YamlValue<'_>) {
    if let Some(path) = string(value, &["spec", "path"]).filter(|path| !path.contains("${")) {
        let namespace = string(value, &["spec", "targetNamespace"]);
        seen.engines.push(GitOpsSource { manager: "kustomize-controller", path: normal(&path), namespace });
    }
}

/// Normalizes a path to the form of file paths.
fn normal(path: &str) -> String {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}
