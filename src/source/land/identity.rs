//! The author and committer, by git's rules: the environment, then the configuration of repository, user and system.

use git2::{Oid, Signature};
use pintle_core::git::CommitId;

use super::super::Source;
use super::super::error::{gix_error_text, object_error};
use super::super::object_id::GixId as _;
use super::error::{LandError, LandResult};
use super::{id, oid};

#[derive(Debug, Clone)]
pub struct CommitIdentity {
    author: SignaturePerson,
    committer: SignaturePerson,
    /// Whether `commit.gpgSign` is set.
    signs: bool,
}

#[derive(Debug, Clone)]
struct SignaturePerson {
    name: String,
    mail: String,
    seconds: i64,
    /// The offset east of UTC.
    minutes: i32,
}

impl Source {
    /// Returns the identity for new commits.
    ///
    /// # Errors
    /// Git has no identity configured.
    pub fn identity(&self) -> LandResult<CommitIdentity> {
        let repo = self.open_with_user_config()?;
        let person = |found: Option<gix::Result<gix::actor::SignatureRef<'_>>>| {
            let missing = || LandError::NoIdentity { what: missing(&repo) };
            let who =
                found.ok_or_else(missing)?.map_err(|error| object_error("the identity", &self.location, &error))?;
            let time = who.time().map_err(|error| object_error("the date of the identity", &self.location, &error))?;
            let (name, mail) = (who.name.to_string().trim().to_owned(), who.email.to_string().trim().to_owned());
            if name.is_empty() {
                return Err(LandError::NoIdentity { what: "user.name" });
            }
            Ok(SignaturePerson { name, mail, seconds: time.seconds, minutes: time.offset / 60 })
        };
        let (author, committer) = (person(repo.author())?, person(repo.committer())?);
        let signs = repo.config_snapshot().boolean("commit.gpgSign") == Some(true);
        Ok(CommitIdentity { author, committer, signs })
    }
}

impl Source {
    /// Opens the repository with the user's configuration, unlike for reading. The only program it may run is the
    /// signer.
    fn open_with_user_config(&self) -> LandResult<gix::Repository> {
        gix::open(self.repo().path()).map_err(|error| object_error("the configuration", &self.location, &error).into())
    }

    /// Returns the commit signed with git's configured program and key, or unchanged if signing is off.
    pub(super) fn sign_commit(&self, commit: Oid, who: &CommitIdentity) -> LandResult<Oid> {
        if !who.signs {
            return Ok(commit);
        }
        let repo = self.open_with_user_config()?;
        let signed = repo.find_commit(id(commit).to_gix()).and_then(|commit| commit.signed());
        let failed = |error| LandError::Git { attempt: "sign the commit", why: gix_error_text(&error) };
        Ok(oid(CommitId::from_gix(signed.map_err(failed)?.id)))
    }
}

fn missing(repo: &gix::Repository) -> &'static str {
    if repo.config_snapshot().string("user.name").is_none() { "user.name" } else { "user.email" }
}

impl CommitIdentity {
    pub fn name(&self) -> &str {
        &self.author.name
    }

    pub(super) fn author(&self) -> LandResult<Signature<'static>, git2::Error> {
        self.author.signature()
    }

    pub(super) fn committer(&self) -> LandResult<Signature<'static>, git2::Error> {
        self.committer.signature()
    }
}

impl SignaturePerson {
    fn signature(&self) -> LandResult<Signature<'static>, git2::Error> {
        Signature::new(&self.name, &self.mail, &git2::Time::new(self.seconds, self.minutes))
    }
}
