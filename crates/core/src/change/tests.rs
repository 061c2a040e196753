//! Kinds of changes, and reverts read from messages.

use std::cmp::Ordering;

use super::*;
use crate::version::Versioning;

fn version(text: &str) -> Version {
    Version::new(text).unwrap()
}

fn image(text: &str) -> Image {
    Image::from_parts("ghcr.io/acme/web", text, None).unwrap()
}

fn kind(from: &str, to: &str, order: &VersionOrder, before: bool) -> Option<ChangeKind> {
    let ends = [from, to].map(|text| (!text.is_empty()).then(|| (version(text), image(text))));
    let [from, to] =
        ends.each_ref().map(|end| end.as_ref().map(|(version, image)| ChangeEnd { version: Some(version), image }));
    ChangeKind::between(from, to, order, before)
}

#[test]
fn the_words_follow_the_order_of_the_service() {
    let semver = VersionOrder::choose(None, []);
    let history = VersionOrder::choose(Some(Versioning::History), ["b", "a"].map(version));
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
    let semver = VersionOrder::choose(None, []);
    assert_eq!(kind("1.1", "1.0", &semver, true), Some(ChangeKind::Return(Ordering::Less)));
    assert_eq!(kind("1.0", "1.1", &semver, true), Some(ChangeKind::Return(Ordering::Greater)));
    assert_eq!(kind("1.0", "main", &semver, true), Some(ChangeKind::Return(Ordering::Equal)));
    assert_eq!(kind("1.0", "1.0", &semver, true), None);
    assert_eq!(kind("", "1.0", &semver, true), Some(ChangeKind::Deploy));
}

#[test]
fn the_same_version_in_another_image_is_a_change_of_the_image() {
    let (one, [x, y]) = (version("1.0"), ["x", "y"].map(image));
    let end = |image| Some(ChangeEnd { version: Some(&one), image });
    assert_eq!(ChangeKind::between(end(&x), end(&y), &VersionOrder::choose(None, []), true), Some(ChangeKind::Image));
}

#[test]
fn an_image_that_was_never_pinned_is_replaced_by_a_sidegrade() {
    let (one, [x, y]) = (version("1.0"), ["x", "y"].map(image));
    let unknown = |image| Some(ChangeEnd { version: None, image });
    let pinned = Some(ChangeEnd { version: Some(&one), image: &y });
    let order = VersionOrder::choose(None, []);
    assert_eq!(ChangeKind::between(unknown(&x), pinned, &order, false), Some(ChangeKind::Sidegrade));
    assert_eq!(ChangeKind::between(unknown(&x), unknown(&x), &order, false), None);
    assert_eq!(ChangeKind::between(unknown(&x), unknown(&y), &order, false), Some(ChangeKind::Sidegrade));
}

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// Formats the revert that a message states, as one line; `{A}` and `{B}` stand for ids.
fn says(message: &str) -> String {
    let message = message.replace("{A}", A).replace("{B}", B);
    let Some(UndoClaim { kind: act, references: of }) = undo_claim(&message) else { return "nothing".to_owned() };
    let of: Vec<String> = of.iter().map(ToString::to_string).collect();
    format!("{} {}", act.as_str(), of.join(" ")).trim_end().replace(A, "{A}").replace(B, "{B}")
}

