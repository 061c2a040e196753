//! Sources of a crate: files, their modules, and the items in them with what each mentions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::visit::{self, Visit};

/// The sources of one crate.
#[derive(Default)]
pub(super) struct Crate {
    /// The files by path from the source folder.
    pub(super) files: BTreeMap<String, Vec<Item>>,
    /// The modules by path from the root, which is empty.
    pub(super) modules: BTreeMap<Vec<String>, Module>,
}

/// A module: a file, or a part of one.
#[derive(Default)]
pub(super) struct Module {
    pub(super) file: String,
    pub(super) items: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
}

/// One name that a `use` brings in.
pub(super) struct Use {
    pub(super) path: Vec<String>,
    /// The name here; none for `*`.
    pub(super) name: Option<String>,
    /// Whether it is a re-export.
    pub(super) is_public: bool,
}

/// An item, or a method of an impl.
pub(super) struct Item {
    pub(super) module: Vec<String>,
    /// The name; none for impls of traits.
    pub(super) name: Option<String>,
    /// The type of the inherent impl that it stands in.
    pub(super) owner: Option<Vec<String>>,
    /// The paths in its text.
    pub(super) mentions: BTreeSet<Vec<String>>,
    /// The methods that it calls.
    pub(super) calls: BTreeSet<String>,
    /// The methods that it calls on `self`.
    pub(super) calls_on_self: BTreeSet<String>,
}

impl Crate {
    /// Reads the folder, without tests.
    pub(super) fn read(folder: &Path) -> Self {
        let mut paths = Vec::new();
        list(folder, &mut paths);
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let relative = |path: &Path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        Self::of(paths.iter().map(|path| (relative(path), read(path))))
    }

    /// The crate of these files.
    pub(super) fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut sources = Self::default();
        sources.modules.insert(Vec::new(), Module::default());
        for (path, text) in files {
            let segments = path.trim_end_matches(".rs").split('/').map(str::to_owned);
            let module = if path == "lib.rs" { Vec::new() } else { segments.collect() };
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
            sources.files.insert(path.clone(), Vec::new());
            sources.module(&path, &module, file.items);
        }
        sources
    }

    fn module(&mut self, file: &str, path: &[String], items: Vec<syn::Item>) {
        let module = self.modules.entry(path.to_vec()).or_default();
        file.clone_into(&mut module.file);
        for item in items.into_iter().filter(|item| !is_test(item)) {
            self.item(file, path, item);
        }
    }

    fn item(&mut self, file: &str, path: &[String], item: syn::Item) {
        match item {
            syn::Item::Mod(inner) => {
                if let Some((_, items)) = inner.content {
                    self.module(file, &[path, &[inner.ident.to_string()]].concat(), items);
                }
            }
            syn::Item::Use(line) => {
                let is_public = !matches!(line.vis, syn::Visibility::Inherited);
                let module = self.modules.entry(path.to_vec()).or_default();
                leaves(&line.tree, &[], is_public, &mut module.uses);
            }
            syn::Item::Impl(block) if block.trait_.is_none() => self.inherent(file, path, block),
            other => {
                let name = name(&other);
                let module = self.modules.entry(path.to_vec()).or_default();
                module.items.extend(name.clone());
                self.add(file, path, (name, None), |mentions| mentions.visit_item(&other));
            }
        }
    }

    /// Takes the methods of an inherent impl one by one.
    fn inherent(&mut self, file: &str, path: &[String], block: syn::ItemImpl) {
        let mut head = Mentions::default();
        head.visit_type(&block.self_ty);
        head.visit_generics(&block.generics);
        let owner = match &*block.self_ty {
            syn::Type::Path(of) => segments(&of.path),
            _ => Vec::new(),
        };
        for item in block.items {
            let name = match &item {
                syn::ImplItem::Fn(method) => method.sig.ident.to_string(),
                syn::ImplItem::Const(constant) => constant.ident.to_string(),
                _ => continue,
            };
            self.add(file, path, (Some(name), Some(owner.clone())), |mentions| {
                mentions.paths.extend(head.paths.iter().cloned());
                mentions.visit_impl_item(&item);
            });
        }
    }

    fn add(
        &mut self,
        file: &str,
        path: &[String],
        (name, owner): (Option<String>, Option<Vec<String>>),
        visit: impl FnOnce(&mut Mentions),
    ) {
        let mut found = Mentions::default();
        visit(&mut found);
        let item = Item {
            module: path.to_vec(),
            name,
            owner,
            mentions: found.paths,
            calls: found.calls,
            calls_on_self: found.calls_on_self,
        };
        self.files.entry(file.to_owned()).or_default().push(item);
    }
}

