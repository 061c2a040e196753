//! The tree: each service once with what it needs below it. It loops nowhere and recurses nowhere, however deep.

use std::collections::{BTreeMap, BTreeSet};

use pintle_core::graph::{Link, Links};
use pintle_core::pins::ServiceName;

use crate::cli::output::{BAD_STYLE, DIM_STYLE, NAME_STYLE, styled};

/// Deeper levels would be more indentation than text.
const MAX_DRAWN_DEPTH: usize = 60;

/// The lines of the tree: of all services, from those that nothing needs; or of one, downwards and then upwards.
pub(super) fn tree_lines(links: &Links, from: Option<&ServiceName>) -> Vec<String> {
    let Some(service) = from else {
        let mut tree = TreeDrawing::new(links, false);
        for root in roots(links) {
            tree.grow(root);
        }
        return tree.drawing;
    };
    let mut tree = TreeDrawing::new(links, false);
    tree.grow(service);
    let mut drawing = tree.drawing;
    let mut upwards = TreeDrawing::new(links, true);
    upwards.grow(service);
    if upwards.drawing.len() > 1 {
        drawing.extend([String::new(), styled(DIM_STYLE, "needed by")]);
        drawing.extend(upwards.drawing.into_iter().skip(1));
    }
    drawing
}

/// The services that nothing needs; and of those that only circles lead to, one for each circle.
fn roots(links: &Links) -> Vec<&ServiceName> {
    let needs = links.by_service(false);
    let needed: BTreeSet<&ServiceName> = links.needs.iter().map(|link| &link.provider).collect();
    let mut roots: Vec<&ServiceName> = links.names().filter(|name| !needed.contains(name)).collect();
    let mut reached: BTreeSet<&ServiceName> = BTreeSet::new();
    let mut pending = roots.clone();
    for name in links.names() {
        while let Some(name) = pending.pop() {
            if reached.insert(name) {
                pending.extend(needs.get(name).into_iter().flatten().map(|link| &link.provider));
            }
        }
        if !reached.contains(name) {
            roots.push(name);
            pending.push(name);
        }
    }
    roots.sort();
    roots
}

struct TreeDrawing<'a> {
    links: &'a Links,
    next: BTreeMap<&'a ServiceName, Vec<&'a Link>>,
    upwards: bool,
    drawn: BTreeSet<&'a ServiceName>,
    drawing: Vec<String>,
}

/// A line to be drawn: whose, by which link, and behind which bars.
struct TreeBranch<'a> {
    link: &'a Link,
    bars: String,
    last: bool,
    /// The services above it, for telling a circle from a repetition.
    above: Vec<&'a ServiceName>,
}

impl<'a> TreeDrawing<'a> {
    fn new(links: &'a Links, upwards: bool) -> Self {
        let next = links.by_service(upwards);
        Self { links, next, upwards, drawn: BTreeSet::new(), drawing: Vec::new() }
    }

    fn grow(&mut self, root: &'a ServiceName) {
        self.drawing.push(self.title(root));
        self.drawn.insert(root);
        let mut pending = self.twigs(root, "", &[]);
        while let Some(twig) = pending.pop() {
            let other = if self.upwards { &twig.link.consumer } else { &twig.link.provider };
            let has_more = self.next.contains_key(other);
            let note = match () {
                () if twig.above.contains(&other) => "  (circle)",
                () if self.drawn.contains(other) && has_more => "  (above)",
                () if twig.above.len() > MAX_DRAWN_DEPTH && has_more => "  (and deeper)",
                () => "",
            };
            let branch = if twig.last { "└─ " } else { "├─ " };
            let front = styled(DIM_STYLE, format_args!("{}{branch}", twig.bars));
            self.drawing.push(format!("{front}{}  {}{}", self.title(other), need(twig.link), styled(DIM_STYLE, note)));
            if note.is_empty() && self.drawn.insert(other) {
                let bars = format!("{}{}", twig.bars, if twig.last { "   " } else { "│  " });
                pending.extend(self.twigs(other, &bars, &twig.above));
            }
        }
    }

    /// What grows below a service, the first of it on top of the stack.
    fn twigs(&self, name: &'a ServiceName, bars: &str, above: &[&'a ServiceName]) -> Vec<TreeBranch<'a>> {
        let above: Vec<_> = above.iter().copied().chain([name]).collect();
        let links = self.next.get(name).into_iter().flatten().rev().enumerate();
        links
            .map(|(at, link)| TreeBranch { link, bars: bars.to_owned(), last: at == 0, above: above.clone() })
            .collect()
    }

    fn title(&self, name: &ServiceName) -> String {
        match self.links.services.get(name).and_then(Option::as_ref) {
            Some(version) => format!("{} {version}", styled(NAME_STYLE, name)),
            None => format!("{} {}", styled(NAME_STYLE, name), styled(BAD_STYLE, "has errors")),
        }
    }
}

fn need(link: &Link) -> String {
    match link.fits {
        Some(false) => styled(BAD_STYLE, format_args!("{} does not fit", link.range)),
        Some(true) | None => styled(DIM_STYLE, &link.range),
    }
}
