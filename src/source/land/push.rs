//! The push: a compare-and-swap on the remote branch, never forced.

use std::cell::{Cell, RefCell};

use git2::{Oid, PushOptions, PushUpdate, RemoteCallbacks, Repository};
use pintle_core::problem::display_safe;

use super::super::{Reach, Source, SourceError};
use super::error::{LandError, LandResult};
use super::id;
use super::transport::GitTransport;
use super::upstream::UpstreamBranch;

/// What the server reported during a push.
#[derive(Default)]
struct PushOutcome {
    /// The tip of the remote branch before the push.
    found: Cell<Option<Oid>>,
    /// Whether that tip differs from the expected one.
    raced: Cell<bool>,
    /// Whether nothing has been sent yet.
    unsent: Cell<bool>,
    /// Why the server rejected the ref.
    refused: RefCell<Option<String>>,
    /// The output of the server's hooks.
    words: RefCell<Vec<u8>>,
}

/// The maximum number of bytes kept of the hooks' output.
const MAX_SERVER_MESSAGE_BYTES: usize = 8 << 10;

/// Returns the expected tip of the remote branch for a push on `tip`: the clone's tracking ref, or `tip` itself.
pub(super) fn expected_remote_tip(
    source: &Source,
    repo: &Repository,
    upstream: &UpstreamBranch,
    tip: Oid,
) -> Option<Oid> {
    let tracked = upstream.tracked(repo);
    if source.worktree().is_some() || tracked.is_some() { tracked } else { Some(tip) }
}

/// Pushes `commit` if the remote branch is at the expected tip. An expected tip of none means that the branch must not
/// exist.
pub(super) fn push_commit(
    source: &Source,
    repo: &Repository,
    upstream: &UpstreamBranch,
    (expected, commit): (Option<Oid>, Oid),
) -> LandResult<()> {
    let heard = PushOutcome { unsent: Cell::new(true), ..PushOutcome::default() };
    let transport = GitTransport::new(&upstream.url, &source.access);
    let sent = transport.with_remote(repo, |remote| {
        let mut options = PushOptions::new();
        options.remote_callbacks(callbacks(&heard, expected));
        remote.push(&[format!("{commit}:{}", upstream.branch)], Some(&mut options))
    });
    let remote = || upstream.name.clone();
    if heard.raced.get() {
        return Err(LandError::Raced { remote: remote(), now: heard.found.get().map(id) });
    }
    let refused = heard.refused.borrow().clone();
    let Err(error) = sent else {
        if let Some(why) = refused {
            return Err(refusal(upstream, &heard, &why));
        }
        upstream.track(repo, commit, "update by push");
        return Ok(());
    };
    let (kind, why) = transport.trouble(&error);
    if heard.unsent.get() {
        return Err(unreached(upstream, kind, why));
    }
    // The commit was sent without an acknowledgement, so the branch is queried.
    match ask(source, repo, upstream) {
        Ok(now) if now == Some(commit) => {
            upstream.track(repo, commit, "update by push");
            Ok(())
        }
        Ok(now) if now == expected => Err(unreached(upstream, kind, why)),
        // Another push followed, on this commit or on the one before. The next fetch shows which.
        Ok(now) => Err(LandError::Raced { remote: remote(), now: now.map(id) }),
        Err(_) => Err(LandError::PushUnconfirmed { remote: remote(), commit: id(commit), why }),
    }
}

/// Builds the error for a push of which nothing arrived.
fn unreached(upstream: &UpstreamBranch, kind: Reach, why: String) -> LandError {
    match kind {
        Reach::Forbidden => LandError::Refused { remote: upstream.name.clone(), words: why },
        kind => SourceError::Unreachable { location: upstream.url.to_string(), why, last_reached: None, kind }.into(),
    }
}

fn callbacks(heard: &PushOutcome, expected: Option<Oid>) -> RemoteCallbacks<'_> {
    let mut callbacks = RemoteCallbacks::new();
    callbacks.push_negotiation(move |updates: &[PushUpdate<'_>]| {
        let found = updates.first().map(PushUpdate::src).filter(|found| !found.is_zero());
        heard.found.set(found);
        heard.raced.set(found != expected);
        heard.unsent.set(found != expected);
        if found == expected { Ok(()) } else { Err(git2::Error::from_str("the branch is elsewhere")) }
    });
    callbacks.push_update_reference(|_, why| {
        if let Some(why) = why {
            *heard.refused.borrow_mut() = Some(why.to_owned());
        }
        Ok(())
    });
    callbacks.sideband_progress(|words| {
        let mut kept = heard.words.borrow_mut();
        let room = MAX_SERVER_MESSAGE_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&words[..words.len().min(room)]);
        true
    });
    callbacks
}

/// Builds the error for a rejected push: the reason and the hooks' output. A push that lost the race by a moment is no
/// refusal.
fn refusal(upstream: &UpstreamBranch, heard: &PushOutcome, why: &str) -> LandError {
    let remote = upstream.name.clone();
    if ["fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "failed to lock"]
        .iter()
        .any(|text| why.contains(text))
    {
        return LandError::Raced { remote, now: None };
    }
    let printed = String::from_utf8_lossy(&heard.words.borrow()).into_owned();
    // Gitea frames its messages with lines that hold nothing but `error:`.
    let is_empty = |line: &&str| line.is_empty() || *line == "error:";
    let lines: Vec<&str> = printed.lines().map(str::trim).filter(|line| !is_empty(line)).collect();
    let said = lines.join("; ");
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    let words = if said.is_empty() { why.to_owned() } else { format!("{said} ({why})") };
    LandError::Refused { remote, words: display_safe(&words, 600) }
}

/// Returns the current tip of the remote branch.
fn ask(source: &Source, repo: &Repository, upstream: &UpstreamBranch) -> LandResult<Option<Oid>, git2::Error> {
    let transport = GitTransport::new(&upstream.url, &source.access);
    let mut found = None;
    transport.with_remote(repo, |remote| {
        remote.connect(git2::Direction::Push)?;
        found = remote.list()?.iter().find(|head| head.name() == upstream.branch).map(git2::RemoteHead::oid);
        remote.disconnect()
    })?;
    Ok(found)
}
