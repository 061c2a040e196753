//! The files of a revision, as input of an edit.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::git::{FileContent, RepoFile};
use crate::pins::{FragmentCache, ParsedRevision, Service, ServiceName};
use crate::problem::{FilePlace, Problem};
use crate::remedy::Remedy;

/// The files of a revision with their pins, as read by [`crate::pins::load_revision`].
#[derive(Debug, Clone, Copy)]
pub struct RevisionFiles<'f> {
    /// Folder of the pins in the repository.
    pub root: &'f str,
    /// Files by path.
    pub files: &'f [RepoFile],
    pub reading: &'f ParsedRevision,
    /// Parse results per file, so that unchanged files are not parsed again.
    pub known: Option<&'f FragmentCache>,
}

/// The files of an earlier revision with their pins, owned: edits that restore from it keep it alive.
#[derive(Debug)]
pub struct EarlierRevision {
    /// Folder of the pins in the repository.
    pub root: String,
    /// Files by path.
    pub files: Vec<RepoFile>,
    pub reading: ParsedRevision,
}

impl EarlierRevision {
    /// Borrows the revision as input of an edit.
    pub fn said(&self) -> RevisionFiles<'_> {
        RevisionFiles { root: &self.root, files: &self.files, reading: &self.reading, known: None }
    }

    /// Returns the content of a file.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        bytes(&self.files, path).map(|bytes| &**bytes)
    }
}

impl<'f> RevisionFiles<'f> {
    /// Returns the content of a file.
    pub fn bytes(&self, path: &str) -> Option<&'f [u8]> {
        bytes(self.files, path).map(|bytes| &**bytes)
    }

    /// Returns a service, or the reason why it cannot be edited.
    pub(super) fn service(&self, name: &ServiceName) -> Result<&'f Service, Refusal> {
        if let Some(service) = self.reading.pins.services.get(name) {
            return Ok(service);
        }
        let own = FilePlace::whole_file(&own_path(self.root, name).into());
        let problem = match self.reading.pins.broken.get(name) {
            Some(why) => Problem::error(format!("`{name}` cannot be edited as it is: {why}"), own),
            None => Problem::error(format!("there is no service `{name}`"), own),
        };
        Err(Box::new(problem.for_service(name).remedy(Remedy::ShowProblems)))
    }
}

/// Returns the path of a service's own file. `root` is the folder of the pins.
pub fn own_path(root: &str, name: &ServiceName) -> String {
    let folder: Vec<&str> = root.split('/').filter(|part| !matches!(*part, "" | ".")).chain(["services"]).collect();
    format!("{}/{name}.yaml", folder.join("/"))
}

/// Returns the content of a file. The files must be sorted by path.
pub(super) fn bytes<'f>(files: &'f [RepoFile], path: &str) -> Option<&'f Arc<[u8]>> {
    let at = files.binary_search_by(|file| file.path.as_ref().cmp(path)).ok()?;
    let file = &files[at];
    if let FileContent::Bytes(bytes) = &file.content { Some(bytes) } else { None }
}
