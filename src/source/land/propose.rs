//! Proposals: a commit on a branch of its own at the remote, for a pull request, or as a patch. Neither touches the
//! branches, index or files of a clone.

use std::fmt::Write as _;

use git2::{Email, EmailCreateOptions};
use pintle_core::git::{CommitId, FileChange};

use super::super::resolve::full_branch_name;
use super::error::{LandError, LandResult};
use super::upstream::UpstreamBranch;
use super::{CommitMessage, Landing, forge, id, oid, push, write};

/// A branch of the remote for a proposal, beside the one a commit would land on.
pub struct Beside<'l> {
    landing: &'l Landing<'l>,
    /// The branch to merge into.
    base: &'l UpstreamBranch,
    there: UpstreamBranch,
}

/// A commit on a branch of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedProposal {
    pub commit: CommitId,
    /// The plain name.
    pub branch: String,
    /// The plain name of the branch to merge into.
    pub base: String,
    /// The display name of the pushed branch.
    pub pushed_to: String,
    /// Whether the branch already had this change.
    pub already_existed: bool,
    /// The page that opens a pull request; none for an unknown forge.
    pub pull_request_page: Option<String>,
    /// The command that merges the branch without a forge, while the base is checked out.
    pub pull_command: String,
}

impl<'l> Landing<'l> {
    /// Returns a proposal branch with this name at the upstream's remote.
    ///
    /// # Errors
    /// There is no upstream, or git rejects the name.
    pub fn proposal_branch(&'l self, name: &str) -> LandResult<Beside<'l>> {
        full_branch_name(name)?;
        let base = self.upstream.as_ref();
        let base = base.ok_or_else(|| LandError::NoUpstream { branch: self.branch.clone() })?;
        Ok(Beside { landing: self, base, there: base.with_branch(&self.repo, name) })
    }

    /// Returns the commit in mbox format for `git am`: author, message and diff. No object is written to disk.
    ///
    /// # Errors
    /// Git has no identity configured, or the tip cannot be read.
    pub fn to_mail_patch(&self, tip: CommitId, files: &[FileChange], message: &str) -> LandResult<String> {
        let who = self.source.identity()?;
        let fail = |error| LandError::from_git("write the patch", &error);
        let objects = self.repo.odb().map_err(fail)?;
        // The in-memory backend has the highest priority, so new objects stay in memory.
        let _memory = objects.add_new_mempack_backend(1000).map_err(fail)?;
        let commit = write::write_commit(&self.repo, (oid(tip), files), message, &who)?;
        let commit = self.repo.find_commit(commit).map_err(fail)?;
        let mail = Email::from_commit(&commit, &mut EmailCreateOptions::new()).map_err(fail)?;
        Ok(sendable(mail.as_slice()))
    }
}

impl Beside<'_> {
    /// Returns the display name of the branch.
    pub fn name(&self) -> &str {
        &self.there.name
    }

    /// Returns the display name of the branch to merge into.
    pub fn base(&self) -> &str {
        &self.base.name
    }

    /// Writes the commit on `tip` and pushes it as this branch. The branch must not exist, or must carry this same
    /// change.
    ///
    /// # Errors
    /// The remote has not changed, except after [`LandError::PushUnconfirmed`].
    pub fn propose(&self, tip: CommitId, files: &[FileChange], message: &CommitMessage) -> LandResult<PushedProposal> {
        let Self { landing, there, .. } = self;
        let (source, repo) = (landing.source, &landing.repo);
        let who = source.identity()?;
        let commit = write::write_commit(repo, (oid(tip), files), &message.to_text(), &who)?;
        let commit = source.sign_commit(commit, &who)?;
        match push::push_commit(source, repo, there, (None, commit)) {
            Ok(()) => Ok(self.proposed(id(commit), false, message)),
            Err(LandError::Raced { now: Some(now), .. }) => {
                Ok(self.proposed(self.known(now, tip, message)?, true, message))
            }
            Err(LandError::Refused { remote, words }) => Err(LandError::ProposalRefused { remote, words }),
            Err(error) => Err(error),
        }
    }

    fn proposed(&self, commit: CommitId, known: bool, message: &CommitMessage) -> PushedProposal {
        let Self { base, there, .. } = self;
        let page = forge::pull_request_page(&there.url, [base.plain(), there.plain()], message);
        let [branch, base] = [there, *base].map(|it| it.plain().to_owned());
        let pull = format!("git pull {} {branch}", there.remote);
        PushedProposal {
            commit,
            branch,
            base,
            pushed_to: there.name.clone(),
            already_existed: known,
            pull_request_page: page,
            pull_command: pull,
        }
    }

    /// Finds the commit of this same change on the existing branch.
    fn known(&self, now: CommitId, tip: CommitId, message: &CommitMessage) -> LandResult<CommitId> {
        let source = self.landing.source;
        if !source.has_commit(now) {
            self.landing.fetch_upstream(&self.there)?;
        }
        let found = message.change_id().map(|id| source.find_commit_of_change(id, tip, now)).transpose()?.flatten();
        found.ok_or_else(|| LandError::BranchTaken { remote: self.there.name.clone(), now })
    }
}

/// Encodes the mail so that it survives terminals and `git am`, which strips carriage returns at line ends. A body that
/// is not plain text becomes quoted-printable (RFC 2045).
fn sendable(mail: &[u8]) -> String {
    let end = mail.windows(2).position(|two| two == b"\n\n").map_or(mail.len(), |end| end + 1);
    let (head, body) = mail.split_at(end);
    let is_plain = |byte: &u8| matches!(byte, b'\n' | b'\t') || !byte.is_ascii_control();
    let plain = std::str::from_utf8(body).ok().filter(|_| body.iter().all(is_plain));
    let (encoding, body) = plain.map_or_else(|| ("quoted-printable", quoted(body)), |body| ("8bit", body.to_owned()));
    let head = String::from_utf8_lossy(head);
    format!(
        "{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: {encoding}\n{body}"
    )
}

fn quoted(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    for byte in body {
        match byte {
            b'=' => text.push_str("=3D"),
            b'\n' | b' '..=b'~' => text.push(char::from(*byte)),
            byte => {
                let _ = write!(text, "={byte:02X}");
            }
        }
    }
    text
}
