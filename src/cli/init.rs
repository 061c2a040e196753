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
use pintle_core::git::RepoFile;
use pintle_core::init::{AmbiguousEnvironment, InitOptions, InitProposal, NamespaceWorkloads, ProposedFile, propose};
use text::{tell, tell_left};

use super::exit::{CommandError, CommandExit, help};
use super::load::open_repository;
use super::output::{DIM_STYLE, Output, OutputArgs, counted, styled};
use super::progress::ProgressNote;
use super::session::block_on;
use crate::cli::config::CliConfig;
use crate::cluster::ClusterError;
use crate::cluster::kube::{ConnectOptions, KubeCluster, Timeouts};
use crate::source::{FileScope, SourceError};

/// Write a first pintle.yaml from what the repository says already
///
/// Looks for versions where they live (Kustomize, Helm values, HelmReleases, manifests, Compose, what Argo CD and Flux
/// apply) and, where one can be reached, at the namespace in the cluster. Writes patterns that find them, and proposes who
/// needs whom, each with the place where it was seen. Files that exist are left alone.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle init --dry-run\npintle init --env prod\npintle init --path clusters/prod --no-cluster",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage],
))]
pub(super) struct InitCommand {
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
    printing: OutputArgs,
}

/// A cluster that does not answer at once is not waited for.
const INIT_CLUSTER_TIMEOUT: Duration = Duration::from_secs(2);

impl InitCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let source = open_repository(config)?.source;
        let location = source.location().to_string();
        let root = source.worktree().ok_or_else(|| SourceError::NoWorktree { location: location.clone() })?.to_owned();
        let reading = ProgressNote::of("reading the repository");
        let files = source.worktree_files(FileScope::Yaml)?;
        drop(reading);
        let wish = InitOptions {
            root: &config.pin_folder,
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
        Ok(CommandExit::Ok)
    }
}

/// The proposal again with what runs, in the namespace that was typed, else the one that the files name.
fn beside_cluster(
    config: &CliConfig,
    (files, wish): (&[RepoFile], &InitOptions<'_>),
    alone: Result<InitProposal, AmbiguousEnvironment>,
    output: &mut Output,
) -> Result<InitProposal, AmbiguousEnvironment> {
    let of_files = alone.as_ref().ok().and_then(|proposal| proposal.namespace.clone());
    match look(config, config.namespace.clone().or(of_files), output) {
        Some(live) => propose(files, &InitOptions { live: Some(&live), ..*wish }),
        None => alone,
    }
}

/// What runs, where a cluster answers; else why not.
fn look(config: &CliConfig, namespace: Option<String>, output: &mut Output) -> Option<NamespaceWorkloads> {
    let patience = Timeouts { request: INIT_CLUSTER_TIMEOUT, ..Timeouts::default() };
    let to =
        ConnectOptions { context: config.context.clone(), namespace, timeouts: patience, ..ConnectOptions::default() };
    let _looking = ProgressNote::of("looking at the cluster");
    let looked = block_on(async {
        let looking = async {
            let kube = KubeCluster::connect(&to).await?;
            let workloads = kube.list_workloads().await?;
            let said = format!("{}, namespace {}", kube.server(), kube.namespace());
            Ok::<_, ClusterError>((NamespaceWorkloads { namespace: kube.namespace().to_owned(), workloads }, said))
        };
        let late = |_| ClusterError::Unreachable(format!("the cluster: no answer within {INIT_CLUSTER_TIMEOUT:?}"));
        tokio::time::timeout(INIT_CLUSTER_TIMEOUT, looking).await.map_err(late).flatten()
    });
    match looked {
        Ok(Ok((live, said))) => {
            output.note(styled(
                DIM_STYLE,
                format_args!("looked at {said}: {}", counted(live.workloads.len(), "workload")),
            ));
            Some(live)
        }
        Ok(Err(error)) => {
            output.note(styled(DIM_STYLE, format_args!("looked at the repository only: {error}")));
            None
        }
        Err(_) => None,
    }
}

fn ask(choice: &AmbiguousEnvironment) -> CommandError {
    let first = choice.environments.iter().find(|name| name.contains("prod")).or(choice.environments.first());
    let names = choice.environments.join(", ");
    let message = match &choice.requested {
        Some(wanted) if choice.environments.is_empty() => format!("there is no environment {wanted:?}, nor any other"),
        Some(wanted) => format!("{wanted:?} is not one environment of this repository; it has {names}"),
        None => format!("this repository pins several environments: {names}"),
    };
    let typed = first.map_or("pintle init".to_owned(), |name| format!("pintle init --env {name}"));
    CommandError::usage(message).hint(format!("say which one this branch deploys: {typed}"))
}

fn nothing(proposal: &InitProposal) -> CommandError {
    let files = counted(proposal.read, "YAML file");
    CommandError::error(format!("no version was found in {files}")).hint(
        "pin a first service by hand, in services/NAME.yaml: `version: \"1.8.2\"` and `image: ghcr.io/acme/checkout`",
    )
}

/// Writes what does not exist yet; nothing is ever written over, and nothing at all where a folder leads elsewhere.
fn write(root: &Path, files: &[ProposedFile]) -> Result<(), CommandError> {
    let new: Vec<&ProposedFile> = files.iter().filter(|file| !file.exists).collect();
    let failed =
        |file: &ProposedFile, error: io::Error| CommandError::error(format!("cannot write {}: {error}", file.path));
    for file in &new {
        let folder = root.join(&file.path).parent().map_or_else(|| root.to_owned(), Path::to_owned);
        let inside = || Ok::<_, io::Error>(folder.canonicalize()?.starts_with(root.canonicalize()?));
        let made = fs::create_dir_all(&folder).and_then(|()| inside());
        if !made.map_err(|error| failed(file, error))? {
            let message = format!("cannot write {}: its folder is a link that leads out of the repository", file.path);
            return Err(CommandError::error(message).hint("nothing was written; remove the link"));
        }
    }
    for file in new {
        let created = fs::OpenOptions::new().write(true).create_new(true).open(root.join(&file.path));
        let written = created.and_then(|mut created| created.write_all(file.text.as_bytes()));
        written.map_err(|error| failed(file, error))?;
    }
    Ok(())
}
