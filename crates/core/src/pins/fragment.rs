//! The declarations of one pin file, read independently of all other files.

use std::sync::Arc;

use super::found::{Found, Search, find};
use super::layout::{Layout, Role};
use super::reader::{Reader, parse_file};
use super::service::{Draft, draft};
use super::yaml::Tree;
use super::{Pattern, ServiceName};
use crate::git::{Content, File};
use crate::problem::{Place, Problem, Severity};

/// The declarations and problems of one file. It depends on no other file, so an unchanged file need not be read again.
#[derive(Debug, Clone)]
pub struct Fragment {
    pub(super) path: Arc<str>,
    /// The draft from a service file. A file with errors keeps its draft. The checks between files then report their
    /// errors in the same run, and its `pin:` stays part of the layout.
    pub(super) draft: Option<(ServiceName, Box<Draft>)>,
    /// The result of each pattern that matches the path.
    pub(super) searches: Vec<Search>,
    pub(super) problems: Vec<Problem>,
    /// The file cannot be read, and the names of the services it pins stand inside. It may hide any service.
    pub(super) blind: bool,
    /// For the line and column of problems that only the checks between files find.
    pub(super) bytes: Arc<[u8]>,
}

impl Fragment {
    /// Reads a file that the layout [wants](Layout::wants). Any other file gives an empty fragment.
    pub fn read(file: &File, layout: &Layout) -> Self {
        let mut fragment = Self {
            path: Arc::clone(&file.path),
            draft: None,
            searches: Vec::new(),
            problems: Vec::new(),
            blind: false,
            bytes: Arc::default(),
        };
        let roles = layout.roles(&file.path);
        let own = layout.service_file(&file.path).and_then(|name| fragment.own_name(name));
        if own.is_none() && roles.is_empty() {
            return fragment;
        }
        if let Content::Bytes(bytes) = &file.content {
            fragment.bytes = Arc::clone(bytes);
            let parsed = parse_file(&file.path, bytes, |tree| fragment.take(tree, own.as_ref(), &roles));
            if let Err(problem) = parsed {
                fragment.unreadable(&problem, own.as_ref(), &roles);
            }
        } else {
            let problem = Problem::error(format!("this is {}", what_it_is(&file.content)), Place::file(&file.path));
            fragment.unreadable(&problem.hint("put a regular file there"), own.as_ref(), &roles);
        }
        fragment
    }

    /// Adds the declarations of a parsed file.
    fn take(&mut self, tree: &Tree<'_>, own: Option<&ServiceName>, roles: &[Role<'_>]) {
        let path = Arc::clone(&self.path);
        if let Some(name) = own {
            let mut reader = Reader::new(&path, Some(name));
            self.draft = draft(&mut reader, name, tree).map(|draft| (name.clone(), Box::new(draft)));
            self.problems.extend(reader.finish());
        }
        for role in roles {
            let mut reader = Reader::new(&path, None);
            self.searches.push(find(&mut reader, role, tree));
            self.problems.extend(reader.finish());
        }
    }

    /// Returns the services that the file declares or reports errors about. A service may occur more than once.
    pub fn services(&self) -> impl Iterator<Item = &ServiceName> {
        let held = self.problems.iter().filter_map(|problem| problem.service.as_ref());
        self.draft.iter().map(|(name, _)| name).chain(self.found().map(|found| &found.service)).chain(held)
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &Found> {
        self.searches.iter().flat_map(|search| &search.found)
    }

    /// Returns the pattern of the file's `pin:` key.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.draft.iter().filter_map(|(_, draft)| draft.pin.as_ref())
    }

    /// Returns the name of the service whose own file this is, or records why the file name is wrong.
    fn own_name(&mut self, name: &str) -> Option<ServiceName> {
        let place = Place::file(&self.path);
        let service = match ServiceName::new(name) {
            Ok(service) => service,
            Err(error) => {
                self.problems.push(Problem::error(error.to_string(), place).hint("rename the file"));
                return None;
            }
        };
        if self.path.ends_with(".yml") {
            let problem = Problem::error("the files of services end in .yaml", place).of(&service);
            self.problems.push(problem.hint(format!("rename it to {service}.yaml")));
            return None;
        }
        Some(service)
    }

    /// Reports the problem for each service whose name is known without reading the file.
    fn unreadable(&mut self, problem: &Problem, own: Option<&ServiceName>, roles: &[Role<'_>]) {
        let mut services: Vec<ServiceName> = own.cloned().into_iter().collect();
        for role in roles {
            self.searches.push(Search::of(role));
            match role.service() {
                Some(Ok(service)) if !services.contains(&service) => services.push(service),
                Some(_) => {}
                None => self.blind = true,
            }
        }
        if self.blind {
            self.problems.push(problem.clone());
        }
        self.problems.extend(services.iter().map(|service| problem.clone().of(service)));
    }

    pub(super) fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// Returns the error that makes the whole revision unusable, if there is one.
    pub(super) fn blinding(&self) -> Option<&Problem> {
        self.errors().find(|problem| self.blind && problem.service.is_none())
    }
}

fn what_it_is(content: &Content) -> String {
    match content {
        Content::Bytes(_) => "a file".to_owned(),
        Content::TooLarge(size) => format!("a file of {size} bytes, more than is read"),
        Content::Symlink => "a symbolic link, which is never followed".to_owned(),
        Content::Submodule => "a submodule".to_owned(),
    }
}
