//! The index of a branch's history: extended by new commits only, kept in the cache folder.

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

/// So many commits are compared before the next ones are: it bounds the memory that the first index of a long history
/// takes.
const BATCH: usize = 8192;

/// The history of one branch, read by one layout.
#[derive(Debug, Default)]
pub struct Index {
    history: Arc<History>,
    /// How far it goes.
    reached: Option<CommitId>,
    /// Set where the files are not known yet: they are those of this commit.
    files_of: Option<CommitId>,
    /// The wanted files at the commit that was reached, by path.
    files: BTreeMap<Arc<str>, Known>,
    /// The paths of the files that speak of a service.
    speakers: HashMap<ServiceName, BTreeSet<Arc<str>>>,
    /// Where it is kept; none for an index that is not.
    kept: Option<PathBuf>,
}

/// A wanted file at the commit that was reached.
#[derive(Debug)]
struct Known {
    leaf: Leaf,
    services: Vec<ServiceName>,
    /// Read when it is needed: an index from disk knows the file by its id alone.
    fragment: Option<Arc<Fragment>>,
}

impl Index {
    /// The index of a branch as it was kept, or an empty one. `layout` and branch are part of its name.
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

    /// Keeps the index for the next process. Not to be able to costs that process some seconds, nothing else. One that has
    /// gone back and did not go on from there is not kept: the one that is kept knows more.
    pub fn save(&self) -> Result<()> {
        let Some(path) = self.kept.as_ref().filter(|_| self.files_of.is_none()) else { return Ok(()) };
        let files = self.files.iter().map(|(path, known)| (path.clone(), known.leaf, known.services.clone()));
        store::save(path, &self.history, files.collect())
    }

    /// What it holds.
    pub fn history(&self) -> &Arc<History> {
        &self.history
    }

    /// Takes in the commits up to `tip`, and returns how many it had to visit: those after the newest one that it knows. So
    /// a commit of the line that it holds, or of a branch from it, costs what lies between. Where the branch was rewritten
    /// from its beginning that is all of them. After an error it is empty.
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

    /// Goes back to a commit that moved a pin.
    fn go_back(&mut self, to: CommitId) {
        tracing::debug!(%to, "the index goes back: the branch was rewritten, or this is an older revision of it");
        let Some(position) = self.history.position(to) else { return self.clear() };
        let history = Arc::new(self.history.until(position));
        *self = Self { history, reached: Some(to), files_of: Some(to), kept: self.kept.take(), ..Self::default() };
    }

    /// Looks at all files of the commit that it went back to.
    fn know_files(&mut self, source: &Source, layout: &Layout) -> Result<()> {
        let Some(commit) = self.files_of.take() else { return Ok(()) };
        for (path, leaf) in source.leaves(commit, Scope::Pins(layout))? {
            let fragment = Arc::new(reread(source, &path, leaf, layout)?);
            let services: BTreeSet<_> = fragment.services().cloned().collect();
            self.put(path.into(), Known { leaf, services: services.into_iter().collect(), fragment: Some(fragment) });
        }
        Ok(())
    }

    /// One commit: the files it changed, then the pins of the services that those files spoke or speak of.
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

    /// What the files say that speak of a service, by path.
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

/// Reads a file again that an earlier process has read.
fn reread(source: &Source, path: &str, leaf: Leaf, layout: &Layout) -> Result<Fragment> {
    let file = read(&source.repo(), path, leaf).map_err(|error| unread(path, source.location(), &error))?;
    Ok(Fragment::read(&file, layout))
}
