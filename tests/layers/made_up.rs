use std::collections::BTreeSet;

use super::arrows::{Arrows, circles};
use super::source::Crate;
use super::{against, layers};

fn arrows(files: &[(&str, &str)]) -> Arrows {
    Arrows::of(&Crate::of(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))))
}

/// The files of each circle.
fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    circles(&arrows(files)).into_iter().map(|(files, _): (BTreeSet<_>, _)| files.into_iter().collect()).collect()
}

const PAGE: &str = "# Map\n\n## Layers\n\n```text other\nx\n```\n\n```text house\nroof attic\nwall\n```\n";

fn wrong(files: &[(&str, &str)]) -> Vec<String> {
    against(&arrows(files), &layers(PAGE, "house"))
}

#[test]
fn an_arrow_up_or_aside_is_against_the_list() {
    let roof = ("roof.rs", "use crate::wall::Stone; pub struct Tile(Stone);");
    let (attic, wall) = (("attic.rs", "pub struct Box;"), ("wall.rs", "pub struct Stone;"));
    assert_eq!(wrong(&[roof, attic, wall]), [""; 0]);
    let up = ("wall/stone.rs", "fn lay() { let tile = vec![super::super::roof::Tile]; }");
    assert_eq!(
        wrong(&[roof, attic, wall, up]),
        ["against the list: wall/stone.rs -> roof.rs: super::super::roof::Tile"]
    );
    let aside = ("attic.rs", "pub use crate::roof::Tile; pub struct Box;");
    assert_eq!(wrong(&[roof, aside, wall]), ["against the list: attic.rs -> roof.rs: crate::roof::Tile"]);
}

#[test]
fn the_list_names_every_module_and_no_other() {
    assert_eq!(
        wrong(&[("roof.rs", ""), ("attic.rs", ""), ("cellar.rs", "")]),
        ["not in the list: cellar", "in the list, but no module: wall"]
    );
}

#[test]
fn a_circle_of_files_is_found() {
    let (one, two) = (("a.rs", "use crate::b::B; pub struct A(B);"), ("b.rs", "pub struct B; fn f(a: crate::a::A) {}"));
    assert_eq!(found(&[one, two]), [["a.rs", "b.rs"]]);
    assert_eq!(found(&[one, ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }")]), [[""; 0]; 0]);
}

#[test]
fn a_circle_that_a_re_export_hides_is_found() {
    let files = [
        ("m.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("m/a.rs", "use super::B; pub struct A(B);"),
        ("m/b.rs", "pub struct B; fn f() { super::A::new(); }"),
    ];
    assert_eq!(found(&files), [["m/a.rs", "m/b.rs"]]);
}

#[test]
fn a_circle_that_an_inherent_impl_hides_is_found() {
    let other = ("b.rs", "use crate::a::A; impl A { pub fn grown(&self) {} }");
    assert_eq!(found(&[("a.rs", "pub struct A; fn f(a: A) { a.grown(); }"), other]), [["a.rs", "b.rs"]]);
    assert_eq!(found(&[("a.rs", "pub struct A; impl A { fn f(&self) { self.grown(); } }"), other]), [["a.rs", "b.rs"]]);
    assert_eq!(found(&[("a.rs", "pub struct A;"), other]), [[""; 0]; 0]);
}

#[test]
fn children_may_use_what_of_their_parent_uses_no_child() {
    let child = |text| {
        [
            ("m.rs", "mod a; pub struct Data; pub fn make(d: Data) { a::work(d) } pub fn twice() { make(Data) }"),
            ("m/a.rs", text),
        ]
    };
    assert_eq!(found(&child("pub fn work(d: super::Data) {}")), [[""; 0]; 0]);
    assert_eq!(found(&child("use super::make; pub fn work(d: super::Data) { make(d) }")), [["m.rs", "m/a.rs"]]);
    assert_eq!(found(&child("pub fn work(d: super::Data) { super::twice() }")), [["m.rs", "m/a.rs"]]);
}

#[test]
fn globs_and_other_names_are_followed() {
    let files = [
        ("a.rs", "pub use crate::b::*; pub struct A;"),
        ("b.rs", "pub struct B; use crate::c::C as See; fn f(c: See) {}"),
        ("c.rs", "use crate::a; pub struct C; fn f(b: a::B) {}"),
    ];
    assert_eq!(found(&files), [["b.rs", "c.rs"]]);
}
