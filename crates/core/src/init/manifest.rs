//! Reads Kubernetes manifests: workloads, Services, ConfigMaps.

use std::sync::Arc;

use super::node::{at, basename, items, pairs, repository, string, strings, text};
use super::seen::{
    ConfigFormat, ReferenceContent, RepoScan, ScannedService, ScannedWorkload, ServiceReference, VersionLocation,
};
use crate::pins::{ValueKind, WorkloadKind, WorkloadRef, YamlValue};

/// Reads one object. `prefix` is the key path to it: empty, or with a dot at the end.
pub(super) fn object(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>, prefix: &str) {
    let kind = text(value, &["kind"]).unwrap_or_default();
    match kind {
        "Deployment" => workload(seen, path, value, (prefix, WorkloadKind::Deployment)),
        "StatefulSet" => workload(seen, path, value, (prefix, WorkloadKind::StatefulSet)),
        "DaemonSet" => workload(seen, path, value, (prefix, WorkloadKind::DaemonSet)),
        "Service" => service(seen, value),
        "ConfigMap" => config(seen, path, value),
        "CronJob" | "Job" | "Pod" | "ReplicaSet" | "ReplicationController" | "Rollout" => {
            let name = string(value, &["metadata", "name"]).unwrap_or_default();
            seen.unsupported.push((format!("{kind} {name}"), Arc::clone(path)));
        }
        // A list nested in a list has no meaning in Kubernetes, and one that contains itself has no end.
        _ if kind.ends_with("List") && prefix.is_empty() => {
            for (index, item) in items(value, &["items"]).into_iter().enumerate() {
                object(seen, path, item, &format!("{prefix}items[{index}]."));
            }
        }
        _ => {}
    }
}

fn workload(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>, (prefix, kind): (&str, WorkloadKind)) {
    let Some(name) = string(value, &["metadata", "name"]) else { return };
    let pod = ["spec", "template", "spec"];
    let Some(pod) = at(value, &pod) else { return };
    let containers = items(pod, &["containers"]);
    let all = || containers.iter().copied().chain(items(pod, &["initContainers"]));
    seen.workloads.push(ScannedWorkload {
        path: Arc::clone(path),
        workload: WorkloadRef { kind, name: name.clone() },
        namespace: string(value, &["metadata", "namespace"]),
        labels: strings(value, &["spec", "template", "metadata", "labels"]),
        images: all().filter_map(|container| string(container, &["image"])).collect(),
        references: all().flat_map(texts).collect(),
        configs: all().flat_map(configs).chain(mounted(pod)).collect(),
    });
    let Some((index, image)) = main_container(&name, &containers) else { return };
    let list = format!("{prefix}spec.template.spec.containers");
    let named = text(containers[index], &["name"]).filter(|name| !name.contains(['{', '}', ']']));
    let named = named.map(|name| format!("{list}[name={name}].image"));
    seen.versions.push(VersionLocation {
        path: Arc::clone(path),
        key_paths: named.into_iter().chain([format!("{list}[{index}].image")]).collect(),
        value: ValueKind::Image,
        written: Some(image.to_owned()),
        repository: Some(repository(image).to_owned()),
        has_repository_beside: true,
        layout: ConfigFormat::Manifest,
        name: Some(name),
        namespace: string(value, &["metadata", "namespace"]),
        affixes: Default::default(),
        references: Vec::new(),
    });
}

/// Returns the container whose image is the workload's version, with that image: the only container, else the one with
/// the workload's name, else the one whose image has that name.
fn main_container<'t>(name: &str, containers: &[YamlValue<'t>]) -> Option<(usize, &'t str)> {
    let image = |container: &YamlValue<'t>| text(*container, &["image"]);
    let with_image: Vec<_> =
        containers.iter().enumerate().filter_map(|(at, container)| Some((at, image(container)?))).collect();
    let called = |at: usize| text(containers[at], &["name"]) == Some(name);
    let one = |wanted: &dyn Fn(&(usize, &'t str)) -> bool| {
        let mut found = with_image.iter().filter(|it| wanted(it));
        found.next().copied().filter(|_| found.next().is_none())
    };
    one(&|_| true).or_else(|| one(&|it| called(it.0))).or_else(|| one(&|it| basename(repository(it.1)) == name))
}

/// Collects the texts of a container's `env`, `command` and `args`.
fn texts(container: YamlValue<'_>) -> Vec<ServiceReference> {
    let mut texts: Vec<ServiceReference> = items(container, &["env"])
        .into_iter()
        .filter_map(|entry| {
            let key = string(entry, &["name"])?;
            let content = match string(entry, &["value"]) {
                Some(value) => ReferenceContent::Value(value),
                None if at(entry, &["valueFrom", "secretKeyRef"]).is_some() => ReferenceContent::SecretRef,
                None => return None,
            };
            Some(ServiceReference { seen_in: format!("env {key}"), key: Some(key), content })
        })
        .collect();
    for list in ["command", "args"] {
        let words = items(container, &[list]).into_iter().filter_map(YamlValue::scalar);
        texts.extend(words.map(|word| ServiceReference {
            seen_in: list.to_owned(),
            key: None,
            content: ReferenceContent::Value(word.text.to_owned()),
        }));
    }
    texts
}

/// Returns the ConfigMaps that a container's environment refers to.
fn configs(container: YamlValue<'_>) -> Vec<String> {
    let whole = items(container, &["envFrom"]).into_iter().filter_map(|it| string(it, &["configMapRef", "name"]));
    let env = items(container, &["env"]);
    let single = env.into_iter().filter_map(|it| string(it, &["valueFrom", "configMapKeyRef", "name"]));
    whole.chain(single).collect()
}

fn mounted(pod: YamlValue<'_>) -> Vec<String> {
    items(pod, &["volumes"]).into_iter().filter_map(|volume| string(volume, &["configMap", "name"])).collect()
}

fn service(seen: &mut RepoScan, value: YamlValue<'_>) {
    let selector = strings(value, &["spec", "selector"]);
    if let Some(name) = string(value, &["metadata", "name"]).filter(|_| !selector.is_empty()) {
        seen.hosts.push(ScannedService { name, selector });
    }
}

fn config(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    let Some(name) = string(value, &["metadata", "name"]) else { return };
    let texts = strings(value, &["data"]).into_iter();
    let texts = texts.map(|(key, value)| (Arc::clone(path), config_text(&name, key, value)));
    seen.configs.entry(name.clone()).or_default().extend(texts);
}

pub(super) fn config_text(config: &str, key: String, value: String) -> ServiceReference {
    ServiceReference {
        seen_in: format!("ConfigMap {config}, {key}"),
        key: Some(key),
        content: ReferenceContent::Value(value),
    }
}

/// Reads an environment as Compose and Helm values have it: a map, or a list of `NAME=value`.
pub(super) fn environment(value: YamlValue<'_>, keys: &[&str]) -> Vec<ServiceReference> {
    let env = |key: &str, value: &str| ServiceReference {
        seen_in: format!("env {key}"),
        key: Some(key.to_owned()),
        content: ReferenceContent::Value(value.to_owned()),
    };
    let listed = items(value, keys).into_iter().filter_map(|item| item.scalar()?.text.split_once('='));
    let listed = listed.map(|(key, value)| env(key, value));
    let pairs = pairs(value, keys).into_iter().filter_map(|(key, value)| Some(env(key, value.scalar()?.text)));
    listed.chain(pairs).collect()
}
