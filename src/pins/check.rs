//! What only shows when all files are put together.

use std::collections::{BTreeMap, HashMap};

use super::resolve::{Said, Unpinned};
use super::service::Draft;
use super::suggest::did_you_mean;
use super::{NeedAt, Runtime, Service, ServiceName, Settings, WorkloadRef};
use crate::problem::{Place, Problem};

/// A revision before its last checks.
pub(super) struct Declared<'a> {
    pub(super) settings: &'a Settings,
    pub(super) said: &'a BTreeMap<ServiceName, Said<'a>>,
    pub(super) services: &'a BTreeMap<ServiceName, Service>,
}

/// All that is wrong between files.
pub(super) fn all(declared: &Declared<'_>) -> Vec<Problem> {
    let mut problems = undeclared_providers(declared);
    problems.extend(shared_workloads(declared));
    problems.extend(living_ancestors(declared));
    problems.extend(unknown_lockstep(declared));
    problems.extend(unfit_for_the_runtime(declared));
    problems
}

impl<'a> Declared<'a> {
    /// What the files of services say.
    fn drafts(&self) -> impl Iterator<Item = (&'a ServiceName, &'a Draft)> {
        self.said.iter().filter_map(|(name, said)| Some((name, said.draft?.0)))
    }

    /// What a hint says where a name is not declared.
    fn hint(&self, name: &ServiceName, consumer: &ServiceName) -> String {
        let others = self.said.keys().filter(|other| *other != consumer);
        did_you_mean(name.as_str(), others.map(ServiceName::as_str)).unwrap_or_else(|| {
            format!("declare it in services/{name}.yaml, with `external: true` if it is deployed elsewhere")
        })
    }
}

/// A service that is broken is declared all the same: its consumers are not to blame.
fn undeclared_providers(declared: &Declared<'_>) -> Vec<Problem> {
    let needs = declared.drafts().flat_map(|(name, draft)| draft.needs.places.iter().map(move |need| (name, need)));
    let undeclared = needs.filter(|(_, (provider, _))| !declared.said.contains_key(provider));
    let tell = |(name, (provider, at)): (&ServiceName, &(ServiceName, NeedAt))| {
        Problem::error(format!("`{name}` depends on `{provider}`, which nothing declares"), at.provider.clone())
            .of(name)
            .hint(declared.hint(provider, name))
    };
    undeclared.map(tell).collect()
}

/// Two services would write different images to one workload. One that is deployed elsewhere writes none.
fn shared_workloads(declared: &Declared<'_>) -> Vec<Problem> {
    let mut owners: HashMap<(Option<&str>, &WorkloadRef), &Service> = HashMap::new();
    let mut problems = Vec::new();
    for service in declared.services.values().filter(|service| !service.external) {
        let namespace = service.namespace.as_deref().or(declared.settings.namespace.as_deref());
        for workload in &service.workloads {
            let owner = *owners.entry((namespace, workload)).or_insert(service);
            if owner.name == service.name {
                continue;
            }
            let [first, second] = [owner, service].map(|service| workloads_at(declared, service));
            let message = format!("`{workload}` belongs to `{}` and to `{}`", owner.name, service.name);
            let hint = "name each workload in one service";
            let tell = |of: &Service, at: &Place, other: &Place| {
                Problem::error(message.clone(), at.clone()).of(&of.name).also(other.clone(), "also here").hint(hint)
            };
            problems.push(tell(owner, &first, &second));
            problems.push(tell(service, &second, &first));
        }
    }
    problems
}

fn workloads_at(declared: &Declared<'_>, service: &Service) -> Place {
    let draft = declared.said.get(&service.name).and_then(|said| said.draft);
    let written = draft.and_then(|(draft, _)| draft.workloads.as_ref()).map(|(_, place)| place);
    written.unwrap_or(&service.version_at).clone()
}

/// A history has one heir.
fn living_ancestors(declared: &Declared<'_>) -> Vec<Problem> {
    let formerly = declared.drafts().filter_map(|(name, draft)| Some((name, draft.formerly.as_ref()?)));
    let alive = formerly.filter(|(_, (earlier, _))| declared.said.contains_key(earlier));
    let tell = |(name, (earlier, at)): (&ServiceName, &(ServiceName, Place))| {
        Problem::error(format!("`{earlier}` is still declared, `{name}` cannot go on its history"), at.clone())
            .of(name)
            .hint("remove `formerly`, or the other service")
    };
    alive.map(tell).collect()
}

/// Kubernetes pulls an image, and the local runtime starts a program.
fn unfit_for_the_runtime(declared: &Declared<'_>) -> Vec<Problem> {
    let services = declared.services.values().filter(|service| !service.external);
    let unfit = |service: &Service| {
        let said = declared.said.get(&service.name)?;
        let at = &service.version_at;
        match declared.settings.runtime {
            Runtime::Kubernetes => said.is_imageless().then(|| imageless(&service.name, at)),
            Runtime::Local if service.pin.local.is_none() => Some(unrunnable(&service.name, at)),
            Runtime::Local => None,
        }
    };
    services.filter_map(unfit).collect()
}

/// What is wrong with a service that has no pin.
pub(super) fn unpinned(settings: &Settings, (name, said): (&ServiceName, &Said<'_>), why: Unpinned) -> Problem {
    match why {
        Unpinned::Wrong(problem) => *problem,
        Unpinned::Nameless(at) if settings.runtime == Runtime::Local && !said.draft().external => unrunnable(name, &at),
        Unpinned::Nameless(at) => imageless(name, &at),
    }
}

/// Nothing says which image it is.
fn imageless(name: &ServiceName, at: &Place) -> Problem {
    let hint = format!("write `image:` into services/{name}.yaml, or `image` into the pattern");
    Problem::error(format!("nothing says the image of `{name}`"), at.clone()).of(name).hint(hint)
}

/// Nothing says how it is started.
fn unrunnable(name: &ServiceName, at: &Place) -> Problem {
    let message = format!("nothing says how to run `{name}`, and `runtime: local` runs it");
    let hint = format!("write `local: {{run: […], port: …}}` into services/{name}.yaml");
    Problem::error(message, at.clone()).of(name).hint(hint)
}

/// A group whose member is gone still serves the others: a warning.
fn unknown_lockstep(declared: &Declared<'_>) -> Vec<Problem> {
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
