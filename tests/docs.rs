//! The documents: links lead somewhere, pages stay short, and what is generated or typed there is what comes out.

/// Links and anchors, without a network.
mod links;
/// The tour on a cluster, made again.
mod tour;
/// Commands in the documents, typed again.
mod transcripts;

/// The plans of the picture.
#[path = "../crates/core/examples/picture/rollout.rs"]
mod rollout;
/// The drawing of the picture.
#[path = "../crates/core/examples/picture/svg.rs"]
mod svg;

use std::path::{Path, PathBuf};

/// A page is read in one go.
const LINES: usize = 200;

/// The generated reference is looked up, not read.
const REFERENCE: &str = "docs/commands.md";

/// A page: its path from the root of the repository, and its text.
struct Page {
    path: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> Page {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Page { path: path.to_owned(), text }
}

/// The README and what it leads to.
fn pages() -> Vec<Page> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut docs: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    docs.sort();
    let docs = docs.iter().map(|path| page(path.strip_prefix(root()).unwrap().to_str().unwrap()));
    ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].into_iter().map(page).chain(docs).collect()
}

#[test]
fn every_page_is_short_and_begins_with_its_title() {
    for Page { path, text } in pages().iter().filter(|page| page.path != REFERENCE) {
        assert!(text.starts_with("# "), "{path} has no title");
        let lines = text.lines().count();
        assert!(lines < LINES, "{path} has {lines} lines; a page has less than {LINES}");
    }
}

#[test]
fn the_command_reference_is_what_clap_knows() {
    is_generated(REFERENCE, &pintle::cli::reference());
}

#[test]
fn the_picture_is_what_the_planner_says() {
    is_generated("docs/order.svg", &svg::picture());
}

/// Compares without the diff of two long texts: `make docs` shows that by git.
fn is_generated(path: &str, text: &str) {
    assert!(page(path).text == text, "{path} is not what the code says now; type: make docs");
}
