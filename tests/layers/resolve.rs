//! What a path means: the file and the item behind `use`, re-exports, `super` and globs.

use std::collections::BTreeMap;

use super::source::{Crate, Module};

/// An item of the crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// The file that defines it.
    pub(super) file: String,
    pub(super) module: Vec<String>,
    pub(super) name: String,
    /// What the path names of it: a method, a variant, a constant.
    pub(super) of_it: Option<String>,
}

/// Where a path leads.
enum Place {
    Module(Vec<String>),
    Item { module: Vec<String>, name: String },
}

/// Re-exports of re-exports are followed this far.
const DEPTH: u8 = 16;

/// What `path`, written in `module`, names; none for what stands outside of the crate.
pub(super) fn resolve(sources: &Crate, module: &[String], path: &[String]) -> Option<Target> {
    let modules = &sources.modules;
    let (mut place, mut rest) = first(modules, module, path, DEPTH)?;
    while let (Place::Module(inside), [name, more @ ..]) = (&place, rest) {
        place = member(modules, inside, name, DEPTH)?;
        rest = more;
    }
    let Place::Item { module, name } = place else { return None };
    let file = modules.get(&module)?.file.clone();
    Some(Target { file, module, name, of_it: rest.first().cloned() })
}

/// What the first segment names, and the rest.
fn first<'a>(
    modules: &BTreeMap<Vec<String>, Module>,
    module: &[String],
    path: &'a [String],
    depth: u8,
) -> Option<(Place, &'a [String])> {
    let [head, rest @ ..] = path else { return None };
    let place = match head.as_str() {
        "crate" => Place::Module(Vec::new()),
        "self" if !rest.is_empty() => Place::Module(module.to_vec()),
        "super" => {
            let mut above = module.split_last()?.1;
            let mut rest = rest;
            while let [next, more @ ..] = rest
                && next == "super"
            {
                (above, rest) = (above.split_last()?.1, more);
            }
            return Some((Place::Module(above.to_vec()), rest));
        }
        name => member(modules, module, name, depth)?,
    };
    Some((place, rest))
}

/// What `name` means in `module`: a child, an item, or what a `use` brings in.
fn member(modules: &BTreeMap<Vec<String>, Module>, module: &[String], name: &str, depth: u8) -> Option<Place> {
    let depth = depth.checked_sub(1)?;
    let here = modules.get(module)?;
    if here.items.contains(name) {
        return Some(Place::Item { module: module.to_vec(), name: name.to_owned() });
    }
    let mut named = here.uses.iter().filter(|line| line.name.as_deref() == Some(name));
    // A `use` of an external crate of the same name as a module here leads nowhere, and the child is meant.
    if let Some(place) = named.find_map(|line| follow(modules, module, &line.path, depth)) {
        return Some(place);
    }
    let child = [module, &[name.to_owned()]].concat();
    if modules.contains_key(&child) {
        return Some(Place::Module(child));
    }
    let globs = here.uses.iter().filter(|line| line.name.is_none());
    globs.filter_map(|line| follow(modules, module, &line.path, depth)).find_map(|place| match place {
        Place::Module(inside) => member(modules, &inside, name, depth),
        Place::Item { .. } => None,
    })
}

/// Where the path of a `use` leads.
fn follow(modules: &BTreeMap<Vec<String>, Module>, module: &[String], path: &[String], depth: u8) -> Option<Place> {
    if let [name] = path
        && modules.get(module)?.uses.iter().any(|line| line.name.as_ref() == Some(name) && line.path == path)
    {
        return None;
    }
    let (mut place, mut rest) = first(modules, module, path, depth)?;
    while let [name, more @ ..] = rest {
        let Place::Module(inside) = &place else { return None };
        place = member(modules, inside, name, depth)?;
        rest = more;
    }
    Some(place)
}
