//! The declarations of one pin file, read independently of all other files.

use std::sync::Arc;

use super::found::{FoundPin, PatternSearch, find_pins};
use super::layout::{Layout, PatternMatch};
use super::reader::{FileReader, parse_file};
use super::service::{Draft, read_service_file};
use super::yaml::YamlTree;
use super::{PinPattern, ServiceName};
use crate::git::{FileContent, RepoFile};
use crate::problem::{FilePlace, Problem, Severity};

/// The declarations and problems of one file. It depends on no other file, so an unchanged file need not be read again.
#[derive(Debug, Clone)]
pub struct Fragment {
    pub(super) path: Arc<str>,
    /// The draft from a service file. A file with errors keeps its draft. The checks between files then report their
    /// errors in the same run, and its `pin:` stays part of the layout.
    pub(super) draft: Option<(ServiceName, Box<Draft>)>,
    /// The result of each pattern that matches the path.
    pub(super) searches: Vec<PatternSearch>,
    pub(super) problems: Vec<Problem>,
    /// The file cannot be read, and the names of the services it pins stand inside. It may hide any service.
    pub(super) hides_services: bool,
    /// For the line and column of problems that only the checks between files find.
    pub(super) bytes: Arc<[u8]>,
}

impl Fragment {
    /// Reads a file that the layout [wants](Layout::may_hold_pins). Any other file gives an empty fragment.
    pub fn read(file: &RepoFile, layout: &Layout) -> Self {
        let mut fragment = Self {
            path: Arc::clone(&file.path),
            draft: None,
            searches: Vec::new(),
            problems: Vec::new(),
            hides_services: false,
            bytes: Arc::default(),
        };
        let roles = layout.pattern_matches(&file.path);
        let own = layout.service_file_name(&file.path).and_then(|name| fragment.own_name(name));
        if own.is_none() && roles.is_empty() {
            return fragment;
        }
        if let FileContent::Bytes(bytes) = &file.content {
            fragment.bytes = Arc::clone(bytes);
            let parsed = parse_file(&file.path, bytes, |tree| fragment.take(tree, own.as_ref(), &roles));
            if let Err(problem) = parsed {
                fragment.unreadable(&problem, own.as_ref(), &roles);
            }
        } else {
            let problem =
                Problem::error(format!("this is {}", what_it_is(&file.content)), FilePlace::whole_file(&file.path));
            fragment.unreadable(&problem.hint("put a regular file there"), own.as_ref(), &roles);
        }
        fragment
    }

    /// Adds the declarations of a parsed file.
    fn take(&mut self, tree: &YamlTree<'_>, own: Option<&ServiceName>, roles: &[PatternMatch<'_>]) {
        let path = Arc::clone(&self.path);
        if let Some(name) = own {
            let mut reader = FileReader::new(&path, Some(name));
            self.draft = read_service_file(&mut reader, name, tree).map(|draft| (name.clone(), Box::new(draft)));
            self.problems.extend(reader.finish());
        }
        for role in roles {
            let mut reader = FileReader::new(&path, None);
            self.searches.push(find_pins(&mut reader, role, tree));
            self.problems.extend(reader.finish());
        }
    }

    /// Returns the services that the file declares or reports errors about. A service may occur more than once.
    pub fn services(&self) -> impl Iterator<Item = &ServiceName> {
        let held = self.problems.iter().filter_map(|problem| problem.service.as_ref());
        self.draft.iter().map(|(name, _)| name).chain(self.found().map(|found| &found.service)).chain(held)
    }

    pub(super) fn found(&self) -> impl Iterator<Item = &FoundPin> {
        self.searches.iter().flat_map(|search| &search.found)
    }

    /// Returns the pattern of the file's `pin:` key.
    pub fn patterns(&self) -> impl Iterator<Item = &PinPattern> {
        self.draft.iter().filter_map(|(_, draft)| draft.pin.as_ref())
    }

    /// Returns the name of the service whose own file this is, or records why the file name is wrong.
    fn own_name(&mut self, name: &str) -> Option<ServiceName> {
        let place = FilePlace::whole_file(&self.path);
        let service = match ServiceName::new(name) {
            Ok(service) => service,
            Err(error) => {
                self.problems.push(Problem::error(error.to_string(), place).hint("rename the file"));
                return None;
            }
        };
        if self.path.ends_with(".yml") {
            let problem = Problem::error("the files of services end in .yaml", place).for_service(&service);
            self.problems.push(problem.hint(format!("rename it to {service}.yaml")));
            return None;
        }
        Some(service)
    }

    /// Reports the problem for each service whose name is known without reading the file.
    fn unreadable(&mut self, problem: &Problem, own: Option<&ServiceName>, roles: &[PatternMatch<'_>]) {
        let mut services: Vec<ServiceName> = own.cloned().into_iter().collect();
        for role in roles {
            self.searches.push(PatternSearch::of(role));
            match role.named_service() {
                Some(Ok(service)) if !services.contains(&service) => services.push(service),
                Some(_) => {}
                None => self.hides_services = true,
            }
        }
        if self.hides_services {
            self.problems.push(problem.clone());
        }
        self.problems.extend(services.iter().map(|service| problem.clone().for_service(service)));
    }

    pub(super) fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// Returns the error that makes the whole revision unusable, if there is one.
    pub(super) fn hiding_problem(&self) -> Option<&Problem> {
        self.errors().find(|problem| self.hides_services && problem.service.is_none())
    }
}

fn what_it_is(content: &FileContent) -> String {
    match content {
        FileContent::Bytes(_) => "a file".to_owned(),
        FileContent::TooLarge(size) => format!("a file of {size} bytes, more than is read"),
        FileContent::Symlink => "a symbolic link, which is never followed".to_owned(),
        FileContent::Submodule => "a submodule".to_owned(),
    }
}
