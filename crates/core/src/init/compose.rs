//! Compose files: <https://github.com/compose-spec/compose-spec/blob/main/spec.md>.

use std::sync::Arc;

use super::manifest::environment;
use super::node::{items, pairs, repository, step, string, text};
use super::seen::{ConfigFormat, ReferenceContent, RepoScan, ServiceReference, VersionLocation};
use crate::pins::{ValueKind, YamlValue};

/// Returns whether the name is that of a Compose file.
pub(super) fn is_compose(file: &str) -> bool {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let rest = stem.strip_prefix("docker-compose").or_else(|| stem.strip_prefix("compose"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
}

pub(super) fn file(seen: &mut RepoScan, path: &Arc<str>, value: YamlValue<'_>) {
    for (name, service) in pairs(value, &["services"]) {
        let image = text(service, &["image"]);
        seen.versions.push(VersionLocation {
            path: Arc::clone(path),
            key_paths: vec![format!("services{}.image", step(name))],
            value: ValueKind::Image,
            written: image.map(str::to_owned),
            repository: image.map(|image| repository(image).to_owned()),
            has_repository_beside: true,
            layout: ConfigFormat::Compose,
            name: Some(name.to_owned()),
            namespace: None,
            affixes: Default::default(),
            references: texts(service),
        });
    }
}

fn texts(service: YamlValue<'_>) -> Vec<ServiceReference> {
    let mut texts = environment(service, &["environment"]);
    for list in ["command", "entrypoint"] {
        let line = string(service, &[list]).into_iter();
        let words = items(service, &[list]).into_iter().filter_map(|word| Some(word.scalar()?.text.to_owned()));
        texts.extend(line.chain(words).map(|word| ServiceReference {
            seen_in: list.to_owned(),
            key: None,
            content: ReferenceContent::Value(word),
        }));
    }
    for list in ["depends_on", "links"] {
        let listed = items(service, &[list]).into_iter().filter_map(|it| it.scalar()?.text.split(':').next());
        let names = pairs(service, &[list]).into_iter().map(|(name, _)| name).chain(listed);
        texts.extend(names.map(|name| ServiceReference {
            seen_in: list.to_owned(),
            key: None,
            content: ReferenceContent::Name(name.to_owned()),
        }));
    }
    texts
}
