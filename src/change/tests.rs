//! Ends in, words out.

use std::cmp::Ordering;

use super::*;
use crate::version::Versioning;

fn version(text: &str) -> Version {
    Version::new(text).unwrap()
}

fn image(text: &str) -> Image {
    Image::render("ghcr.io/acme/web", text, None).unwrap()
}

fn kind(from: &str, to: &str, order: &Order, before: bool) -> Option<ChangeKind> {
    let ends = [from, to].map(|text| (!text.is_empty()).then(|| (version(text), image(text))));
    let [from, to] =
        ends.each_ref().map(|end| end.as_ref().map(|(version, image)| End { version: Some(version), image }));
    ChangeKind::of(from, to, order, before)
}

#[test]
fn the_words_follow_the_order_of_the_service() {
    let semver = Order::choose(None, []);
    let history = Order::choose(Some(Versioning::History), ["b", "a"].map(version));
    for (from, to, order, expected) in [
        ("", "1.0", &semver, Some(ChangeKind::Deploy)),
        ("1.0", "", &semver, Some(ChangeKind::Release)),
        ("1.9", "1.10", &semver, Some(ChangeKind::Upgrade)),
        ("1.10", "1.9", &semver, Some(ChangeKind::Downgrade)),
        ("1.2", "v1.2.0", &semver, Some(ChangeKind::Sidegrade)),
        ("1.2", "1.2", &semver, None),
        ("", "", &semver, None),
        ("b", "a", &history, Some(ChangeKind::Upgrade)),
        ("a", "b", &history, Some(ChangeKind::Downgrade)),
        ("a", "c", &history, Some(ChangeKind::Sidegrade)),
    ] {
        assert_eq!(kind(from, to, order, false), expected, "{from} to {to}");
    }
}

#[test]
fn a_version_pinned_before_is_a_return_whichever_way() {
    let semver = Order::choose(None, []);
    assert_eq!(kind("1.1", "1.0", &semver, true), Some(ChangeKind::Return(Ordering::Less)));
    assert_eq!(kind("1.0", "1.1", &semver, true), Some(ChangeKind::Return(Ordering::Greater)));
    assert_eq!(kind("1.0", "main", &semver, true), Some(ChangeKind::Return(Ordering::Equal)));
    assert_eq!(kind("1.0", "1.0", &semver, true), None);
    assert_eq!(kind("", "1.0", &semver, true), Some(ChangeKind::Deploy));
}

#[test]
fn the_same_version_in_another_image_is_a_change_of_the_image() {
    let (one, [x, y]) = (version("1.0"), ["x", "y"].map(image));
    let end = |image| Some(End { version: Some(&one), image });
    assert_eq!(ChangeKind::of(end(&x), end(&y), &Order::choose(None, []), true), Some(ChangeKind::Image));
}

#[test]
fn an_image_that_was_never_pinned_is_replaced_by_a_sidegrade() {
    let (one, [x, y]) = (version("1.0"), ["x", "y"].map(image));
    let unknown = |image| Some(End { version: None, image });
    let pinned = Some(End { version: Some(&one), image: &y });
    let order = Order::choose(None, []);
    assert_eq!(ChangeKind::of(unknown(&x), pinned, &order, false), Some(ChangeKind::Sidegrade));
    assert_eq!(ChangeKind::of(unknown(&x), unknown(&x), &order, false), None);
    assert_eq!(ChangeKind::of(unknown(&x), unknown(&y), &order, false), Some(ChangeKind::Sidegrade));
}
