//! The set of files that one edit changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::file_edit::FileEdit;
use super::refusal::Refusal;
use super::revision::{RevisionFiles, bytes, own_path};
use super::splice::{self, TextSplice};
use crate::git::{FileChange, FileContent, RepoFile, blob_id};
use crate::pins::ServiceName;
use crate::problem::{FilePlace, Problem};

/// The files of a revision with the edits so far.
pub(super) struct Files<'f> {
    before: &'f [RepoFile],
    now: BTreeMap<Arc<str>, Option<Arc<[u8]>>>,
}

impl<'f> Files<'f> {
    pub(super) fn of(said: &RevisionFiles<'f>) -> Self {
        Self { before: said.files, now: BTreeMap::new() }
    }

    pub(super) fn before(&self, path: &str) -> Option<&'f Arc<[u8]>> {
        bytes(self.before, path)
    }

    /// Replaces parts of files. Places refer to the unedited files.
    pub(super) fn splice(&mut self, splices: Vec<(Arc<str>, TextSplice)>) -> Result<(), Refusal> {
        let mut of_file: BTreeMap<Arc<str>, Vec<TextSplice>> = BTreeMap::new();
        for (path, splice) in splices {
            of_file.entry(path).or_default().push(splice);
        }
        for (path, splices) in of_file {
            let bytes = self.before(&path).map_or(&[][..], |bytes| bytes);
            let content = splice::apply_splices(bytes, splices).map_err(|span| {
                let twice = Problem::error("this value would become two values at once", FilePlace::at(&path, span));
                Box::new(twice.hint("edit one of the services that share it at a time"))
            })?;
            self.now.insert(path, Some(content.into()));
        }
        Ok(())
    }

    /// Returns the service's own file, edits so far included. The edit is empty if there is no such file.
    pub(super) fn own(&self, root: &str, name: &ServiceName) -> FileEdit {
        let path: Arc<str> = own_path(root, name).into();
        let now = self.now.get(&path).map_or_else(|| self.before(&path), Option::as_ref);
        FileEdit::new(path, now.map(|bytes| &**bytes))
    }

    pub(super) fn put(&mut self, own: FileEdit) {
        if own.is_changed() {
            let (path, content) = own.finish();
            self.now.insert(path, content.map(Arc::from));
        }
    }

    /// Returns the files that differ from the revision.
    pub(super) fn changed(&self) -> Vec<FileChange> {
        let differs = |(path, now): &(&Arc<str>, &Option<Arc<[u8]>>)| self.before(path) != now.as_ref();
        let now = self.now.iter().filter(differs);
        now.map(|(path, content)| FileChange { path: Arc::clone(path), content: content.clone() }).collect()
    }

    /// Returns all files of the revision with the edits applied, by path.
    pub(super) fn all(&self) -> Vec<RepoFile> {
        let same = self.before.iter().filter(|file| !self.now.contains_key(&file.path)).cloned();
        let now = self.now.iter().filter_map(|(path, content)| {
            let content = content.as_ref()?;
            let (path, blob) = (Arc::clone(path), blob_id(content));
            Some(RepoFile { path, blob, content: FileContent::Bytes(Arc::clone(content)) })
        });
        let mut all: Vec<RepoFile> = same.chain(now).collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }
}

/// Returns the files with the changes applied, by path.
pub fn overlay(files: &[RepoFile], changes: &[FileChange]) -> Vec<RepoFile> {
    let now = changes.iter().map(|it| (Arc::clone(&it.path), it.content.clone())).collect();
    Files { before: files, now }.all()
}
