//! Arrows: which part of which file uses which, and the circles among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::resolve::{Target, resolve};
use super::source::{Crate, Item};

/// A file, or the upper part of one that has children.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) file: String,
    pub(super) is_upper: bool,
}

/// One part uses another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) from: Part,
    pub(super) to: Part,
    /// Where it stands, and what is used.
    pub(super) mention: String,
}

/// The arrows of a crate.
#[derive(Default)]
pub(super) struct Arrows {
    /// The modules right below the root.
    pub(super) modules: BTreeSet<String>,
    pub(super) all: BTreeSet<Arrow>,
}

impl Part {
    /// The module below the root that the file belongs to.
    pub(super) fn module(&self) -> &str {
        self.file.trim_end_matches(".rs").split('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.file, if self.is_upper { " (upper part)" } else { "" })
    }
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: {}", self.from, self.to, self.mention)
    }
}

/// A name in a module.
type Name = (Vec<String>, String);

/// A method or constant of an inherent impl: the type, and its own name.
type Method = (Name, String);

/// An item by file and place in it.
type ItemId<'a> = (&'a str, usize);

/// The crate with what each item uses.
struct Uses<'a> {
    sources: &'a Crate,
    /// Items by what they define: type, function, constant.
    defined: BTreeMap<Name, ItemId<'a>>,
    /// Methods by their type.
    methods: BTreeMap<Method, Vec<ItemId<'a>>>,
    /// For each item what it uses.
    used: BTreeMap<ItemId<'a>, BTreeSet<(ItemId<'a>, String)>>,
}

impl Arrows {
    /// All arrows of the crate.
    pub(super) fn of(sources: &Crate) -> Self {
        let uses = Uses::of(sources);
        let upper = uses.upper();
        let part = |item: &ItemId<'_>| Part { file: item.0.to_owned(), is_upper: upper.contains(item) };
        let mut arrows = Self::default();
        arrows.modules.extend(sources.modules.keys().filter_map(|path| path.first().cloned()));
        for (from, targets) in &uses.used {
            for (to, mention) in targets {
                arrows.add(part(from), part(to), mention.clone());
            }
        }
        arrows.imports(&uses, &part);
        arrows
    }

    /// Adds the `use` lines that no item mentions, such as those of traits, and re-exports from elsewhere.
    fn imports(&mut self, uses: &Uses<'_>, part: &dyn Fn(&ItemId<'_>) -> Part) {
        for (path, module) in &uses.sources.modules {
            let is_mentioned = |name: &String| {
                uses.sources.files[&module.file]
                    .iter()
                    .any(|item| item.mentions.iter().any(|path| path.first() == Some(name)))
            };
            for line in &module.uses {
                let Some(target) = resolve(uses.sources, path, &line.path) else { continue };
                let is_import = line.is_public || line.name.as_ref().is_some_and(|name| !is_mentioned(name));
                let is_own_child = is_below(&module.file, &target.file);
                if let (true, false, Some(to)) = (is_import, is_own_child, uses.item(&target)) {
                    let is_upper = has_children(uses.sources, &module.file);
                    self.add(Part { file: module.file.clone(), is_upper }, part(&to), line.path.join("::"));
                }
            }
        }
    }

    fn add(&mut self, from: Part, to: Part, mention: String) {
        let leaves_file = from.file != to.file;
        let leaves_upper_part = from.is_upper && !to.is_upper;
        if leaves_file || leaves_upper_part {
            self.all.insert(Arrow { from, to, mention });
        }
    }
}

impl<'a> Uses<'a> {
    fn of(sources: &'a Crate) -> Self {
        let mut uses = Self { sources, defined: BTreeMap::new(), methods: BTreeMap::new(), used: BTreeMap::new() };
        uses.define();
        for (file, items) in &sources.files {
            for (index, item) in items.iter().enumerate() {
                let arrows = uses.of_item(file, item);
                uses.used.insert((file, index), arrows);
            }
        }
        uses
    }

    fn define(&mut self) {
        for (file, items) in &self.sources.files {
            for (index, item) in items.iter().enumerate() {
                let id = (file.as_str(), index);
                match (&item.name, &item.owner) {
                    (Some(name), None) => _ = self.defined.insert((item.module.clone(), name.clone()), id),
                    (Some(name), Some(_)) => {
                        let method = self.owner(item).map(|owner| (owner, name.clone()));
                        if let Some(method) = method {
                            self.methods.entry(method).or_default().push(id);
                        }
                    }
                    (None, _) => {}
                }
            }
        }
    }

    /// The type whose method the item is.
    fn owner(&self, item: &Item) -> Option<Name> {
        let target = resolve(self.sources, &item.module, item.owner.as_ref()?)?;
        Some((target.module, target.name))
    }

