//! YAML as a tree that keeps what typed readers lose: the spelling, style and place of every scalar.
//!
//! Aliases stay references into the tree, so that its size is bounded by the file's; limits on values and documents
//! bound it once more. Nesting is bounded by the parser.

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

/// The documents of one file.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    nodes: Vec<Node<'t>>,
    documents: Vec<Id>,
}

/// What keeps a file from being read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What is wrong.
    pub(super) message: String,
    /// One way out.
    pub(super) hint: String,
    /// Where, in bytes of the file; none where it is the file as a whole.
    pub(super) span: Option<Range<usize>>,
}

/// The place of a node in [`Tree::nodes`].
#[derive(Debug, Clone, Copy)]
struct Id(usize);

#[derive(Debug)]
struct Node<'t> {
    kind: Kind<'t>,
    span: Range<usize>,
    /// A list in `[]` or a map in `{}`.
    flow: bool,
    /// An explicit tag other than those of YAML's core schema.
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
    /// The values of its documents.
    pub(crate) fn documents(&self) -> impl ExactSizeIterator<Item = Value<'_>> {
        self.documents.iter().map(|&id| Value::new(self, id))
    }

    /// The value that is written there, or the alias that is.
    pub(crate) fn at(&self, span: &Range<usize>) -> Option<Value<'_>> {
        let same = |node: &Node<'_>| node.span == *span && matches!(node.kind, Kind::Scalar { .. } | Kind::Alias(_));
        self.nodes.iter().position(same).map(|place| Value::new(self, Id(place)))
    }
}
