//! The pin index of a branch, extended by new commits and stored in the cache folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;
use pintle_core::git::CommitId;
use pintle_core::history::History;
use pintle_core::pins::{Fragment, Layout, ServiceName, pin_of};

use super::error::{Result, unread};
use super::tree::{Leaf, Scope, read};
use super::walk::Step;
use super::{Source, store};

/// The number of commits diffed per batch. It bounds the memory of the first index of a long history.
const BATCH: usize = 8192;

/// The pin history of one branch under one layout.
#[derive(Debug, Default)]
pub struct Index {
    history: Arc<History>,
    /// The last indexed commit.
    reached: Option<CommitId>,
    /// Set while the files are not loaded: the commit to load them from.
    files_of: Option<CommitId>,
    /// The pin files at the last indexed commit, by path.
    files: BTreeMap<Arc<str>, Known>,
    /// The paths of the files that mention a service.
    speakers: HashMap<ServiceName, BTreeSet<Arc<str>>>,
    /// The file of the index in the cache; none for an index that is not stored.
    kept: Option<PathBuf>,
}

/// A pin file at the last indexed commit.
#[derive(Debug)]
struct Known {
    leaf: Leaf,
    services: Vec<ServiceName>,
    /// Parsed on demand: a stored index records only the file's id.
    fragment: Option<Arc<Fragment>>,
}

impl Index {
    /// Loads the stored index of a branch under a layout, or returns an empty one.
    pub fn load(source: &Source, branch: &str, layout: &Layout) -> Self {
        let path = store::path(source, branch, layout);
        let Some((history, files)) = store::load(&path) else { return Self { kept: Some(path), ..Self::default() } };
        let mut index = Self {
            reached: history.tip().map(|tip| tip.id),
            history: Arc::new(history),
            kept: Some(path),
            ..Self::default()
        };
        for (path, leaf, services) in files {
            index.put(path, Known { leaf, services, fragment: None });
        }
        index
    }

    /// Stores the index for the next process. A failure costs that process some seconds and nothing else.
    ///
    /// An index that was reset to an older commit and not extended since is not stored, because the stored one covers
    /// more.
    pub fn save(&self) -> Result<()> {
        let Some(path) = self.kept.as_ref().filter(|_| self.files_of.is_none()) else { return Ok(()) };
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
    pub fn extend(&mut self, source: &Source, tip: CommitId, layout: &Layout) -> Result<usize> {
        let visited = self.try_extend(source, tip, layout);
        if visited.is_err() {
            self.clear();
        }
        visited
    }

    fn try_extend(&mut self, source: &Source, tip: CommitId, layout: &Layout) -> Result<usize> {
        if self.reached == Some(tip) {
            return Ok(0);
        }
        let is_known = |id| self.reached == Some(id) || self.history.position(id).is_some();
        let line = source.line(tip, is_known)?;
        match line.met {
            Some((met, _)) if self.reached == Some(met) => {}
            Some((met, _)) => self.go_back(met),
            None => self.clear(),
        }
        let mut before: Option<ObjectId> = line.met.map(|(_, tree)| tree);
        for batch in line.commits.chunks(BATCH) {
            let steps = source.steps(before, batch, layout)?;
            if !steps.is_empty() {
                self.know_files(source, layout)?;
            }
            for step in steps {
                self.take(step, source, layout)?;
            }
            if let Some((last, tree)) = batch.last() {
                (self.reached, before) = (Some(*last), Some(*tree));
            }
        }
        let tip = Arc::new(source.commit(tip)?);
        Arc::make_mut(&mut self.history).reach(tip);
        Ok(line.commits.len())
    }

    /// Resets the index to an older commit that moved a pin.
    fn go_back(&mut self, to: CommitId) {
        tracing::debug!(%to, "the index goes back: the branch was rewritten, or this is an older revision of it");
        let Some(position) = self.history.position(to) else { return self.clear() };
        let history = Arc::new(self.history.until(position));
        *self = Self { history, reached: Some(to), files_of: Some(to), kept: self.kept.take(), ..Self::default() };
    }

    /// Reads all pin files of the commit the index was reset to.
    fn know_files(&mut self, source: &Source, layout: &Layout) -> Result<()> {
        let Some(commit) = self.files_of.take() else { return Ok(()) };
        for (path, leaf) in source.leaves(commit, Scope::Pins(layout))? {
            let fragment = Arc::new(reread(source, &path, leaf, layout)?);
            let services: BTreeSet<_> = fragment.services().cloned().collect();
            self.put(path.into(), Known { leaf, services: services.into_iter().collect(), fragment: Some(fragment) });
        }
        Ok(())
    }

    /// Applies one commit: updates the changed files, then the pins of every service these files mention before or
    /// after.
    fn take(&mut self, step: Step, source: &Source, layout: &Layout) -> Result<()> {
        let mut touched = BTreeSet::new();
        for change in step.changes {
            if let Some(old) = self.files.remove(&change.path) {
                for service in old.services {
                    self.speakers.entry(service.clone()).and_modify(|paths| _ = paths.remove(&change.path));
                    touched.insert(service);
                }
            }
            if let Some((leaf, fragment)) = change.now {
                let services: BTreeSet<_> = fragment.services().cloned().collect();
                touched.extend(services.iter().cloned());
                self.put(
                    change.path,
                    Known { leaf, services: services.into_iter().collect(), fragment: Some(fragment) },
                );
            }
        }
        for service in touched {
            let fragments = self.fragments_of(&service, source, layout)?;
            let pin = pin_of(&service, fragments.iter().map(AsRef::as_ref));
            Arc::make_mut(&mut self.history).push(&service, &step.commit, pin);
        }
        Ok(())
    }

    fn clear(&mut self) {
        *self = Self { kept: self.kept.take(), ..Self::default() };
    }

    fn put(&mut self, path: Arc<str>, known: Known) {
        for service in &known.services {
            self.speakers.entry(service.clone()).or_default().insert(Arc::clone(&path));
        }
        self.files.insert(path, known);
    }

    /// Returns the parsed files that mention a service, by path.
    fn fragments_of(&mut self, service: &ServiceName, source: &Source, layout: &Layout) -> Result<Vec<Arc<Fragment>>> {
        let paths = self.speakers.get(service).into_iter().flatten();
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
fn reread(source: &Source, path: &str, leaf: Leaf, layout: &Layout) -> Result<Fragment> {
    let file = read(&source.repo(), path, leaf).map_err(|error| unread(path, source.location(), &error))?;
    Ok(Fragment::read(&file, layout))
}
