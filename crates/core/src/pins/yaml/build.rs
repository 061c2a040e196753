//! Builds the tree from the parser's events.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};

use super::{NodeId, NodeKind, YamlFault, YamlNode, YamlText, YamlTree};

/// The most values of a file, above any real pin file. A tree of this size takes about 50 MB.
const MAX_VALUES: usize = 500_000;
/// The most documents of a file, above any real pin file.
const MAX_DOCUMENTS: usize = 10_000;

pub(in crate::pins) fn parse_yaml(text: YamlText<'_>) -> Result<YamlTree<'_>, YamlFault> {
    let options = granit_parser::options! { emit_comments: false };
    let mut builder = TreeBuilder { base: text.base, ..TreeBuilder::default() };
    for event in Parser::new_from_str_with_options(text.text, options) {
        let (event, span) = event.map_err(|error| syntax(&error, text.base))?;
        builder.take(event, &span)?;
    }
    Ok(YamlTree { nodes: builder.nodes, documents: builder.documents })
}

/// Returns the parser's message, with a hint for the most common mistakes.
fn syntax(error: &ScanError, base: usize) -> YamlFault {
    let at = base + error.marker().byte_offset().unwrap_or(0);
    let (message, hint) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => ("it is nested too deeply".to_owned(), ""),
        kind if kind.to_string().contains("tab") => (lower_first(&error.info()), "indent with spaces, not with tabs"),
        kind if kind.to_string().contains("expected key") => {
            (lower_first(&error.info()), "let all keys of a map begin in the same column")
        }
        _ => (lower_first(&error.info()), ""),
    };
    YamlFault { message, hint: hint.to_owned(), span: Some(at..at) }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[derive(Default)]
struct TreeBuilder<'t> {
    base: usize,
    nodes: Vec<YamlNode<'t>>,
    documents: Vec<NodeId>,
    /// The open collections, outermost first. A map also has the key that still lacks its value.
    open: Vec<(NodeId, Option<NodeId>)>,
    anchors: HashMap<usize, NodeId>,
}

impl<'t> TreeBuilder<'t> {
    fn take(&mut self, event: Event<'t>, span: &Span) -> Result<(), YamlFault> {
        let at = span.byte_range().map_or(0..0, |range| self.base + range.start..self.base + range.end);
        let flow = matches!(
            event,
            Event::SequenceStart(StructureStyle::Flow, ..) | Event::MappingStart(StructureStyle::Flow, ..)
        );
        let (kind, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let plain = style == ScalarStyle::Plain && !tagged;
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                (NodeKind::Scalar { text, plain, block }, anchor, tag)
            }
            Event::Alias(anchor) => {
                let Some(&target) = self.anchors.get(&anchor) else { return Ok(()) };
                self.add(YamlNode { kind: NodeKind::Alias(target), span: at, flow: false, tag: None }, 0)?;
                return Ok(());
            }
            Event::SequenceStart(_, anchor, tag) => (NodeKind::List(Vec::new()), anchor, tag),
            Event::MappingStart(_, anchor, tag) => (NodeKind::Map(Vec::new()), anchor, tag),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(&at);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let opens = !matches!(kind, NodeKind::Scalar { .. });
        let tag = foreign(tag.as_deref());
        // A tag outside the core schema is refused later, and the message shows it, so the span includes it.
        let written = tag.as_ref().and(span.tag_span()).and_then(|tag| tag.start.byte_offset());
        let start = written.map_or(at.start, |start| self.base + start);
        let id = self.add(YamlNode { kind, span: start..at.end, flow, tag }, anchor)?;
        if opens {
            self.open.push((id, None));
        }
        Ok(())
    }

    /// Adds a node to the innermost open collection, or as a document if none is open.
    fn add(&mut self, node: YamlNode<'t>, anchor: usize) -> Result<NodeId, YamlFault> {
        let id = NodeId(self.nodes.len());
        if id.0 == MAX_VALUES {
            return Err(too_many(MAX_VALUES, "values", node.span));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        match self.open.last_mut() {
            None if self.documents.len() == MAX_DOCUMENTS => {
                return Err(too_many(MAX_DOCUMENTS, "documents", node.span));
            }
            None => self.documents.push(id),
            Some((collection, key)) => match &mut self.nodes[collection.0].kind {
                NodeKind::List(items) => items.push(id),
                NodeKind::Map(entries) => match key.take() {
                    None => *key = Some(id),
                    Some(name) => entries.push((name, id)),
                },
                NodeKind::Scalar { .. } | NodeKind::Alias(_) => {}
            },
        }
        self.nodes.push(node);
        Ok(id)
    }

    fn close(&mut self, end: &Range<usize>) {
        if let Some((id, _)) = self.open.pop() {
            self.nodes[id.0].span.end = end.end;
        }
    }
}

fn too_many(limit: usize, what: &str, span: Range<usize>) -> YamlFault {
    YamlFault { message: format!("more than {limit} {what}"), hint: "split the file".to_owned(), span: Some(span) }
}

/// Returns the tag if it is outside YAML's core schema.
fn foreign(tag: Option<&Tag>) -> Option<Box<str>> {
    tag.filter(|tag| tag.is_custom()).map(|tag| tag.original().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<YamlTree<'_>, YamlFault> {
        parse_yaml(YamlText { text, base: 0 })
    }

    #[test]
    fn bombs_are_refused() {
        let deep = format!("a: {}", "[".repeat(10_000));
        let many = "--- a\n".repeat(MAX_DOCUMENTS + 1);
        let wide = format!("[{}]", "a,".repeat(MAX_VALUES));
        for (text, message) in
            [(deep, "nested too deeply"), (many, "more than 10000 documents"), (wide, "more than 500000 values")]
        {
            let fault = read(&text).unwrap_err();
            assert!(fault.message.contains(message), "{}", fault.message);
        }
    }

    #[test]
    fn aliases_take_no_room() {
        let mut bomb = vec!["a0: &a0 [x, x]".to_owned()];
        bomb.extend((1..60).map(|level| format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}]", level - 1)));
        assert!(read(&bomb.join("\n")).unwrap().nodes.len() < 400);
        assert!(read("&a [*a]").is_ok(), "a list that holds itself is a reference too");
    }
}
