//! The files of the revisions that an edit starts from and goes back to.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::git::{Content, File};
use crate::pins::{Known, Reading, Service, ServiceName};
use crate::problem::{Place, Problem};
use crate::remedy::Remedy;

/// What the files of one revision say, as [`crate::pins::read_from`] gave it.
#[derive(Debug, Clone, Copy)]
pub struct RevisionFiles<'f> {
    /// The folder of the pins in the repository.
    pub root: &'f str,
    /// The files that were read, by path.
    pub files: &'f [File],
    /// What they say.
    pub reading: &'f Reading,
    /// What each of them says on its own: those that stay need not be read again.
    pub known: Option<&'f Known>,
}

/// The same of a revision that an edit goes back to, kept for as long as the edit.
#[derive(Debug)]
pub struct EarlierRevision {
    /// The folder of the pins in the repository.
    pub root: String,
    /// The files that were read, by path.
    pub files: Vec<File>,
    /// What they say.
    pub reading: Reading,
}

impl EarlierRevision {
    /// Returns it as a revision to edit.
    pub fn said(&self) -> RevisionFiles<'_> {
        RevisionFiles { root: &self.root, files: &self.files, reading: &self.reading, known: None }
    }

    /// Returns the content of a file that was read.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        bytes(&self.files, path).map(|bytes| &**bytes)
    }
}

impl<'f> RevisionFiles<'f> {
    /// Returns the content of a file that was read.
    pub fn bytes(&self, path: &str) -> Option<&'f [u8]> {
        bytes(self.files, path).map(|bytes| &**bytes)
    }

    /// Returns the service that is edited.
    pub(super) fn service(&self, name: &ServiceName) -> Result<&'f Service, Refusal> {
        if let Some(service) = self.reading.pins.services.get(name) {
            return Ok(service);
        }
        let own = Place::file(&own_path(self.root, name).into());
        let problem = match self.reading.pins.broken.get(name) {
            Some(why) => Problem::error(format!("`{name}` cannot be edited as it is: {why}"), own),
            None => Problem::error(format!("there is no service `{name}`"), own),
        };
        Err(Box::new(problem.of(name).remedy(Remedy::ShowProblems)))
    }
}

/// The path of the own file of a service below `root`, the folder of the pins.
pub fn own_path(root: &str, name: &ServiceName) -> String {
    let folder: Vec<&str> = root.split('/').filter(|part| !matches!(*part, "" | ".")).chain(["services"]).collect();
    format!("{}/{name}.yaml", folder.join("/"))
}

/// The content of a file that was read.
pub(super) fn bytes<'f>(files: &'f [File], path: &str) -> Option<&'f Arc<[u8]>> {
    let at = files.binary_search_by(|file| file.path.as_ref().cmp(path)).ok()?;
    let file = &files[at];
    if let Content::Bytes(bytes) = &file.content { Some(bytes) } else { None }
}
