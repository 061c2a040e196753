//! Communication with a remote: first lists its refs, then fetches only what is new.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix::ObjectId;
use gix::odb::pack::bundle::write::Outcome as Pack;
use gix::progress::Discard;
use gix::protocol::handshake::Ref;
use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::protocol::transport::client::git::ConnectMode;
use gix::protocol::transport::client::git::blocking_io::Connection as Pipes;
use gix::remote::fetch::{Shallow, Status, Tags};
use gix::remote::{Connection, Direction, ref_map};
use pintle_core::problem::display_safe;
use reqwest::blocking::ClientBuilder;

use super::error::gix_error_text;
use super::url::UrlScheme;
use super::{Access, Reach, RemoteUrl, credentials, process};

/// A server silent for this long in mid-answer has stalled. Servers send a keep-alive every 5 s while they build a
/// pack.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// A remote, and the repository that receives from it.
pub(super) struct RemoteFetcher<'a> {
    pub repo: &'a gix::Repository,
    pub url: &'a RemoteUrl,
    pub access: &'a Access,
}

/// The tip of a remote branch.
pub(super) struct RemoteBranch {
    /// The plain name; the branch of the remote's HEAD if none was requested.
    pub branch: String,
    pub tip: ObjectId,
}

/// Why a remote gave no answer.
pub(super) enum FetchFailure {
    Unreachable(Reach, String),
    /// The requested branch, and the existing ones.
    NoBranch(String, Vec<String>),
    /// The remote has no branches.
    Empty,
    /// The received objects or the local ones are damaged.
    Damaged(String),
}

/// gix's message for missing credentials.
const GIX_NO_CREDENTIALS_MESSAGE: &str =
    "No credentials were returned at all as if the credential helper isn't functioning unknowingly";

type BoxedTransport = Box<dyn Transport + Send>;

impl RemoteFetcher<'_> {
    /// Returns the tip of a branch; without a name, of the default branch.
    pub(super) fn find_branch(&self, branch: Option<&str>) -> Result<RemoteBranch, FetchFailure> {
        let full = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
        for found in self.list(&full)? {
            match (found, branch) {
                (Ref::Direct { full_ref_name, object }, Some(branch)) if full_ref_name == full => {
                    return Ok(RemoteBranch { branch: branch.to_owned(), tip: object });
                }
                (Ref::Symbolic { full_ref_name, target, object, .. }, None) if full_ref_name == full => {
                    if let Some(branch) = target.to_string().strip_prefix("refs/heads/") {
                        return Ok(RemoteBranch { branch: branch.to_owned(), tip: object });
                    }
                }
                _ => {}
            }
        }
        let all = self.list("refs/heads/*:refs/heads/*")?;
        let names = all.iter().map(|found| found.unpack().0.to_string());
        let names: Vec<_> = names.filter_map(|name| name.strip_prefix("refs/heads/").map(str::to_owned)).collect();
        Err(if names.is_empty() {
            FetchFailure::Empty
        } else {
            FetchFailure::NoBranch(branch.unwrap_or("HEAD").to_owned(), names)
        })
    }

    /// Fetches a branch and its tags, and updates the refs.
    pub(super) fn receive(&self, branch: &str) -> Result<(), FetchFailure> {
        self.receive_by(&format!("+refs/heads/{branch}:refs/heads/{branch}"), Tags::Included, Shallow::NoChange)
    }

    /// Fetches the objects of a branch without updating refs.
    pub(super) fn fetch_objects(&self, branch: &str) -> Result<(), FetchFailure> {
        self.receive_by(&format!("refs/heads/{branch}"), Tags::None, Shallow::NoChange)
    }

    /// Fetches the objects of a branch and its complete history, beyond a shallow boundary.
    pub(super) fn fetch_unshallow(&self, branch: &str) -> Result<(), FetchFailure> {
        self.receive_by(&format!("refs/heads/{branch}"), Tags::None, Shallow::undo())
    }

    #[expect(clippy::disallowed_methods, reason = "this room writes what it receives")]
    fn receive_by(&self, spec: &str, tags: Tags, depth: Shallow) -> Result<(), FetchFailure> {
        self.with_connection(spec, tags, self.access.send_within, |connection, late| {
            let prepared = connection.prepare_fetch(Discard, ref_map::Options::default())?.with_shallow(depth);
            let received = prepared.receive(Discard, late)?;
            // A `.keep` file protects the pack from `git gc` until refs exist. Without removal it would stay forever.
            if let Status::Change { write_pack_bundle: Pack { keep_path: Some(keep), .. }, .. } = received.status {
                let _ = std::fs::remove_file(keep);
            }
            Ok(())
        })
    }

    fn list(&self, spec: &str) -> Result<Vec<Ref>, FetchFailure> {
        self.with_connection(spec, Tags::None, self.access.answer_within, |connection, _late| {
            Ok(connection.ref_map(Discard, ref_map::Options::default())?.0.remote_refs)
        })
    }

    /// Connects and runs an exchange with a time limit. `talk` receives a flag that is set when the limit has passed.
    fn with_connection<T>(
        &self,
        spec: &str,
        tags: Tags,
        within: Duration,
        talk: impl FnOnce(Connection<'_, '_, '_, BoxedTransport>, &AtomicBool) -> gix::Result<T>,
    ) -> Result<T, FetchFailure> {
        let damaged = |error: gix::Error| FetchFailure::Damaged(gix_error_text(&error));
        let remote = self.repo.remote_at_without_url_rewrite(self.url.fetch.as_str()).map_err(damaged)?;
        let remote = remote.with_fetch_tags(tags).with_refspecs([spec], Direction::Fetch).map_err(damaged)?;
        if matches!(self.url.scheme, UrlScheme::Http | UrlScheme::Https) {
            let mut connection = remote.connect(Direction::Fetch).map_err(|error| classify_error(&error, ""))?;
            let silence = within.min(STALL_TIMEOUT);
            connection.set_transport_options(Box::new(http_options(self.access, silence)));
            connection.set_credentials(|action| Ok(credentials::answer(&action, self.url, &self.access.credentials)));
            let late = Arc::new(AtomicBool::new(false));
            let told = Arc::clone(&late);
            let _waiting = process::run_after(within, move || told.store(true, Ordering::Relaxed));
            return talk(connection, &late).map_err(|error| {
                if late.load(Ordering::Relaxed) { too_late(within) } else { judge_http(&error, silence) }
            });
        }
        let (process, output, input) =
            process::spawn_transport(self.url, self.access, within, process::GitService::UploadPack).map_err(
                |error| {
                    let kind = if error.kind() == ErrorKind::NotFound { Reach::Program } else { Reach::Passing };
                    FetchFailure::Unreachable(
                        kind,
                        format!("cannot start {}: {error}", process::program(self.url, self.access)),
                    )
                },
            )?;
        let nobody = None::<(String, _)>;
        let pipes =
            Pipes::new(output, input, Protocol::V2, self.url.path.as_str(), nobody, ConnectMode::Process, false);
        // This flag stays unset: on a timeout the program itself is killed.
        let outcome = talk(remote.to_connection_with_transport(Box::new(pipes)), &AtomicBool::new(false));
        let (late, words) = process.finish();
        outcome.map_err(|error| if late { too_late(within) } else { classify_error(&error, &words) })
    }
}

