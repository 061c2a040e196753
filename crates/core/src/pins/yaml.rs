//! Parses YAML into a tree that keeps the spelling, style and place of every scalar, which typed readers lose.
//!
//! Aliases stay references into the tree, so the size of the file bounds the size of the tree. Further limits apply to
//! the numbers of values and documents. The parser bounds the nesting.

mod build;
mod resolve;
mod text;
mod value;

use std::borrow::Cow;
use std::ops::Range;

pub(super) use build::parse;
pub(crate) use resolve::{Meaning, meaning};
pub(super) use text::{Text, decode};
pub(super) use value::Scalar;
pub(crate) use value::{Entry, Value};

/// The parsed documents of one file.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    nodes: Vec<Node<'t>>,
    documents: Vec<Id>,
}

/// An error that makes a file unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    /// A remedy.
    pub(super) hint: String,
    /// The bytes of the file concerned. None if the error concerns the file as a whole.
    pub(super) span: Option<Range<usize>>,
}

/// The index of a node in [`Tree::nodes`].
#[derive(Debug, Clone, Copy)]
struct Id(usize);

#[derive(Debug)]
struct Node<'t> {
    kind: Kind<'t>,
    span: Range<usize>,
    /// A list in `[]`, or a map in `{}`.
    flow: bool,
    /// An explicit tag outside YAML's core schema.
    tag: Option<Box<str>>,
}

#[derive(Debug)]
enum Kind<'t> {
    Scalar { text: Cow<'t, str>, plain: bool, block: bool },
    List(Vec<Id>),
    Map(Vec<(Id, Id)>),
    Alias(Id),
}

impl Tree<'_> {
    /// Returns the root value of each document.
    pub(crate) fn documents(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.documents.iter().map(|&id| Value::new(self, id))
    }

    /// Returns the scalar or alias at exactly this place.
    pub(crate) fn at(&self, span: &Range<usize>) -> Option<Value<'_>> {
        let same = |node: &Node<'_>| node.span == *span && matches!(node.kind, Kind::Scalar { .. } | Kind::Alias(_));
        self.nodes.iter().position(same).map(|place| Value::new(self, Id(place)))
    }
}
