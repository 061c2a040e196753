//! The pin index of a branch, extended by new commits and stored in the cache folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;
use pintle_core::git::CommitId;
use pintle_core::history::History;
use pintle_core::pins::{Fragment, Layout, ServiceName, assemble_pin};

use super::error::{SourceResult, object_error};
use super::tree::{FileScope, TreeEntry, read};
use super::walk::CommitStep;
use super::{Source, store};

/// The number of commits diffed per batch. It bounds the memory of the first index of a long history.
const COMMITS_PER_BATCH: usize = 8192;

/// The pin history of one branch under one layout.
#[derive(Debug, Default)]
pub struct HistoryIndex {
    history: Arc<History>,
    /// The last indexed commit.
    tip: Option<CommitId>,
    /// Set while the files are not loaded: the commit to load them from.
    unread_files_of: Option<CommitId>,
    /// The pin files at the last indexed commit, by path.
    files: BTreeMap<Arc<str>, IndexedFile>,
    /// The paths of the files that mention a service.
    paths_by_service: HashMap<ServiceName, BTreeSet<Arc<str>>>,
    /// The file of the index in the cache; none for an index that is not stored.
    path: Option<PathBuf>,
}

/// A pin file at the last indexed commit.
#[derive(Debug)]
struct IndexedFile {
    leaf: TreeEntry,
    services: Vec<ServiceName>,
    /// Parsed on demand: a stored index records only the file's id.
    fragment: Option<Arc<Fragment>>,
}

impl HistoryIndex {
    /// Loads the stored index of a branch under a layout, or returns an empty one.
    pub fn load(source: &Source, branch: &str, layout: &Layout) -> Self {
        let path = store::path(source, branch, layout);
        let Some((history, files)) = store::load(&path) else { return Self { path: Some(path), ..Self::default() } };
        let mut index = Self {
            tip: history.tip().map(|tip| tip.id),
            history: Arc::new(history),
            path: Some(path),
            ..Self::default()
        };
        for (path, leaf, services) in files {
            index.put(path, IndexedFile { leaf, services, fragment: None });
        }
        index
    }

    /// Stores the index for the next process. A failure costs that process some seconds and nothing else.
    ///
    /// An index that was reset to an older commit and not extended since is not stored, because the stored one covers
    /// more.
    pub fn save(&self) -> SourceResult<()> {
        let Some(path) = self.path.as_ref().filter(|_| self.unread_files_of.is_none()) else { return Ok(()) };
        let files = self.files.iter().map(|(path, known)| (path.clone(), known.leaf, known.services.clone()));
        store::save(path, &self.history, files.collect())
    }

    pub fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Indexes the commits up to `tip` and returns the number of visited commits: those after the newest indexed
    /// ancestor.
    ///
    /// An older commit of the line, or a branch from it, costs only the commits between. A branch rewritten from its
    /// root costs all of them. After an error the index is empty.
    pub fn extend(&mut self, source: &Source, tip: CommitId, layout: &Layout) -> SourceResult<usize> {
        let visited = self.try_extend(source, tip, layout);
        if visited.is_err() {
            self.clear();
        }
        visited
    }

    fn try_extend(&mut self, source: &Source, tip: CommitId, layout: &Layout) -> SourceResult<usize> {
        if self.tip == Some(tip) {
            return Ok(0);
        }
        let is_known = |id| self.tip == Some(id) || self.history.position_of(id).is_some();
        let line = source.walk_to_known(tip, is_known)?;
        match line.met {
            Some((met, _)) if self.tip == Some(met) => {}
            Some((met, _)) => self.rewind_to(met),
            None => self.clear(),
        }
        let mut before: Option<ObjectId> = line.met.map(|(_, tree)| tree);
        for batch in line.commits.chunks(COMMITS_PER_BATCH) {
            let steps = source.steps_in_parallel(before, batch, layout)?;
            if !steps.is_empty() {
                self.load_files(source, layout)?;
            }
            for step in steps {
                self.add_commit(step, source, layout)?;
            }
            if let Some((last, tree)) = batch.last() {
                (self.tip, before) = (Some(*last), Some(*tree));
            }
        }
        let tip = Arc::new(source.commit(tip)?);
        Arc::make_mut(&mut self.history).set_tip(tip);
        Ok(line.commits.len())
    }

