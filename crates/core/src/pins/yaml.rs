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

pub(super) use build::parse_yaml;
pub(crate) use resolve::{ScalarMeaning, scalar_meaning};
pub(super) use text::{YamlText, decode_utf8};
pub(super) use value::YamlScalar;
pub(crate) use value::{MapEntry, YamlValue};

/// The parsed documents of one file.
#[derive(Debug)]
pub(crate) struct YamlTree<'t> {
    nodes: Vec<YamlNode<'t>>,
    documents: Vec<NodeId>,
}

/// An error that makes a file unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlFault {
    pub(super) message: String,
    /// A remedy.
    pub(super) hint: String,
    /// The bytes of the file concerned. None if the error concerns the file as a whole.
    pub(super) span: Option<Range<usize>>,
}

/// The index of a node in [`Tree::nodes`].
#[derive(Debug, Clone, Copy)]
struct NodeId(usize);

#[derive(Debug)]
struct YamlNode<'t> {
    kind: NodeKind<'t>,
    span: Range<usize>,
    /// A list in `[]`, or a map in `{}`.
    flow: bool,
    /// An explicit tag outside YAML's core schema.
    tag: Option<Box<str>>,
}

#[derive(Debug)]
enum NodeKind<'t> {
    Scalar { text: Cow<'t, str>, plain: bool, block: bool },
    List(Vec<NodeId>),
    Map(Vec<(NodeId, NodeId)>),
    Alias(NodeId),
}

impl YamlTree<'_> {
    /// Returns the root value of each document.
    pub(crate) fn documents(&self) -> impl ExactSizeIterator<Item = YamlValue<'_>> {
        self.documents.iter().map(|&id| YamlValue::new(self, id))
    }

    /// Returns the scalar or alias at exactly this place.
    pub(crate) fn at(&self, span: &Range<usize>) -> Option<YamlValue<'_>> {
        let same = |node: &YamlNode<'_>| {
            node.span == *span && matches!(node.kind, NodeKind::Scalar { .. } | NodeKind::Alias(_))
        };
        self.nodes.iter().position(same).map(|place| YamlValue::new(self, NodeId(place)))
    }
}
