//! The modules import each other in one direction: by the lists under `## Layers` of ARCHITECTURE.md, and without circles.
//!
//! The test reads every Rust source of the two crates, tests excepted. It collects `use` paths, paths in the text, paths
//! in the arguments of macros, and inherent impls, and follows re-exports to the file that defines the item. Then:
//!
//! - **Layers.** A line of a list is a layer. A module may import modules of the lines below its own, never one of its own
//!   line and never one above. Every module stands in its crate's list.
//! - **Circles.** Within a crate no file reaches itself by imports. A parent `x.rs` counts as two: its *upper* part is every
//!   item that mentions an item of `x/…`, and every item that mentions one of these; the *lower* part is the rest. Children
//!   may use the lower part. `mod` lines and re-exports of children count for nothing.
//! - **Inherent impls.** A file with an `impl` for another file's type imports that file. Where the type's own file calls
//!   a method that this impl alone defines, that is an arrow back.
//!
//! What it does not see: calls through traits, and calls of methods whose name several types define, unless on `self`.

/// Arrows between files, and circles of them.
mod arrows;
/// Made-up crates: that each kind of arrow is found.
mod made_up;
/// What a path in a file means.
mod resolve;
/// What stands in a source file.
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use arrows::{Arrows, circles};
use source::Crate;

/// Circles that are known and wait to be mended: each entry must still occur, so this list only shrinks.
const KNOWN_CIRCLES: [&[&str]; 2] = [
    &["src/cluster/kube/picture.rs", "src/cluster/kube/picture/pods.rs"],
    &["src/cluster/local/elsewhere.rs", "src/cluster/local/engine.rs", "src/cluster/local/start.rs"],
];

#[test]
fn modules_of_the_core_import_downwards_and_no_file_reaches_itself() {
    hold("crates/core/src", "pintle-core");
}

#[test]
fn modules_of_the_front_end_import_downwards_and_no_file_reaches_itself() {
    hold("src", "pintle");
}

/// Checks one crate, and tells all that is wrong at once.
fn hold(folder: &str, name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arrows = Arrows::of(&Crate::read(&root.join(folder)));
    let layers = layers(&std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap(), name);
    let mut wrong = against(&arrows, &layers);
    wrong.extend(unknown_circles(&circles(&arrows), folder));
    assert!(wrong.is_empty(), "{name} is not in layers:\n{}", wrong.join("\n"));
}

/// The list of `name` under `## Layers`: the first fenced block whose info string names it. The top comes first.
fn layers(page: &str, name: &str) -> Vec<Vec<String>> {
    let section = page.split("\n## Layers\n").nth(1).expect("ARCHITECTURE.md has a heading `## Layers`");
    let opening = format!("```text {name}\n");
    let block = section.split(&opening).nth(1).expect("a fenced block names the crate");
    let lines = block.split("```").next().unwrap_or_default().lines();
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// What runs against the list: modules that it does not name, or that are gone, and arrows that go up or aside.
fn against(arrows: &Arrows, layers: &[Vec<String>]) -> Vec<String> {
    let place = |module: &str| layers.iter().position(|line| line.iter().any(|name| name == module));
    let listed: BTreeSet<_> = layers.iter().flatten().cloned().collect();
    let mut wrong: Vec<_> = arrows.modules.difference(&listed).map(|name| format!("not in the list: {name}")).collect();
    wrong.extend(listed.difference(&arrows.modules).map(|name| format!("in the list, but no module: {name}")));
    for arrow in &arrows.all {
        let (from, to) = (arrow.from.module(), arrow.to.module());
        if from != to && place(from) >= place(to) {
            wrong.push(format!("against the list: {arrow}"));
        }
    }
    wrong
}

/// The circles that no known one holds, and the known ones that are gone.
fn unknown_circles(found: &[(BTreeSet<String>, String)], folder: &str) -> Vec<String> {
    let here: Vec<BTreeSet<_>> = KNOWN_CIRCLES
        .iter()
        .map(|known| {
            known.iter().filter_map(|file| file.strip_prefix(folder)?.strip_prefix('/')).map(str::to_owned).collect()
        })
        .filter(|known: &BTreeSet<String>| !known.is_empty())
        .collect();
    let new = found.iter().filter(|(files, _)| !here.iter().any(|known| files.is_subset(known)));
    let gone = here.iter().filter(|known| !found.iter().any(|(files, _)| files.is_subset(known)));
    let new = new.map(|(_, text)| text.clone());
    new.chain(gone.map(|known| format!("no circle any more, so take it off the list: {known:?}"))).collect()
}