#[test]
fn messages_say_what_they_take_back_whoever_wrote_them() {
    for (message, expected) in [
        // Pintle
        (
            "Revert pins: a 2 -> 1\n\nWhy.\n\nPintle-Reverts: {A}\nPintle-Reverts: {B}\nPintle-Services: a\nPintle-Id: 12",
            "rollback {A} {B}",
        ),
        ("Revert pins: a 2 -> 1\n\nThis reverts commit {B}.\n\nPintle-Reverts: {A}\n", "rollback {A}"),
        ("Revert pins: a 2 -> 1 and 40 more\n\nPintle-Reverts: {A}^..{B}\nPintle-Id: 12", "rollback {A}^..{B}"),
        ("Take payments back (#12)\n\nPintle-Reverts: {A}", "rollback {A}"),
        ("Reapply pins: a 1 -> 2\n\nThis reverts commit {A}.\n\nPintle-Reverts: {A}\nPintle-Id: 34", "reapply {A}"),
        // git
        ("Revert \"Release 47\"\n\nThis reverts commit {A}.\n", "revert {A}"),
        ("Revert \"Merge branch 'x'\"\n\nThis reverts commit {A}, reversing\nchanges made to {B}.\n", "revert {A}"),
        ("Revert \"Revert \"Release 47\"\"\n\nThis reverts commit {A}.\n", "reapply {A}"),
        ("Reapply \"Release 47\"\n\nThis reverts commit {A}.\n", "reapply {A}"),
        ("Revert \"Reapply \"Release 47\"\"\n\nThis reverts commit {A}.\n", "revert {A}"),
        ("Revert \"Revert pins: a 2 -> 1\"\n\nThis reverts commit {A}.\n", "reapply {A}"),
        ("Revert \"Reapply pins: a 1 -> 2\"\n\nThis reverts commit {A}.\n", "revert {A}"),
        ("Back to 1.7\r\n\r\nThis reverts commit AAAAAAAA (Release 47, 2026-01-02).\r\n", "revert aaaaaaaa"),
        ("Two at once\n\nThis reverts commit {A}.\nThis reverts commit {B}.\n", "revert {A} {B}"),
        ("Revert \"Release 47\"", "revert \"Release 47\""),
        ("Reapply \"Release 47\"", "reapply \"Revert \"Release 47\"\""),
        // GitHub
        ("Revert \"Release 47\" (#124)\n\nReverts acme/pins#123", "revert #123"),
        ("Revert \"Release 47 (#123)\" (#124)", "revert \"Release 47 (#123)\""),
        (
            "Merge pull request #125 from acme/revert-124-revert-123-47\n\nRevert \"Revert \"Release 47\"\"",
            "reapply #124",
        ),
        ("Merge pull request #124 from acme/revert-123-release\n\nRevert \"Release 47\"", "revert #123"),
        // Gitea
        (
            "Merge pull request 'Revert pins: a 2 -> 1' (#7) from pintle/revert-a-1 into main\n\nReviewed-on: https://x/pulls/7",
            "rollback",
        ),
        ("Merge pull request 'Reapply pins: a's 1 -> 2' (#8) from x into main\n\nPintle-Reverts: {A}", "reapply {A}"),
        ("Merge pull request 'Revert \"Release 47\"' (#9) from x into main", "revert \"Release 47\""),
        ("Merge pull request 'Release 47' (#6) from ada/pins:back into main", "nothing"),
        // GitLab
        ("Revert \"Release 47\"\n\nThis reverts merge request !123", "revert !123"),
        (
            "Merge branch 'revert-1a2b3c4d' into 'main'\n\nRevert \"Release 47\"\n\nSee merge request a/b!124",
            "revert 1a2b3c4d",
        ),
        // Gerrit
        (
            "Revert^2 \"Release 47\"\n\nThis reverts commit {A}.\n\nReason for revert: mended\nChange-Id: I1",
            "reapply {A}",
        ),
        ("Revert^3 \"Release 47\"", "revert \"Revert^2 \"Release 47\"\""),
        // Nothing of the kind
        ("Release 47\n\nReverts to the old API; see #12. > This reverts commit {A}.", "nothing"),
        ("Revert to 1.7\n\nThis reverts commit abc.\nReverts a/b/c#1\nPintle-Reverts: HEAD", "nothing"),
        ("Merge branch 'revert-of-1a2b3c4d' into 'main'", "nothing"),
        ("", "nothing"),
    ] {
        assert_eq!(says(message), expected, "{message}");
    }
}

#[test]
fn messages_made_to_hurt_are_read_up_to_a_limit() {
    let nested = says(&"Revert \"".repeat(50_000));
    assert!(nested.starts_with("reapply \"Revert") && nested.len() < 65_600, "{}", nested.len());
    let many = format!("x\n\n{}", "This reverts commit {A}.\n".repeat(10_000));
    assert_eq!(undo_claim(&many.replace("{A}", A)).unwrap().references.len(), 20);
    let (far, wide) =
        (format!("x\n{}\nPintle-Reverts: {A}", "é\n".repeat(100_000)), format!("Revert^99999999999 \"{A}"));
    assert_eq!(
        (says(&far), says(&wide), says("Revert^4294967295 \"Revert \"x")),
        ("nothing".into(), "nothing".into(), "revert \"Revert^4294967294 \"Revert \"x\"\"".into())
    );
}
