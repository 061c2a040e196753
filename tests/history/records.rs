//! What the index records: each move of a pin, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle::source::{Access, HistoryIndex, RepositoryLocation, Source};

use super::{Desk, line, name, pinned, service_file, version};
use crate::common::git::{git, text};

#[test]
fn records_follow_a_service_to_its_end() {
    let desk = Desk::new();
    let first = desk.pin("shop", "1.0.0");
    desk.pin("other", "1.0.0");
    let second = desk.pin("shop", "1.1.0");
    desk.repo.save("README.md", "moves nothing");
    desk.repo.save("services/shop.yaml", service_file("shop", "1.1.0") + "# a comment moves nothing\n");
    let back = desk.pin("shop", "1.0.0");
    let gone = desk.repo.remove("services/shop.yaml").commit("Retire shop");
    let history = desk.history();
    let expected = [pinned(first, "1.0.0"), pinned(second, "1.1.0"), pinned(back, "1.0.0"), (gone, None)];
    assert_eq!(line(&history, "shop"), expected);
    let shop = name("shop");
    assert_eq!(history.current_pin(&shop), None);
    assert_eq!(history.moves().len(), 5);
    assert_eq!(history.first_commit(&shop, &version("1.0.0")).unwrap().id, first);
    assert_eq!(history.newest_record(&shop, &version("1.0.0")).unwrap().commit.id, back);
    assert_eq!(history.pinned_at(&shop, history.position_of(second).unwrap()).unwrap().version, version("1.1.0"));
    let image = &history.records(&shop)[1].pin.as_ref().unwrap().image;
    assert_eq!(history.version_of_image(&shop, image), Some(&version("1.1.0")));
    assert_eq!(history.records(&name("never")), []);
}

#[test]
fn what_a_version_needs_is_what_its_newest_record_says() {
    let desk = Desk::new();
    let needs = |range: &str| service_file("shop", "1.0.0") + &format!("dependsOn: {{db: \"{range}\"}}\n");
    desk.repo.save("services/shop.yaml", needs("^1.0"));
    desk.repo.save("services/shop.yaml", needs("^2.0"));
    desk.pin("shop", "2.0.0");
    let history = desk.history();
    let needs = history.needs_of(&name("shop"), &version("1.0.0")).unwrap();
    assert!(format!("{needs:?}").contains("^2.0"), "{needs:?}");
    assert!(history.needs_of(&name("shop"), &version("2.0.0")).unwrap().is_empty());
    assert_eq!(history.needs_of(&name("shop"), &version("9.9.9")), None);
}

#[test]
fn a_pin_that_moves_to_another_file_moves_nothing() {
    let desk = Desk::with_pins(r#"[{files: "*/{service}.yaml", key: version, image: "ghcr.io/acme/{service}"}]"#);
    let first = desk.repo.save("old/shop.yaml", "version: \"1.0.0\"\n");
    desk.repo.remove("old/shop.yaml").save("new/shop.yaml", "version: \"1.0.0\"\n");
    let second = desk.repo.save("new/shop.yaml", "version: \"1.1.0\"\n");
    assert_eq!(line(&desk.history(), "shop"), [pinned(first, "1.0.0"), pinned(second, "1.1.0")]);
}

#[test]
fn a_merge_counts_as_one_commit_of_the_branch() {
    let desk = Desk::new();
    let first = desk.pin("shop", "1.0.0");
    desk.repo.branch("topic");
    desk.pin("shop", "1.1.0");
    desk.pin("shop", "1.2.0");
    desk.repo.checkout("main").save("README.md", "x");
    let merged = desk.repo.merge("topic");
    let (history, visited) = desk.index();
    assert_eq!(line(&history, "shop"), [pinned(first, "1.0.0"), pinned(merged, "1.2.0")]);
    assert_eq!(visited, 3);
}

#[test]
fn a_renamed_service_goes_on_with_its_history() {
    let desk = Desk::new();
    let first = desk.pin("basket", "1.0.0");
    let second = desk.pin("basket", "1.1.0");
    desk.repo.remove("services/basket.yaml");
    let renamed = desk.pin("cart", "1.1.0");
    let third = desk.pin("cart", "1.2.0");
    // Somebody else takes the old name: none of its versions are the cart's.
    desk.pin("basket", "7.0.0");
    desk.repo.remove("services/cart.yaml");
    let last = desk.pin("trolley", "1.3.0");
    let to = [("basket", "cart"), ("cart", "trolley")].map(|(old, new)| (name(old), name(new)));
    let history = Arc::unwrap_or_clone(desk.history()).join_renamed(&BTreeMap::from(to));
    let basket = [pinned(first, "1.0.0"), pinned(second, "1.1.0")];
    let images = [pinned(renamed, "1.1.0"), pinned(third, "1.2.0"), pinned(last, "1.3.0")];
    assert_eq!(line(&history, "trolley"), [&basket[..], &images[..]].concat());
    assert_eq!(history.first_commit(&name("trolley"), &version("1.0.0")).unwrap().id, first);
    assert_eq!(history.current_pin(&name("basket")).unwrap().version, version("7.0.0"));
    let circle = [("basket", "cart"), ("cart", "basket")].map(|(old, new)| (name(old), name(new)));
    let _ = Arc::unwrap_or_clone(desk.history()).join_renamed(&BTreeMap::from(circle));
}

#[test]
fn a_file_that_cannot_be_read_pins_nothing() {
    let desk = Desk::new();
    let first = desk.pin("shop", "1.0.0");
    let broken = desk.repo.save("services/shop.yaml", "version: [\n");
    let healed = desk.pin("shop", "1.0.0");
    assert_eq!(line(&desk.history(), "shop"), [pinned(first, "1.0.0"), (broken, None), pinned(healed, "1.0.0")]);
}

#[test]
fn a_commit_that_moved_nothing_leads_to_one_that_did() {
    let desk = Desk::new();
    desk.repo.save("README.md", "0");
    let moved = desk.pin("shop", "1.0.0");
    let later = desk.repo.save("README.md", "1");
    let (source, history) = (desk.source(), desk.history());
    let nearest = |commit| source.nearest_ancestor(commit, |id| history.position_of(id).is_some()).unwrap();
    assert_eq!(nearest(later), Some(moved));
    assert_eq!(nearest(moved), Some(moved));
    assert_eq!(nearest(source.resolve("HEAD~2").unwrap().id), None);
}

#[test]
fn a_shallow_clone_begins_where_it_was_cut() {
    let desk = Desk::new();
    desk.pin("shop", "1.0.0");
    let second = desk.pin("shop", "1.1.0");
    let third = desk.pin("shop", "1.2.0");
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", desk.repo.location());
    text(git(clone.path()).args(["clone", "-q", "--depth=2", &url, "."]).output().unwrap());
    let source =
        Source::open(&RepositoryLocation::Path(clone.path().to_owned()), &Access::new(desk.cache.path())).unwrap();
    let mut index = HistoryIndex::load(&source, "main", &desk.layout);
    assert_eq!(index.extend(&source, third, &desk.layout).unwrap(), 2);
    assert_eq!(line(index.history(), "shop"), [pinned(second, "1.1.0"), pinned(third, "1.2.0")]);
}