/// Builds gix's http options. gix applies its own timeout and certificate settings only to curl, so the client is
/// configured directly.
fn http_options(access: &Access, within: Duration) -> http::Options {
    // One provider per process; an existing one is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let access = access.clone();
    let backend = http::reqwest::Options {
        configure_client: Some(Box::new(move |client| {
            configured(client, &access, within).map_err(|why| gix::Error::from_error(std::io::Error::other(why)))
        })),
        configure_request: None,
    };
    http::Options { backend: Some(Arc::new(Mutex::new(backend))), ..http::Options::default() }
}

/// Builds an HTTP client for requests outside of gix.
pub(super) fn http_client(access: &Access, within: Duration) -> Result<ClientBuilder, String> {
    // One provider per process; an existing one is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    configured(ClientBuilder::new(), access, within)
}

fn configured(client: ClientBuilder, access: &Access, within: Duration) -> Result<ClientBuilder, String> {
    let extra = reqwest::Certificate::from_pem_bundle(&access.certificates);
    let extra = extra.map_err(|error| format!("the certificates are not PEM: {error}"))?;
    let client = extra.into_iter().fold(client, ClientBuilder::add_root_certificate);
    Ok(client.timeout(within).connect_timeout(Duration::from_secs(10)))
}

fn too_late(within: Duration) -> FetchFailure {
    FetchFailure::Unreachable(Reach::Passing, format!("no answer within {} s", within.as_secs()))
}

/// Classifies an error as [`judge`] does. The client reports silence only as a timeout.
fn judge_http(error: &gix::Error, silence: Duration) -> FetchFailure {
    let is_timeout = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
            || error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::TimedOut)
            || error.to_string() == "operation timed out"
    };
    let chain = |error| std::iter::successors(Some(error), |error: &&(dyn std::error::Error + 'static)| error.source());
    if error.iter_errors().any(|error| chain(error).any(is_timeout)) {
        too_late(silence)
    } else {
        classify_error(error, "")
    }
}

/// Classifies an error. `words` is the standard error of the connecting program, the most precise source.
fn classify_error(error: &gix::Error, words: &str) -> FetchFailure {
    let said = gix_error_text(error)
        .replace(GIX_NO_CREDENTIALS_MESSAGE, "it asks who is there, and no credentials are known for it");
    // git prints the error first, and then sometimes long advice.
    let fatal = words.lines().rfind(|line| line.starts_with("fatal: "));
    let last = || words.lines().rfind(|line| !line.trim().is_empty());
    let words = display_safe(fatal.or_else(last).unwrap_or_default(), 300);
    let told = classify_message(&format!("{words} {said}"));
    let kind = if error.is_unauthenticated() || told == Some(Reach::Credentials) {
        Reach::Credentials
    } else if error.is_permission_denied() {
        Reach::Forbidden
    } else if let Some(kind) = told {
        kind
    } else if error.is_unsupported() {
        Reach::Protocol
    } else if error.is_corrupted() && words.is_empty() {
        return FetchFailure::Damaged(said);
    } else {
        Reach::Passing
    };
    FetchFailure::Unreachable(kind, if words.is_empty() { said } else { words })
}

/// Classifies known error texts.
pub(super) fn classify_message(words: &str) -> Option<Reach> {
    let words = words.to_lowercase();
    let any = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    Some(if any(&["permission denied (", "could not obtain identity", "in clear text"]) {
        Reach::Credentials
    } else if any(&["host key verification failed", "certificate", "remote host identification has changed"]) {
        Reach::Untrusted
    } else if any(&["status 404", "not appear to be a git repository", "repository not found", "not a git repository"])
    {
        Reach::NotFound
    } else if any(&["smart' protocol", "content-type"]) {
        Reach::Protocol
    } else {
        return None;
    })
}
