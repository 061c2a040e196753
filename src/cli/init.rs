//! `pintle init`: a first `pintle.yaml` from what a repository says already, and what runs.
#![expect(clippy::disallowed_methods, reason = "this room writes the first files")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, Failure, help};
use super::load::open;
use super::output::{BUSY, DIM, GOOD, NAME, Output, Printing, counted, styled};
use super::progress::Progress;
use super::site::block_on;
use crate::cluster::ClusterError;
use crate::cluster::kube::{Connect, Kube, Patience};
use crate::config::Config;
use crate::init::{Choice, Live, NewFile, Proposal, Wish, propose};
use crate::pins::ServiceName;
use crate::problem::show;
use crate::source::{File, Scope, SourceError};

/// Write a first pintle.yaml from what the repository says already
///
/// Looks for versions where they live (Kustomize, Helm values, HelmReleases, manifests, Compose, what Argo CD and Flux
/// apply) and, where one can be reached, at the namespace in the cluster. Writes patterns that find them, and proposes who
/// needs whom, each with the place where it was seen. Files that exist are left alone.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle init --dry-run\npintle init --env prod\npintle init --path clusters/prod --no-cluster",
    &[Exit::Ok, Exit::Error, Exit::Usage],
))]
pub struct Init {
    /// The environment to pin, where the repository has several: the name of its overlay, folder or values file
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Look at the repository only
    #[arg(long)]
    no_cluster: bool,
    #[command(flatten)]
    printing: Printing,
}

/// A cluster that does not answer at once is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'p> {
    environment: Option<&'p str>,
    services: Vec<&'p str>,
    edges: Vec<ShownEdge<'p>>,
    files: Vec<ShownFile<'p>>,
    left: Vec<ShownLeft<'p>>,
    owned: Vec<ShownOwned<'p>>,
}

#[derive(Debug, Serialize)]
struct ShownEdge<'p> {
    consumer: &'p str,
    provider: &'p str,
    seen: &'p str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownFile<'p> {
    path: &'p str,
    text: &'p str,
    /// It was there before, and stays as it is.
    existed: bool,
}

#[derive(Debug, Serialize)]
struct ShownLeft<'p> {
    what: &'p str,
    why: &'p str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownOwned<'p> {
    manager: &'p str,
    services: Vec<&'p str>,
    way_out: &'p str,
}

impl Init {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let source = open(config)?.source;
        let location = source.location().to_string();
        let root = source.worktree().ok_or_else(|| SourceError::NoWorktree { location: location.clone() })?.to_owned();
        let reading = Progress::of("reading the repository");
        let files = source.worktree_files(Scope::Yaml)?;
        drop(reading);
        let wish = Wish {
            root: &config.root,
            environment: self.env.as_deref(),
            namespace: config.namespace.as_deref(),
            live: None,
        };
        let proposal = propose(&files.files, &wish);
        let proposal =
            if self.no_cluster { proposal } else { beside_cluster(config, (&files.files, &wish), proposal, output) };
        let proposal = proposal.map_err(|choice| ask(&choice))?;
        if proposal.services.is_empty() {
            tell_left(&proposal, output);
            return Err(nothing(&proposal));
        }
        if !self.dry_run {
            write(&root, &proposal.files)?;
        }
        output.result(self.printing.output, &report(&proposal), |output| self.tell(&proposal, output))?;
        Ok(Exit::Ok)
    }

    fn tell(&self, proposal: &Proposal, output: &mut Output) {
        let templates = match proposal.templates {
            0 => String::new(),
            count => format!(", passed over {}", counted(count, "template")),
        };
        let environment = proposal.environment.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
        let (read, services) = (counted(proposal.read, "YAML file"), counted(proposal.services.len(), "service"));
        output.line(format_args!("Read {read}{templates}: {services}{environment}."));
        for file in &proposal.files {
            let NewFile { path, text, exists } = file;
            match (exists, self.dry_run) {
                (false, false) => output.line(format_args!("  {} {path}", styled(GOOD, "wrote"))),
                (false, true) => {
                    output.line(format_args!("\n{}", styled(NAME, format_args!("# {path}"))));
                    output.write(format_args!("{text}"));
                }
                (true, dry) => {
                    if dry {
                        output.line("");
                    }
                    output.line(format_args!("  {} {path}; it could say:", styled(BUSY, "left alone")));
                    text.lines().for_each(|line| output.line(format_args!("      {line}")));
                }
            }
        }
        tell_left(proposal, output);
        for owned in &proposal.owned {
            let services: Vec<&str> = owned.services.iter().map(ServiceName::as_str).collect();
            let title = styled(BUSY, format_args!("{} owns the images of", owned.manager));
            output.line(format_args!("\n{title} {}", listed(&services)));
            output.line(format_args!("  to let Pintle move them: {}", owned.way_out));
        }
        output.line("");
        if !self.dry_run && proposal.files.iter().any(|file| !file.exists) {
            output.line("Look at it, then commit it: pintle check && git add --all && git commit -m 'Pin what runs'");
        }
        output.line(counts(proposal));
    }
}

