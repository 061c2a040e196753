//! A commit that waits for somebody to take it: on a branch of its own at the remote, for a pull request, or as a patch.
//! Of a clone, neither touches branches, index or files.

use std::fmt::Write as _;

use git2::{Email, EmailCreateOptions};
use pintle_core::git::{CommitId, FileChange};

use super::super::resolve::full_branch_name;
use super::error::{LandError, Result};
use super::upstream::Upstream;
use super::{Landing, Message, forge, id, oid, push, write};

/// A branch of the remote beside the one that a commit would land on.
pub struct Beside<'l> {
    landing: &'l Landing<'l>,
    /// The branch that it is to be merged into.
    base: &'l Upstream,
    there: Upstream,
}

/// A commit on a branch of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The commit.
    pub commit: CommitId,
    /// The branch, by its plain name.
    pub branch: String,
    /// The branch that it is to be merged into, by its plain name there.
    pub base: String,
    /// The branch, as people call it.
    pub pushed_to: String,
    /// It was there already.
    pub known: bool,
    /// The page that opens a pull request; none where the forge is not known.
    pub page: Option<String>,
    /// What takes the branch without a forge, where the base is checked out.
    pub pull: String,
}

impl<'l> Landing<'l> {
    /// A branch of this name beside the upstream.
    ///
    /// # Errors
    /// There is no upstream, or git would not take the name.
    pub fn beside(&'l self, name: &str) -> Result<Beside<'l>> {
        full_branch_name(name)?;
        let base = self.upstream.as_ref();
        let base = base.ok_or_else(|| LandError::NoUpstream { branch: self.branch.clone() })?;
        Ok(Beside { landing: self, base, there: base.beside(&self.repo, name) })
    }

    /// The commit as `git am` takes it: in mbox format, with author, message and diff. It is written nowhere.
    ///
    /// # Errors
    /// Git does not know who commits, or cannot read the tip.
    pub fn patch(&self, tip: CommitId, files: &[FileChange], message: &str) -> Result<String> {
        let who = self.source.identity()?;
        let fail = |error| LandError::git("write the patch", &error);
        let objects = self.repo.odb().map_err(fail)?;
        // Before all others: what is written stays in memory.
        let _memory = objects.add_new_mempack_backend(1000).map_err(fail)?;
        let commit = write::commit(&self.repo, (oid(tip), files), message, &who)?;
        let commit = self.repo.find_commit(commit).map_err(fail)?;
        let mail = Email::from_commit(&commit, &mut EmailCreateOptions::new()).map_err(fail)?;
        Ok(sendable(mail.as_slice()))
    }
}

impl Beside<'_> {
    /// The branch, as people call it.
    pub fn name(&self) -> &str {
        &self.there.name
    }

    /// The branch that it is to be merged into, as people call it.
    pub fn base(&self) -> &str {
        &self.base.name
    }

    /// Writes the commit on `tip` and pushes it as this branch, which must not be there, or have this very change on it.
    ///
    /// # Errors
    /// Nothing has changed then at the remote, but for [`LandError::Unsure`].
    pub fn propose(&self, tip: CommitId, files: &[FileChange], message: &Message) -> Result<Proposed> {
        let Self { landing, there, .. } = self;
        let (source, repo) = (landing.source, &landing.repo);
        let who = source.identity()?;
        let commit = write::commit(repo, (oid(tip), files), &message.to_text(), &who)?;
        let commit = source.signed(commit, &who)?;
        match push::push(source, repo, there, (None, commit)) {
            Ok(()) => Ok(self.proposed(id(commit), false, message)),
            Err(LandError::Raced { now: Some(now), .. }) => {
                Ok(self.proposed(self.known(now, tip, message)?, true, message))
            }
            Err(LandError::Refused { remote, words }) => Err(LandError::Unproposed { remote, words }),
            Err(error) => Err(error),
        }
    }

    fn proposed(&self, commit: CommitId, known: bool, message: &Message) -> Proposed {
        let Self { base, there, .. } = self;
        let page = forge::page(&there.url, [base.plain(), there.plain()], message);
        let [branch, base] = [there, *base].map(|it| it.plain().to_owned());
        let pull = format!("git pull {} {branch}", there.remote);
        Proposed { commit, branch, base, pushed_to: there.name.clone(), known, page, pull }
    }

    /// The commit of the branch that is there which has this very change.
    fn known(&self, now: CommitId, tip: CommitId, message: &Message) -> Result<CommitId> {
        let source = self.landing.source;
        if !source.knows(now) {
            self.landing.fetched(&self.there)?;
        }
        let found = message.id().map(|id| source.find_change(id, tip, now)).transpose()?.flatten();
        found.ok_or_else(|| LandError::Taken { remote: self.there.name.clone(), now })
    }
}

/// The mail in a form that survives `git am`, which takes carriage returns at the ends of lines for the mail's own, and
/// terminals: what is no plain text is quoted-printable then (RFC 2045).
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
