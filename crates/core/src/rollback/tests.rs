//! Small repositories written as text, and what goes back as text.

mod adopt;
mod brute;
mod closures;
mod evidence;
mod requests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{HoldPolicy, Request, Revert, RollbackError, RollbackInput, RollbackMessage, RollbackTarget, plan_revert};
use crate::desired::DesiredState;
use crate::evidence::Evidence;
use crate::git::{Commit, CommitId, FileContent, RepoFile, blob_id};
use crate::history::History;
use crate::pins::{self, ServiceName};
use crate::plan::{LiveService, RolloutProgress};
use crate::running::Running;
use crate::version::Version;
use crate::workload::ProvenVersion;

/// A repository with its history, and what its cluster has proven.
pub(super) struct Shop {
    desired: DesiredState,
    proven: BTreeMap<ServiceName, Vec<ProvenVersion>>,
}

/// Reads a repository: a line a service, the pins that it had separated by `;`, oldest first.
///
/// `name: VERSION[!] [needs PROVIDER RANGE[, PROVIDER RANGE…]]; …`, with `!` behind a version that is proven, `-` for a
/// revision in which the service does not move, `gone` for one in which it is not pinned, and behind `//` what stands in the
/// file at the tip besides, lines separated by `&`. The revisions of all lines are made side by side.
pub(super) fn shop(text: &str) -> Shop {
    let lines: Vec<(&str, Vec<&str>, &str)> = text.trim().lines().map(line).collect();
    let revisions = lines.iter().map(|(_, pins, _)| pins.len()).max().unwrap();
    let mut history = History::default();
    let (mut files, mut proven) = (BTreeMap::new(), BTreeMap::<ServiceName, Vec<ProvenVersion>>::new());
    for number in 0..revisions {
        let commit = Arc::new(commit(number));
        for (name, pins, rest) in &lines {
            match pins.get(number).copied().unwrap_or("-") {
                "-" => continue,
                "gone" => drop(files.remove(*name)),
                pin => {
                    let is_last = pins[number + 1..].iter().all(|pin| *pin == "-");
                    files.insert(*name, service_file(pin, if is_last { rest } else { "" }));
                    if let Some((version, _)) = pin.split_once('!') {
                        proven.entry(service(name)).or_default().push(proof(version, &commit));
                    }
                }
            }
            let pinned = files.get(name).map(|text| read([(*name, text)]));
            let pin = pinned.and_then(|mut pins| pins.services.remove(&service(name))).map(|service| service.pin);
            history.record_pin(&service(name), &commit, pin);
        }
        history.set_tip(commit);
    }
    let pins = read(files.iter().map(|(name, text)| (*name, text)));
    let tip = history.tip().unwrap().id;
    Shop { desired: DesiredState::new(tip, pins, Arc::new(history), String::new()), proven }
}

fn line(text: &str) -> (&str, Vec<&str>, &str) {
    let (name, rest) = text.trim().split_once(':').unwrap();
    let (pins, rest) = rest.split_once("//").unwrap_or((rest, ""));
    (name, pins.split(';').map(str::trim).collect(), rest.trim())
}

/// `1.8 needs payments >=2.1` as a file.
fn service_file(pin: &str, rest: &str) -> String {
    let (version, needs) = pin.split_once(" needs ").unwrap_or((pin, ""));
    let mut text = format!("version: \"{}\"\nimage: acme/x\n", version.trim_end_matches('!'));
    if !needs.is_empty() {
        text.push_str("dependsOn:\n");
    }
    for need in needs.split(", ").filter(|need| !need.is_empty()) {
        let (provider, range) = need.split_once(' ').unwrap();
        writeln!(text, "  {provider}: \"{range}\"").unwrap();
    }
    if !rest.is_empty() {
        rest.split('&').for_each(|line| writeln!(text, "{}", line.trim()).unwrap());
    }
    text
}

/// The pins of these files; needs of services that are not among them are fine here.
fn read<'t>(files: impl IntoIterator<Item = (&'t str, &'t String)>) -> pins::Pins {
    let file = |(name, text): (&str, &String)| RepoFile {
        path: format!("services/{name}.yaml").into(),
        blob: blob_id(text.as_bytes()),
        content: FileContent::Bytes(text.as_bytes().into()),
    };
    let files: Vec<RepoFile> = files.into_iter().map(file).collect();
    let mut reading = pins::parse_revision("", &files);
    reading.pins.services.extend(reading.faulty);
    reading.pins.broken.retain(|name, _| !reading.pins.services.contains_key(name));
    assert!(reading.pins.broken.is_empty(), "{:?}", reading.pins.broken);
    reading.pins
}

