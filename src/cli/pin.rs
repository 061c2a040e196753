//! `pintle pin`: another version, where the version lives.

use clap::Args;
use pintle_core::edit::Edit;
use pintle_core::graph::version_order;
use pintle_core::image::Digest;
use pintle_core::pins::{Service, ServiceName};
use pintle_core::problem::{Problem, one_line_message};
use pintle_core::version::{Version, VersionRange};

use super::describe::on_hold;
use super::exit::{CommandError, CommandExit, help};
use super::land::{Land, Proposal};
use super::load::LoadedRevision;
use super::output::Output;
use super::words::{known_service, past_hold_text};
use crate::cli::config::CliConfig;
use crate::source::CommitMessage;

/// Pin a version: edit its line, commit, push
///
/// Changes the version where it lives (a service file, or a file that a pattern of pintle.yaml finds) and nothing else in
/// that file, shows the diff, asks, and commits on the tip of the branch. Where the branch has an upstream, the commit is
/// pushed, never forced. What then rolls it out is `pintle apply`. A version that is held is refused, unless the
/// commit ends the hold too.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle pin payments 2.1.0\npintle pin checkout 1.8.2 --needs 'payments=>=2.1, <3'\npintle pin payments 2.4.2 --release\npintle pin web 3.5.0@sha256:… --yes --commit-only",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Refused, CommandExit::Usage],
))]
pub(super) struct PinCommand {
    /// The service
    service: String,
    /// The version; for a service that is pinned by digest, as VERSION@DIGEST
    version: String,
    /// What this version needs of another service; may be given several times
    #[arg(long, value_name = "SERVICE=RANGE")]
    needs: Vec<String>,
    /// End the hold of the service in the same commit: what it kept from running never starts in between
    #[arg(long)]
    release: bool,
    #[command(flatten)]
    land: Land,
}

impl PinCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let (version, digest) = self.version()?;
        self.land.run(config, output, |loaded, _| self.propose(loaded, &version, digest.as_ref()))
    }

    fn propose(
        &self,
        loaded: &LoadedRevision,
        version: &Version,
        digest: Option<&Digest>,
    ) -> Result<Proposal, CommandError> {
        let pins = &loaded.revision.reading.pins;
        let names = || pins.services.keys().chain(pins.broken.keys());
        let service = known_service(&self.service, names())?;
        let needs = self.needs.iter().map(|typed| {
            let (provider, range) = need(typed)?;
            Ok((known_service(provider, names())?, range))
        });
        let needs = needs.collect::<Result<Vec<(ServiceName, VersionRange)>, CommandError>>()?;
        let pinned = pins.services.get(&service);
        if let Some(pinned) = pinned.filter(|_| !self.release) {
            self.refuse_held(loaded, pinned, version)?;
        }
        let before = pinned.map(|pinned| &pinned.pin.version);
        let mut body = before.map(|before| format!("{service} {before} -> {version}\n")).unwrap_or_default();
        body.extend(needs.iter().map(|(provider, range)| format!("It needs {provider} {range}.\n")));
        let ends = pinned.and_then(|pinned| pinned.hold.as_ref()).filter(|_| self.release);
        body.extend(ends.map(|hold| format!("{}\n", past_hold_text(hold))));
        let message = CommitMessage {
            subject: format!("Pin {service} {version}"),
            body,
            trailers: vec![("Pintle-Services", service.to_string())],
        };
        let already = format!("{service} is pinned at {version} already");
        let stem = format!("pin-{service}-{version}");
        let edit = Edit::Pin { version: version.clone(), digest: digest.cloned(), needs };
        let release = ends.map(|_| (service.clone(), Edit::Release));
        let mut proposal = Proposal::of_one((service, edit), message, stem, already);
        proposal.edits.extend(release);
        Ok(proposal)
    }

    /// It would not run, and keep what is pinned beside it from running.
    fn refuse_held(&self, loaded: &LoadedRevision, service: &Service, version: &Version) -> Result<(), CommandError> {
        let mut order = version_order(service, &loaded.history);
        order.append(version.clone());
        let Some(hold) = service.hold.as_ref().filter(|hold| hold.blocks(version, &order)) else { return Ok(()) };
        let problem = Problem::error(format!("{} {}", service.name, on_hold(version, hold)), hold.at.clone());
        let failure = CommandError::refused(one_line_message(
            &problem,
            loaded.revision.content_of(&hold.at.path).unwrap_or_default(),
        ));
        let hint = format!(
            "where it mends that, end the hold in the same commit: pintle pin {} {} --release",
            service.name, self.version
        );
        Err(failure.hint(hint))
    }

    fn version(&self) -> Result<(Version, Option<Digest>), CommandError> {
        let (version, digest) = self.version.split_once('@').map_or((&*self.version, None), |(v, d)| (v, Some(d)));
        let version = Version::new(version).map_err(|error| {
            let failure = CommandError::usage(format!("{version:?} is not a version: {error}"));
            CommandError { hint: error.hint(), ..failure }
        })?;
        let digest = digest.map(str::parse).transpose().map_err(|error: pintle_core::image::ImageError| {
            CommandError::usage(error.to_string()).hint("write VERSION@sha256:…, as the registry shows it")
        })?;
        Ok((version, digest))
    }
}

/// `payments=>=2.1, <3`.
fn need(typed: &str) -> Result<(&str, VersionRange), CommandError> {
    let hint = "write it as in --needs 'payments=>=2.1, <3'";
    let Some((provider, range)) = typed.split_once('=') else {
        return Err(CommandError::usage(format!("{typed:?} does not say which versions are needed")).hint(hint));
    };
    let range = range.trim().parse().map_err(|error: pintle_core::version::RangeError| {
        let failure = CommandError::usage(format!("--needs {typed:?}: {}", error.message));
        CommandError { hint: error.hint.or_else(|| Some(hint.to_owned())), ..failure }
    })?;
    Ok((provider.trim(), range))
}
