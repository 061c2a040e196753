//! Checks between the files of a revision.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::resolve::{NoPin, Said};
use super::service::Draft;
use super::suggest::did_you_mean;
use super::{LocalSpec, NeedPlaces, Runtime, Service, ServiceName, Settings, WorkloadRef};
use crate::problem::{FilePlace, Problem};

/// The declarations of a revision, before the checks between files.
pub(super) struct DeclaredServices<'a> {
    pub(super) settings: &'a Settings,
    pub(super) said: &'a BTreeMap<ServiceName, Said<'a>>,
    pub(super) services: &'a BTreeMap<ServiceName, Service>,
}

/// Returns all problems between files.
pub(super) fn cross_file_problems(declared: &DeclaredServices<'_>) -> Vec<Problem> {
    let mut problems = undeclared_providers(declared);
    problems.extend(shared_workloads(declared));
    problems.extend(shared_ports(declared));
    problems.extend(living_ancestors(declared));
    problems.extend(unknown_lockstep(declared));
    problems.extend(unfit_for_the_runtime(declared));
    problems
}

impl<'a> DeclaredServices<'a> {
    /// Returns the drafts of all service files.
    fn drafts(&self) -> impl Iterator<Item = (&'a ServiceName, &'a Draft)> {
        self.said.iter().filter_map(|(name, said)| Some((name, said.draft?.0)))
    }

    /// Returns the draft of a service's own file.
    fn draft(&self, service: &Service) -> Option<&'a Draft> {
        self.said.get(&service.name)?.draft.map(|(draft, _)| draft)
    }

    /// Returns the services that Pintle writes. External services are deployed elsewhere, and cannot conflict here.
    fn written(&self) -> impl Iterator<Item = &'a Service> {
        self.services.values().filter(|service| !service.external)
    }

    /// Returns the hint for a provider that is not declared.
    fn hint(&self, name: &ServiceName, consumer: &ServiceName) -> String {
        let others = self.said.keys().filter(|other| *other != consumer);
        did_you_mean(name.as_str(), others.map(ServiceName::as_str)).unwrap_or_else(|| {
            format!("declare it in services/{name}.yaml, with `external: true` if it is deployed elsewhere")
        })
    }
}

/// Finds needs of undeclared providers. A broken service counts as declared, because its consumers are not at fault.
fn undeclared_providers(declared: &DeclaredServices<'_>) -> Vec<Problem> {
    let needs = declared.drafts().flat_map(|(name, draft)| draft.needs.places.iter().map(move |need| (name, need)));
    let undeclared = needs.filter(|(_, (provider, _))| !declared.said.contains_key(provider));
    let tell = |(name, (provider, at)): (&ServiceName, &(ServiceName, NeedPlaces))| {
        Problem::error(format!("`{name}` depends on `{provider}`, which nothing declares"), at.provider.clone())
            .for_service(name)
            .hint(declared.hint(provider, name))
    };
    undeclared.map(tell).collect()
}

/// Finds workloads that two services claim. They would write different images to one workload.
fn shared_workloads(declared: &DeclaredServices<'_>) -> Vec<Problem> {
    let claims = declared.written().flat_map(|service| {
        let namespace = service.namespace.as_deref().or(declared.settings.namespace.as_deref());
        service.workloads.iter().map(move |workload| ((namespace, workload), service))
    });
    let words = |(_, workload): (_, &WorkloadRef), [one, other]: [&ServiceName; 2]| {
        format!("`{workload}` belongs to `{one}` and to `{other}`")
    };
    claimed_twice(claims, |service| workloads_at(declared, service), words, "name each workload in one service")
}

/// Finds ports that two local processes listen on. The second process would fail to start.
fn shared_ports(declared: &DeclaredServices<'_>) -> Vec<Problem> {
    let is_local = declared.settings.runtime == Runtime::Local;
    let claims = declared.written().filter(|_| is_local).filter_map(|service| match service.pin.local.as_deref()? {
        LocalSpec::Process { port, .. } => Some(((*port)?, service)),
        LocalSpec::Commands { .. } => None,
    });
    let at = |service: &Service| {
        let written = declared.draft(service).and_then(|draft| draft.port_at.as_ref());
        written.unwrap_or(&service.version_at).clone()
    };
    let words = |port: u16, [one, other]: [&ServiceName; 2]| format!("`{one}` and `{other}` listen on port {port}");
    claimed_twice(claims, at, words, "give each a port of its own")
}