    /// Resets the index to an older commit that moved a pin.
    fn rewind_to(&mut self, to: CommitId) {
        tracing::debug!(%to, "the index goes back: the branch was rewritten, or this is an older revision of it");
        let Some(position) = self.history.position_of(to) else { return self.clear() };
        let history = Arc::new(self.history.truncated_at(position));
        *self = Self { history, tip: Some(to), unread_files_of: Some(to), path: self.path.take(), ..Self::default() };
    }

    /// Reads all pin files of the commit the index was reset to.
    fn load_files(&mut self, source: &Source, layout: &Layout) -> SourceResult<()> {
        let Some(commit) = self.unread_files_of.take() else { return Ok(()) };
        for (path, leaf) in source.tree_entries(commit, FileScope::Pins(layout))? {
            let fragment = Arc::new(reread(source, &path, leaf, layout)?);
            let services: BTreeSet<_> = fragment.services().cloned().collect();
            self.put(
                path.into(),
                IndexedFile { leaf, services: services.into_iter().collect(), fragment: Some(fragment) },
            );
        }
        Ok(())
    }

    /// Applies one commit: updates the changed files, then the pins of every service these files mention before or
    /// after.
    fn add_commit(&mut self, step: CommitStep, source: &Source, layout: &Layout) -> SourceResult<()> {
        let mut touched = BTreeSet::new();
        for change in step.changes {
            if let Some(old) = self.files.remove(&change.path) {
                for service in old.services {
                    self.paths_by_service.entry(service.clone()).and_modify(|paths| _ = paths.remove(&change.path));
                    touched.insert(service);
                }
            }
            if let Some((leaf, fragment)) = change.now {
                let services: BTreeSet<_> = fragment.services().cloned().collect();
                touched.extend(services.iter().cloned());
                self.put(
                    change.path,
                    IndexedFile { leaf, services: services.into_iter().collect(), fragment: Some(fragment) },
                );
            }
        }
        for service in touched {
            let fragments = self.fragments_of(&service, source, layout)?;
            let pin = assemble_pin(&service, fragments.iter().map(AsRef::as_ref));
            Arc::make_mut(&mut self.history).record_pin(&service, &step.commit, pin);
        }
        Ok(())
    }

    fn clear(&mut self) {
        *self = Self { path: self.path.take(), ..Self::default() };
    }

    fn put(&mut self, path: Arc<str>, known: IndexedFile) {
        for service in &known.services {
            self.paths_by_service.entry(service.clone()).or_default().insert(Arc::clone(&path));
        }
        self.files.insert(path, known);
    }

    /// Returns the parsed files that mention a service, by path.
    fn fragments_of(
        &mut self,
        service: &ServiceName,
        source: &Source,
        layout: &Layout,
    ) -> SourceResult<Vec<Arc<Fragment>>> {
        let paths = self.paths_by_service.get(service).into_iter().flatten();
        let mut fragments = Vec::new();
        for path in paths {
            let Some(known) = self.files.get_mut(path) else { continue };
            let fragment = match &known.fragment {
                Some(fragment) => Arc::clone(fragment),
                None => Arc::new(reread(source, path, known.leaf, layout)?),
            };
            known.fragment = Some(Arc::clone(&fragment));
            fragments.push(fragment);
        }
        Ok(fragments)
    }
}

/// Parses a file that an earlier process has indexed.
fn reread(source: &Source, path: &str, leaf: TreeEntry, layout: &Layout) -> SourceResult<Fragment> {
    let file = read(&source.repo(), path, leaf).map_err(|error| object_error(path, source.location(), &error))?;
    Ok(Fragment::read(&file, layout))
}