/// The commit of a revision.
fn commit(number: usize) -> Commit {
    let time = Timestamp::from_second(1_767_225_600 + 3600 * i64::try_from(number).unwrap()).unwrap();
    let id = CommitId::from([u8::try_from(number).unwrap() + 1; 20]);
    Commit { id, author: "Ada".into(), time, subject: format!("Revision {number}").into() }
}

fn proof(version: &str, commit: &Commit) -> ProvenVersion {
    ProvenVersion { version: self::version(version), commit: commit.id, at: commit.time, took_ms: 12_000 }
}

fn service(name: &str) -> ServiceName {
    ServiceName::new(name.trim()).unwrap()
}

fn version(text: &str) -> Version {
    Version::new(text.trim()).unwrap()
}

impl Shop {
    pub(super) fn revert(&self, request: &Request) -> Result<Revert, RollbackError> {
        self.knowing(|known| plan_revert(known, request, HoldPolicy::Above))
    }

    /// The same, where no two shall come together that were never seen so.
    pub(super) fn seen(&self, request: &Request) -> Result<Revert, RollbackError> {
        let evidence = Some(Evidence::new(&self.desired.history, Duration::ZERO));
        self.knowing(|known| plan_revert(RollbackInput { evidence, ..known }, request, HoldPolicy::Above))
    }

    fn knowing<T>(&self, tell: impl FnOnce(RollbackInput<'_>) -> T) -> T {
        let DesiredState { pins, history, graph, lockstep, .. } = &self.desired;
        let wanted: Vec<_> = graph.ids().map(|id| self.desired.target(id)).collect();
        let (wanted, live, proven) = (&wanted, &self.desired.live_settled_at(pins), &self.proven);
        tell(RollbackInput { pins, history, graph, lockstep, wanted, live, proven, evidence: None })
    }

    /// What goes back, a line a service; or why nothing does.
    pub(super) fn says(&self, request: &Request) -> String {
        told(self.revert(request))
    }

    /// What is adopted of a service of which this runs.
    pub(super) fn adopts(&self, name: &str, running: &[Running], motion: RolloutProgress) -> String {
        let id = self.desired.graph.id(&service(name)).unwrap();
        self.knowing(|known| {
            let mut live = known.live.to_vec();
            let (spec, running) = (running.to_vec(), running.to_vec());
            live[id.index()] = LiveService { running, spec, progress: motion, ..live[id.index()].clone() };
            let request = Request::Services(vec![service(name)], RollbackTarget::Running);
            told(plan_revert(RollbackInput { live: &live, ..known }, &request, HoldPolicy::Above))
        })
    }

    /// The same, of services by name.
    pub(super) fn rolls_back(&self, names: &str, aim: RollbackTarget) -> String {
        self.says(&Request::Services(names.split_whitespace().map(service).collect(), aim))
    }

    pub(super) fn message(&self, names: &str, aim: RollbackTarget, reason: Option<&str>) -> String {
        let names = names.split_whitespace().map(service).collect();
        self.message_of(&Request::Services(names, aim), reason)
    }

    pub(super) fn message_of(&self, request: &Request, reason: Option<&str>) -> String {
        let revert = self.revert(request).unwrap();
        let history = &self.desired.history;
        let inverse = super::exactly_reverted_commit(&revert, history);
        RollbackMessage::for_revert(&revert, history, "prod-eu", reason, inverse.as_ref()).to_string()
    }
}

fn told(revert: Result<Revert, RollbackError>) -> String {
    match revert {
        Ok(revert) => lines(&revert),
        Err(refusal) => format!("{refusal}\n  {}\n", serde_json::to_string(&refusal.remedy()).unwrap()),
    }
}

fn lines(revert: &Revert) -> String {
    let mut text = String::new();
    for it in &revert.members {
        let back = it.back.map_or_else(String::new, |back| format!(", {back} back"));
        let proven = if it.proven.is_some() { ", proven" } else { "" };
        let at = it.target.position;
        writeln!(text, "{} {} -> {}: {}{back}{proven}, of {at}", it.service, it.from.version, it.to.version, it.why)
            .unwrap();
        for (version, objection) in &it.passed_over {
            writeln!(text, "  not {version}: it {objection}").unwrap();
        }
    }
    for it in &revert.skipped {
        writeln!(text, "{} stays: {}", it.service, it.why).unwrap();
    }
    for unmet in &revert.elsewhere {
        writeln!(text, "not repaired: {unmet}").unwrap();
    }
    for (name, held) in &revert.holds {
        writeln!(text, "{name} held: {held:?}").unwrap();
    }
    if revert.is_empty() { text + "nothing\n" } else { text }
}
