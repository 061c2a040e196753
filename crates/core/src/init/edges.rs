//! Finds needs between services in their configuration.
//!
//! Only whole host names count. A user adds a missed edge in one line, but a false edge makes a rollout wait in vain.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::resolve::FoundService;
use super::seen::{ReferenceContent, RepoScan, ServiceReference};
use crate::pins::ServiceName;

/// A service that the configuration of another one names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposedEdge {
    pub provider: ServiceName,
    /// The setting with the name: `env PAYMENTS_ADDR`.
    #[serde(rename = "seen")]
    pub seen_in: String,
}

/// The certainty of an edge, most certain first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EdgeConfidence {
    Declared,
    Address,
    VariableName,
}

/// Finds the edges of each service.
pub(super) fn propose_edges(
    seen: &RepoScan,
    found: &[FoundService<'_>],
    belongs: &dyn Fn(&str) -> bool,
) -> BTreeMap<ServiceName, Vec<ProposedEdge>> {
    let hosts = HostNames::of(seen, found);
    let prefixes: Vec<(String, &ServiceName)> =
        found.iter().map(|it| (it.name.as_str().to_uppercase().replace('-', "_"), &it.name)).collect();
    let of_one = |service: &FoundService<'_>| {
        let names = service.manifests.iter().flat_map(|manifest| &manifest.configs);
        let maps = names.filter_map(|name| seen.configs.get(name)).flatten();
        let of_configs = maps.filter(|(path, _)| belongs(path)).map(|(_, text)| text);
        let of_manifests = service.manifests.iter().flat_map(|manifest| &manifest.references);
        let texts = service.references.iter().copied().chain(of_manifests).chain(of_configs);
        (service.name.clone(), of_one(service, texts, &hosts, &prefixes))
    };
    let edges = found.iter().map(of_one);
    edges.filter(|(_, edges)| !edges.is_empty()).collect()
}

fn of_one<'t>(
    service: &FoundService<'_>,
    texts: impl Iterator<Item = &'t ServiceReference>,
    hosts: &HostNames<'_>,
    prefixes: &[(String, &ServiceName)],
) -> Vec<ProposedEdge> {
    let mut best: BTreeMap<&ServiceName, (EdgeConfidence, &str)> = BTreeMap::new();
    for text in texts {
        let mut add = |provider, evidence| {
            let entry = best.entry(provider).or_insert((evidence, &text.seen_in));
            if evidence < entry.0 {
                *entry = (evidence, &text.seen_in);
            }
        };
        match &text.content {
            ReferenceContent::Name(name) => {
                hosts.names.get(name.as_str()).map(|provider| add(provider, EdgeConfidence::Declared))
            }
            ReferenceContent::Value(value) => {
                hosts.in_text(value, text, service).for_each(|provider| add(provider, EdgeConfidence::Address));
                None
            }
            ReferenceContent::SecretRef => {
                let key = text.key.as_deref().unwrap_or_default();
                by_key(key, prefixes).map(|provider| add(provider, EdgeConfidence::VariableName))
            }
        };
    }
    let others = best.into_iter().filter(|(provider, _)| **provider != service.name);
    others.map(|(provider, (_, seen))| ProposedEdge { provider: provider.clone(), seen_in: seen.to_owned() }).collect()
}

/// Suffixes after the name of a service in a variable with its address.
const ADDRESS_SUFFIXES: [&str; 10] =
    ["ADDR", "ADDRESS", "URL", "URI", "HOST", "ENDPOINT", "BASE_URL", "GRPC_ADDR", "DSN", "HOSTNAME"];

/// Returns the service in the name of a variable: `PAYMENTS_ADDR`, `PAYMENTS_SERVICE_HOST`.
fn by_key<'f>(key: &str, prefixes: &[(String, &'f ServiceName)]) -> Option<&'f ServiceName> {
    let fits = |prefix: &str| {
        let rest = key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
        rest.is_some_and(|rest| ADDRESS_SUFFIXES.contains(&rest) || rest.starts_with("SERVICE_"))
    };
    prefixes.iter().find(|(prefix, _)| fits(prefix)).map(|(_, service)| *service)
}

/// The host names of services.
struct HostNames<'f> {
    names: HashMap<&'f str, &'f ServiceName>,
    namespaces: HashMap<&'f ServiceName, &'f str>,
    all_namespaces: Vec<&'f str>,
}