/// All sources below, `tests.rs` and `tests/` excepted. `main.rs` only starts.
fn list(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "tests" {
            list(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !matches!(name, "tests.rs" | "main.rs")
        {
            into.push(path);
        }
    }
}

/// Whether the item stands under `#[cfg(test)]`.
fn is_test(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        _ => return false,
    };
    let is_test = |of: &syn::MetaList| of.path.is_ident("cfg") && of.tokens.to_string() == "test";
    attributes.iter().filter_map(|attribute| attribute.meta.require_list().ok()).any(is_test)
}

/// The name that the item defines.
fn name(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Union(item) => &item.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

/// The names that a `use` tree brings in.
fn leaves(tree: &syn::UseTree, before: &[String], is_public: bool, into: &mut Vec<Use>) {
    let mut leaf = |last: &syn::Ident, name: Option<&syn::Ident>| {
        // `self` at the end is the module before it.
        let is_self = last == "self" && !before.is_empty();
        let path = if is_self { before.to_vec() } else { [before, &[last.to_string()]].concat() };
        let name = name.map(ToString::to_string).or_else(|| path.last().cloned());
        into.push(Use { path, name, is_public });
    };
    match tree {
        syn::UseTree::Path(step) => {
            leaves(&step.tree, &[before, &[step.ident.to_string()]].concat(), is_public, into);
        }
        syn::UseTree::Name(last) => leaf(&last.ident, None),
        syn::UseTree::Rename(last) => leaf(&last.ident, Some(&last.rename)),
        syn::UseTree::Glob(_) => into.push(Use { path: before.to_vec(), name: None, is_public }),
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|tree| leaves(tree, before, is_public, into));
        }
    }
}

/// What a piece of code mentions.
#[derive(Default)]
struct Mentions {
    paths: BTreeSet<Vec<String>>,
    calls: BTreeSet<String>,
    calls_on_self: BTreeSet<String>,
    /// The names that patterns bind: alone, such a name is a variable.
    bound: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.insert(segments(path));
        visit::visit_path(self, path);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.bound.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        let is_variable = path.path.get_ident().is_some_and(|name| self.bound.contains(&name.to_string()));
        if !is_variable {
            visit::visit_expr_path(self, path);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let is_self = matches!(&*call.receiver, syn::Expr::Path(path) if path.path.is_ident("self"));
        let calls = if is_self { &mut self.calls_on_self } else { &mut self.calls };
        calls.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        let _ = call.parse_body_with(|tokens: ParseStream| self.tokens(tokens));
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let is_documentation = attribute.path().is_ident("doc");
        if let (false, syn::Meta::List(list)) = (is_documentation, &attribute.meta) {
            let _ = list.parse_args_with(|tokens: ParseStream| self.tokens(tokens));
        }
    }
}

impl Mentions {
    /// Takes the paths and calls out of the arguments of a macro, whose grammar is its own.
    fn tokens(&mut self, tokens: ParseStream) -> syn::Result<()> {
        let mut after_dot = false;
        while !tokens.is_empty() {
            if tokens.peek(syn::Ident::peek_any) {
                let mut path = vec![tokens.call(syn::Ident::parse_any)?.to_string()];
                while tokens.peek(syn::Token![::]) && tokens.peek3(syn::Ident::peek_any) {
                    tokens.parse::<syn::Token![::]>()?;
                    path.push(tokens.call(syn::Ident::parse_any)?.to_string());
                }
                match path.as_slice() {
                    [name] if after_dot && tokens.peek(syn::token::Paren) => _ = self.calls.insert(name.clone()),
                    [_] if after_dot => {}
                    [name] if self.bound.contains(name) => {}
                    _ => _ = self.paths.insert(path),
                }
                after_dot = false;
            } else {
                after_dot = tokens.peek(syn::Token![.]);
                self.other(tokens)?;
            }
        }
        Ok(())
    }

    fn other(&mut self, tokens: ParseStream) -> syn::Result<()> {
        let inner;
        if tokens.peek(syn::token::Paren) {
            syn::parenthesized!(inner in tokens);
        } else if tokens.peek(syn::token::Bracket) {
            syn::bracketed!(inner in tokens);
        } else if tokens.peek(syn::token::Brace) {
            syn::braced!(inner in tokens);
        } else {
            return tokens
                .step(|cursor| cursor.token_tree().map(|(_, rest)| ((), rest)).ok_or_else(|| cursor.error("the end")));
        }
        self.tokens(&inner)
    }
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}