    /// The item that defines the target.
    fn item(&self, target: &Target) -> Option<ItemId<'a>> {
        self.defined.get(&(target.module.clone(), target.name.clone())).copied()
    }

    /// What an item uses.
    fn of_item(&self, file: &str, item: &Item) -> BTreeSet<(ItemId<'a>, String)> {
        let mut used = BTreeSet::new();
        for path in &item.mentions {
            let text = path.join("::");
            let own = item.owner.as_ref().filter(|_| path[0] == "Self");
            let path: Vec<_> = own.into_iter().flatten().chain(&path[usize::from(own.is_some())..]).cloned().collect();
            let Some(target) = resolve(self.sources, &item.module, &path) else { continue };
            used.extend(self.item(&target).map(|to| (to, text.clone())));
            let method = target.of_it.map(|name| ((target.module, target.name), name));
            used.extend(self.methods_named(method.as_ref()).map(|to| (to, text.clone())));
        }
        for name in &item.calls_on_self {
            let method = self.owner(item).map(|owner| (owner, name.clone()));
            used.extend(self.methods_named(method.as_ref()).map(|to| (to, format!("self.{name}()"))));
        }
        for name in &item.calls {
            used.extend(self.only(name).filter(|to| self.is_seen(file, *to)).map(|to| (to, format!(".{name}()"))));
        }
        used
    }

    fn methods_named(&self, method: Option<&Method>) -> impl Iterator<Item = ItemId<'a>> {
        method.and_then(|method| self.methods.get(method)).into_iter().flatten().copied()
    }

    /// The method of this name, where there is but one in the crate.
    fn only(&self, name: &str) -> Option<ItemId<'a>> {
        let mut found = self.methods.iter().filter(|((_, method), _)| method == name).flat_map(|(_, items)| items);
        let only = found.next()?;
        found.next().is_none().then_some(*only)
    }

    /// Whether a call of `method` in `file` is taken for one: where its type is defined in `file`, or `file` is a child.
    fn is_seen(&self, file: &str, method: ItemId<'a>) -> bool {
        let item = &self.sources.files[method.0][method.1];
        let is_owned = self.owner(item).is_some_and(|(module, _)| self.sources.modules[&module].file == file);
        is_owned || is_below(method.0, file)
    }

    /// The items of the upper parts.
    fn upper(&self) -> BTreeSet<ItemId<'a>> {
        let mut upper: BTreeSet<ItemId<'a>> = BTreeSet::new();
        loop {
            let rises = |(from, targets): (&ItemId<'a>, &BTreeSet<(ItemId<'a>, String)>)| {
                let is_upper = |to: &ItemId<'a>| is_below(from.0, to.0) || (from.0 == to.0 && upper.contains(to));
                (!upper.contains(from) && targets.iter().any(|(to, _)| is_upper(to))).then_some(*from)
            };
            let more: Vec<_> = self.used.iter().filter_map(rises).collect();
            if more.is_empty() {
                return upper;
            }
            upper.extend(more);
        }
    }
}

/// Whether `file` stands in the folder of `parent`.
fn is_below(parent: &str, file: &str) -> bool {
    file.strip_prefix(parent.trim_end_matches(".rs")).is_some_and(|rest| rest.starts_with('/'))
}

fn has_children(sources: &Crate, parent: &str) -> bool {
    sources.files.keys().any(|file| is_below(parent, file))
}

/// The circles: the files of each, and its arrows as text.
pub(super) fn circles(arrows: &Arrows) -> Vec<(BTreeSet<String>, String)> {
    let mut next: BTreeMap<&Part, BTreeSet<&Part>> = BTreeMap::new();
    for arrow in &arrows.all {
        next.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reached: BTreeMap<_, _> = next.keys().map(|part| (*part, reached(&next, part))).collect();
    let leads_to = |from: &Part, to: &Part| reached.get(from).is_some_and(|all| all.contains(to));
    let mut found = BTreeSet::new();
    for part in next.keys().filter(|part| leads_to(part, part)) {
        let circle: BTreeSet<_> =
            next.keys().copied().filter(|other| leads_to(part, other) && leads_to(other, part)).collect();
        found.insert(circle);
    }
    found
        .into_iter()
        .map(|circle| (circle.iter().map(|part| part.file.clone()).collect(), text(arrows, &circle)))
        .collect()
}

fn reached<'a>(next: &BTreeMap<&'a Part, BTreeSet<&'a Part>>, from: &Part) -> BTreeSet<&'a Part> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&'a Part> = next.get(from).into_iter().flatten().copied().collect();
    while let Some(part) = open.pop() {
        if reached.insert(part) {
            open.extend(next.get(part).into_iter().flatten().copied());
        }
    }
    reached
}

fn text(arrows: &Arrows, circle: &BTreeSet<&Part>) -> String {
    let inside = arrows.all.iter().filter(|arrow| circle.contains(&arrow.from) && circle.contains(&arrow.to));
    let lines: Vec<_> = inside.map(|arrow| format!("  {arrow}")).collect();
    format!("a circle:\n{}", lines.join("\n"))
}
