//! `pintle init`: a first `pintle.yaml` from what a repository says already, and what runs.
#![expect(clippy::disallowed_methods, reason = "this room writes the first files")]

mod json;
mod text;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use json::ProposalJson;
use pintle_core::git::File;
use pintle_core::init::{Choice, Live, NewFile, Proposal, Wish, propose};
use text::{tell, tell_left};

use super::exit::{Exit, Failure, help};
use super::load::open;
use super::output::{DIM, Output, Printing, counted, styled};
use super::progress::Progress;
use super::session::block_on;
use crate::cli::config::Config;
use crate::cluster::ClusterError;
use crate::cluster::kube::{Connect, Kube, Patience};
use crate::source::{Scope, SourceError};

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
pub(super) struct Init {
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
        output.result(self.printing.output, &ProposalJson::from(&proposal), |output| {
            tell(&proposal, self.dry_run, output);
        })?;
        Ok(Exit::Ok)
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
        tokio::time::timeout(PATIENCE, looking).await.map_err(late).flatten()
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
