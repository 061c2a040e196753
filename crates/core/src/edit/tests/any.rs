//! Properties of files built from unusual parts: only the intended bytes change, and a restore brings all of them back.

use proptest::prelude::*;

use super::{Repo, hold, pin};
use crate::edit::Edit;

/// Writes each of some keys in one of several ways, or not at all; in any order, with comments and either line end.
fn file(version: &'static str) -> impl Strategy<Value = String> {
    let versions = prop_oneof![
        Just("version: V"),
        Just("version: \"V\""),
        Just("version: 'V' # c"),
        Just("\"version\":   V"),
        Just("version: &v V"),
        Just("version:\n  V"),
    ];
    let images = prop_oneof![Just("image: a/b"), Just("image: \"a/b\" # d"), Just("'image':\n  a/c")];
    let needs = prop_oneof![
        Just(""),
        Just("dependsOn: [payments]"),
        Just("dependsOn: {payments: ^2, \"inventory\": \">=1\"}"),
        Just("dependsOn:\n- payments\n# c\n-  inventory # d"),
        Just("dependsOn:\n    payments: ^2 # e\n\n    # f\n    inventory: '*'"),
        Just("dependsOn:\n  payments: {\"1.0\": \"*\"}\n  inventory: ^2"),
    ];
    let others = prop_oneof![
        Just(""),
        Just("verify: {timeout: 5m}"),
        Just("verify:\n  timeout: 5m # g\n  # h"),
        Just("local:\n  run: [a,\n    b]\n  port: 80"),
        Just("tag: \"v{version}\""),
        Just("workloads: [deployment/x]"),
    ];
    let comments = prop::collection::vec(prop_oneof![Just(""), Just("# i"), Just("#j\n# k"), Just("  # l")], 5);
    (versions, images, needs, others, comments, any::<[bool; 4]>(), Just(()).prop_perturb(|(), rng| rng)).prop_map(
        move |(v, i, n, o, comments, [crlf, mark, end, start], mut rng)| {
            let mut keys: Vec<String> =
                [v, i, n, o].iter().filter(|key| !key.is_empty()).map(|key| key.replace('V', version)).collect();
            for at in (1..keys.len()).rev() {
                keys.swap(at, rng.random_range(0..=at));
            }
            let mut lines = if start { "---\n".to_owned() } else { String::new() };
            for (key, comment) in keys.iter().zip(comments) {
                lines.extend([comment, "\n", key, "\n"]);
            }
            let lines = if end { lines } else { lines.trim_end().to_owned() };
            let lines = if crlf { lines.replace('\n', "\r\n") } else { lines };
            if mark { format!("\u{feff}{lines}") } else { lines }
        },
    )
}

proptest! {
    #[test]
    fn a_pin_changes_its_bytes_alone_and_comes_back(before in file("1.8.2")) {
        let repo = Repo::checkout(&before);
        let there = repo.after("checkout", pin("1.9.0"));
        prop_assert_eq!(&there, &before.replace("1.8.2", "1.9.0"));
        prop_assert_eq!(Repo::checkout(&there).after("checkout", pin("1.8.2")), before);
    }

    #[test]
    fn a_hold_comes_and_goes(before in file("1.8.2")) {
        let held = Repo::checkout(&before).after("checkout", hold("1.9"));
        prop_assert!(held.contains("hold:"), "{held}");
        prop_assert_eq!(Repo::checkout(&held).after("checkout", Edit::Release), before);
    }

    #[test]
    fn a_restored_service_comes_back(one in file("1.8.2"), other in file("1.9.0")) {
        // A table of the earlier revision is restored with the service, and then stays.
        let other = if one.contains("1.0") { other } else { other.replace("{\"1.0\": \"*\"}", "^1") };
        let (now, then) = (Repo::checkout(&one), Repo::checkout(&other));
        let restore = |repo: &Repo, as_of: &Repo| {
            repo.edit("checkout", as_of.restore("checkout"))
        };
        let gone = restore(&now, &then).unwrap();
        let gone = Repo::checkout(gone[0].1.as_deref().unwrap());
        let back = restore(&gone, &now).unwrap();
        prop_assert_eq!(back[0].1.as_deref(), Some(one.as_str()));
    }
}