/// The proposal again with what runs, in the namespace that was typed, else the one that the files name.
fn beside_cluster(
    config: &Config,
    (files, wish): (&[File], &Wish<'_>),
    alone: Result<Proposal, Choice>,
    output: &mut Output,
) -> Result<Proposal, Choice> {
    let of_files = alone.as_ref().ok().and_then(|proposal| proposal.namespace.clone());
    match look(config, config.namespace.clone().or(of_files), output) {
        Some(live) => propose(files, &Wish { live: Some(&live), ..*wish }),
        None => alone,
    }
}

/// What runs, where a cluster answers; else why not.
fn look(config: &Config, namespace: Option<String>, output: &mut Output) -> Option<Live> {
    let patience = Patience { answer: PATIENCE, ..Patience::default() };
    let to = Connect { context: config.context.clone(), namespace, patience, ..Connect::default() };
    let _looking = Progress::of("looking at the cluster");
    let looked = block_on(async {
        let looking = async {
            let kube = Kube::connect(&to).await?;
            let workloads = kube.workloads().await?;
            let said = format!("{}, namespace {}", kube.server(), kube.namespace());
            Ok::<_, ClusterError>((Live { namespace: kube.namespace().to_owned(), workloads }, said))
        };
        let late = |_| ClusterError::Unreachable(format!("the cluster: no answer within {PATIENCE:?}"));
        Ok(tokio::time::timeout(PATIENCE, looking).await.map_err(late).and_then(|looked| looked))
    });
    match looked {
        Ok(Ok((live, said))) => {
            output.note(styled(DIM, format_args!("looked at {said}: {}", counted(live.workloads.len(), "workload"))));
            Some(live)
        }
        Ok(Err(error)) => {
            output.note(styled(DIM, format_args!("looked at the repository only: {error}")));
            None
        }
        Err(_) => None,
    }
}

/// `150 services, 87 edges between 61 of them; 89 have none: pintle graph`.
fn counts(proposal: &Proposal) -> String {
    let all = proposal.services.len();
    let edges = proposal.linked.len();
    let linked: BTreeSet<_> = proposal.linked.iter().flat_map(|(consumer, provider)| [consumer, provider]).collect();
    let none = match all - linked.len() {
        1 => "1 has none".to_owned(),
        none => format!("{none} have none"),
    };
    let between = if edges == 0 { String::new() } else { format!(" between {} of them", linked.len()) };
    format!("{}, {}{between}; {none}: pintle graph", counted(all, "service"), counted(edges, "edge"))
}

fn listed(names: &[&str]) -> String {
    /// More are counted.
    const MOST: usize = 8;
    match names.len().checked_sub(MOST) {
        Some(rest) if rest > 0 => format!("{} and {rest} more", names[..MOST].join(", ")),
        _ => names.join(", "),
    }
}

/// What is not pinned, and what was not read.
fn tell_left(proposal: &Proposal, output: &mut Output) {
    let title = |output: &mut Output, text: &str| output.line(format_args!("\n{}", styled(BUSY, text)));
    if !proposal.left.is_empty() {
        title(output, "Not pinned");
        for left in &proposal.left {
            output.line(format_args!("  {}: {}", show(&left.what), left.why));
        }
    }
    if !proposal.unsupported.is_empty() {
        title(output, "Kinds that Pintle does not write to");
        for (object, path) in &proposal.unsupported {
            output.line(format_args!("  {} ({})", show(object), show(path)));
        }
    }
    if !proposal.skipped.is_empty() {
        title(output, "Not read");
        for skipped in &proposal.skipped {
            output.line(format_args!("  {skipped}"));
        }
    }
}

fn ask(choice: &Choice) -> Failure {
    let first = choice.environments.iter().find(|name| name.contains("prod")).or(choice.environments.first());
    let names = choice.environments.join(", ");
    let message = match &choice.wanted {
        Some(wanted) if choice.environments.is_empty() => format!("there is no environment {wanted:?}, nor any other"),
        Some(wanted) => format!("{wanted:?} is not one environment of this repository; it has {names}"),
        None => format!("this repository pins several environments: {names}"),
    };
    let typed = first.map_or("pintle init".to_owned(), |name| format!("pintle init --env {name}"));
    Failure::usage(message).hint(format!("say which one this branch deploys: {typed}"))
}

fn nothing(proposal: &Proposal) -> Failure {
    let files = counted(proposal.read, "YAML file");
    Failure::error(format!("no version was found in {files}")).hint(
        "pin a first service by hand, in services/NAME.yaml: `version: \"1.8.2\"` and `image: ghcr.io/acme/checkout`",
    )
}

/// Writes what does not exist yet; nothing is ever written over, and nothing at all where a folder leads elsewhere.
fn write(root: &Path, files: &[NewFile]) -> Result<(), Failure> {
    let new: Vec<&NewFile> = files.iter().filter(|file| !file.exists).collect();
    let failed = |file: &NewFile, error: io::Error| Failure::error(format!("cannot write {}: {error}", file.path));
    for file in &new {
        let folder = root.join(&file.path).parent().map_or_else(|| root.to_owned(), Path::to_owned);
        let inside = || Ok::<_, io::Error>(folder.canonicalize()?.starts_with(root.canonicalize()?));
        let made = fs::create_dir_all(&folder).and_then(|()| inside());
        if !made.map_err(|error| failed(file, error))? {
            let message = format!("cannot write {}: its folder is a link that leads out of the repository", file.path);
            return Err(Failure::error(message).hint("nothing was written; remove the link"));
        }
    }
    for file in new {
        let created = fs::OpenOptions::new().write(true).create_new(true).open(root.join(&file.path));
        let written = created.and_then(|mut created| created.write_all(file.text.as_bytes()));
        written.map_err(|error| failed(file, error))?;
    }
    Ok(())
}

fn report(proposal: &Proposal) -> Report<'_> {
    let edges = proposal.edges.iter().flat_map(|(consumer, edges)| {
        edges.iter().map(|edge| ShownEdge {
            consumer: consumer.as_str(),
            provider: edge.provider.as_str(),
            seen: &edge.seen,
        })
    });
    let owned = proposal.owned.iter().map(|owned| ShownOwned {
        manager: &owned.manager,
        services: owned.services.iter().map(ServiceName::as_str).collect(),
        way_out: &owned.way_out,
    });
    Report {
        environment: proposal.environment.as_deref(),
        services: proposal.services.iter().map(ServiceName::as_str).collect(),
        edges: edges.collect(),
        files: proposal
            .files
            .iter()
            .map(|file| ShownFile { path: &file.path, text: &file.text, existed: file.exists })
            .collect(),
        left: proposal.left.iter().map(|left| ShownLeft { what: &left.what, why: &left.why }).collect(),
        owned: owned.collect(),
    }
}