impl<'f> HostNames<'f> {
    fn of(seen: &'f RepoScan, found: &'f [FoundService<'_>]) -> Self {
        let mut names: HashMap<&str, Option<&ServiceName>> = HashMap::new();
        let mut add = |host: &'f str, service: &'f ServiceName| {
            let entry = names.entry(host).or_insert(Some(service));
            // A host name that two services claim identifies neither.
            *entry = entry.filter(|known| *known == service);
        };
        for service in found {
            add(service.name.as_str(), &service.name);
            if let Some(name) = &service.spot.name {
                add(name, &service.name);
            }
            for manifest in &service.manifests {
                add(&manifest.workload.name, &service.name);
                let selects = |selector: &[(String, String)]| selector.iter().all(|it| manifest.labels.contains(it));
                let hosts = seen.hosts.iter().filter(|host| selects(&host.selector));
                hosts.for_each(|host| add(&host.name, &service.name));
            }
        }
        let namespaces = found.iter().filter_map(|it| Some((&it.name, it.namespace.as_deref()?)));
        Self {
            names: names.into_iter().filter_map(|(host, service)| Some((host, service?))).collect(),
            namespaces: namespaces.collect(),
            all_namespaces: found.iter().filter_map(|it| it.namespace.as_deref()).collect(),
        }
    }

    /// Finds the services whose host names occur in a text.
    fn in_text(
        &self,
        value: &str,
        text: &ServiceReference,
        service: &FoundService<'_>,
    ) -> impl Iterator<Item = &'f ServiceName> {
        let alone = text.key.as_deref().is_some_and(is_host_key);
        let mut found = Vec::new();
        for (at, word) in words(value) {
            let (before, after) = (&value[..at], &value[at + word.len()..]);
            let known = word.split('.').nth(2) == Some("svc") || alone && word.len() == value.trim().len();
            if stands_as_host(before, after, known) {
                found.extend(self.service(word, service));
            }
            if found.len() > 100 {
                break;
            }
        }
        found.into_iter()
    }

    /// Resolves a host name to its service: the bare name, or a Kubernetes DNS name with the namespace.
    fn service(&self, host: &str, from: &FoundService<'_>) -> Option<&'f ServiceName> {
        let host = host.trim_end_matches('.');
        let (first, rest) = host.split_once('.').map_or((host, None), |(first, rest)| (first, Some(rest)));
        let of_pod = || {
            // `db-0.db`: a pod of a StatefulSet.
            let (name, number) = first.rsplit_once('-')?;
            let (below, rest) = rest?.split_once('.').map_or((rest?, None), |(below, rest)| (below, Some(rest)));
            number.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            self.names.get(name).filter(|_| self.names.contains_key(below)).map(|service| (*service, rest))
        };
        let (service, rest) = self.names.get(first).map(|service| (*service, rest)).or_else(of_pod)?;
        let Some(rest) = rest else { return Some(service) };
        let own = self.namespaces.get(service).copied().or(from.namespace.as_deref());
        let (namespace, domain) = rest.split_once('.').map_or((rest, ""), |(namespace, domain)| (namespace, domain));
        let inside = matches!(domain, "svc" | "svc.cluster.local") || domain.is_empty() && rest != "svc";
        let known = own.map_or(!domain.is_empty(), |own| own == namespace);
        let known = known && (!domain.is_empty() || self.all_namespaces.contains(&namespace));
        (inside && known).then_some(service)
    }
}

/// Returns whether a variable of this name has a host as its whole value.
fn is_host_key(key: &str) -> bool {
    let key = key.to_uppercase();
    ["HOST", "HOSTNAME", "ADDR", "ADDRESS", "ENDPOINT", "SERVER", "UPSTREAM", "URL", "URI", "SERVICE"]
        .iter()
        .any(|end| key.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '.', '-'])))
}

/// Splits a text into words that may be host names, each with its offset.
fn words(value: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + value[at..].find(is_part)?;
        let end = value[start..].find(|letter| !is_part(letter)).map_or(value.len(), |length| start + length);
        at = end;
        Some((start, &value[start..end]))
    })
}

/// Returns whether a word is a host by its context: a scheme before it, or a port after it and no path before it.
fn stands_as_host(before: &str, after: &str, known: bool) -> bool {
    if before.ends_with("://") {
        return true;
    }
    // `scheme://user:password@host`
    let authority = before.rsplit([' ', ',', '"', '\'']).next().unwrap_or_default();
    if before.ends_with('@') && authority.split_once("://").is_some_and(|(_, rest)| !rest.contains('/')) {
        return true;
    }
    let free = before.chars().next_back().is_none_or(|sign| sign.is_whitespace() || "=,;\"'([".contains(sign));
    free && (known || has_port(after))
}

/// Returns whether a port follows. A small number is rather the tag of an image, as in `postgres:16`.
fn has_port(after: &str) -> bool {
    let Some(rest) = after.strip_prefix(':') else { return false };
    let digits = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let port = rest[..digits].parse::<u16>().ok();
    let ends = rest[digits..].chars().next().is_none_or(|sign| !sign.is_alphanumeric() && !"-._:".contains(sign));
    ends && port.is_some_and(|port| port >= 80 || matches!(port, 25 | 53))
}