/// Reports claims that conflict. Neither service owns the claim, so each gets an error that points to the other.
fn claimed_twice<'s, K: Copy + Eq + Hash>(
    claims: impl Iterator<Item = (K, &'s Service)>,
    at: impl Fn(&Service) -> FilePlace,
    words: impl Fn(K, [&ServiceName; 2]) -> String,
    hint: &str,
) -> Vec<Problem> {
    let mut owners: HashMap<K, &Service> = HashMap::new();
    let mut problems = Vec::new();
    for (what, service) in claims {
        let owner = *owners.entry(what).or_insert(service);
        if owner.name == service.name {
            continue;
        }
        let message = words(what, [&owner.name, &service.name]);
        let [first, second] = [owner, service].map(&at);
        let tell = |of: &Service, at: &FilePlace, other: &FilePlace| {
            Problem::error(message.clone(), at.clone())
                .for_service(&of.name)
                .also(other.clone(), "also here")
                .hint(hint)
        };
        problems.push(tell(owner, &first, &second));
        problems.push(tell(service, &second, &first));
    }
    problems
}

fn workloads_at(declared: &DeclaredServices<'_>, service: &Service) -> FilePlace {
    let written = declared.draft(service).and_then(|draft| draft.workloads.as_ref()).map(|(_, place)| place);
    written.unwrap_or(&service.version_at).clone()
}

/// Finds services whose earlier name is still declared. Only one service can inherit a history.
fn living_ancestors(declared: &DeclaredServices<'_>) -> Vec<Problem> {
    let formerly = declared.drafts().filter_map(|(name, draft)| Some((name, draft.formerly.as_ref()?)));
    let alive = formerly.filter(|(_, (earlier, _))| declared.said.contains_key(earlier));
    let tell = |(name, (earlier, at)): (&ServiceName, &(ServiceName, FilePlace))| {
        Problem::error(format!("`{earlier}` is still declared, `{name}` cannot go on its history"), at.clone())
            .for_service(name)
            .hint("remove `formerly`, or the other service")
    };
    alive.map(tell).collect()
}

/// Finds services that the runtime cannot run. Kubernetes needs an image, and the local runtime a program.
fn unfit_for_the_runtime(declared: &DeclaredServices<'_>) -> Vec<Problem> {
    let unfit = |service: &Service| {
        let said = declared.said.get(&service.name)?;
        let at = &service.version_at;
        match declared.settings.runtime {
            Runtime::Kubernetes => said.is_imageless().then(|| imageless(&service.name, at)),
            Runtime::Local if service.pin.local.is_none() => Some(unrunnable(&service.name, at)),
            Runtime::Local => None,
        }
    };
    declared.written().filter_map(unfit).collect()
}

/// Returns the problem of a service without a pin.
pub(super) fn unpinned_problem(settings: &Settings, (name, said): (&ServiceName, &Said<'_>), why: NoPin) -> Problem {
    match why {
        NoPin::Invalid(problem) => *problem,
        NoPin::NoImage(at) if settings.runtime == Runtime::Local && !said.draft().external => unrunnable(name, &at),
        NoPin::NoImage(at) => imageless(name, &at),
    }
}

fn imageless(name: &ServiceName, at: &FilePlace) -> Problem {
    let hint = format!("write `image:` into services/{name}.yaml, or `image` into the pattern");
    Problem::error(format!("nothing says the image of `{name}`"), at.clone()).for_service(name).hint(hint)
}

fn unrunnable(name: &ServiceName, at: &FilePlace) -> Problem {
    let message = format!("nothing says how to run `{name}`, and `runtime: local` runs it");
    let hint = format!("write `local: {{run: […], port: …}}` into services/{name}.yaml");
    Problem::error(message, at.clone()).for_service(name).hint(hint)
}

/// Finds lockstep members that are not declared. This is a warning, because the group still serves its other members.
fn unknown_lockstep(declared: &DeclaredServices<'_>) -> Vec<Problem> {
    let at = declared.settings.lockstep_at.as_ref().unwrap_or(&declared.settings.place);
    let members = declared.settings.lockstep.iter().flatten();
    let unknown = members.filter(|member| !declared.said.contains_key(*member));
    let tell = |member: &ServiceName| {
        let message = format!("`lockstep` names `{member}`, which nothing declares");
        let hint = did_you_mean(member.as_str(), declared.said.keys().map(ServiceName::as_str));
        Problem::warning(message, at.clone()).hint(hint.unwrap_or_else(|| "remove it from the group".to_owned()))
    };
    unknown.map(tell).collect()
}
