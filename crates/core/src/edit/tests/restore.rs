//! Restoring version-bound keys, and reversing it.

use super::Repo;

/// Restores the version-bound keys of `then` in `now`, and reverses it.
fn there_and_back(then: &str, now: &str) -> [String; 2] {
    let (then, now) = (Repo::checkout(then), Repo::checkout(now));
    let restore = |repo: &Repo, as_of: &Repo| repo.after("checkout", as_of.restore("checkout"));
    let gone = restore(&now, &then);
    let back = restore(&Repo::checkout(&gone), &now);
    [gone, back]
}

#[test]
fn an_entry_comes_back_in_the_style_of_the_map_that_it_comes_to() {
    let lines = Repo::checkout("version: 1.8.2\nimage: a/b\ndependsOn: {payments: ^2}\n");
    let braces = Repo::checkout("{version: 1.8.2, image: a/b, dependsOn: {payments: ^2}}");
    assert_eq!(
        Repo::checkout("{image: a/b, version: \"1.8.2\"}").after("checkout", lines.restore("checkout")),
        "{image: a/b, version: 1.8.2, dependsOn: {payments: ^2}}"
    );
    assert_eq!(
        Repo::checkout("version: 1.9.0\nimage: a/b\nhold: {above: \"1.9\"}\n")
            .after("checkout", braces.restore("checkout")),
        "version: 1.8.2\nimage: a/b\ndependsOn: {payments: ^2}\nhold: {above: \"1.9\"}\n"
    );
}

#[test]
fn version_bound_keys_go_back_and_others_stay() {
    let then = "version: \"1.7.9\"\nimage: a/b\ntag: \"v{version}\"\ndependsOn:\n  # the old API\n  payments: ^1\nworkloads: [deployment/a]\nlocal:\n  run: [a]\n  # slow\n";
    let now = "# checkout\nversion: \"1.8.2\" # c\nimage: a/c\nworkloads: [deployment/b]\nrollbackFloor: \"1.0\"\ndependsOn: {payments: ^2, inventory: \"*\"}\nverify: {timeout: 5m}\n# end\n";
    let [gone, back] = there_and_back(then, now);
    insta::assert_snapshot!(gone, @r#"
    # checkout
    version: "1.7.9" # c
    image: a/b
    tag: "v{version}"
    workloads: [deployment/b]
    local:
      run: [a]
      # slow
    rollbackFloor: "1.0"
    dependsOn:
      # the old API
      payments: ^1
    # end
    "#);
    assert_eq!(back, now);
}

#[test]
fn tables_stay() {
    let then = "version: 1.7.9\nimage: a/b\ndependsOn:\n  payments: {\"1.0\": \"^1\"}\n  inventory: ^1\n";
    let now = "version: 1.8.2\nimage: a/b\ndependsOn:\n  payments: {\"1.0\": \"^1\", \"1.8\": \"^2\"} # c\n  inventory: ^2 # d\n";
    let [gone, back] = there_and_back(then, now);
    insta::assert_snapshot!(gone, @r#"
    version: 1.7.9
    image: a/b
    dependsOn:
      payments: {"1.0": "^1", "1.8": "^2"} # c
      inventory: ^1 # d
    "#);
    assert_eq!(back, now);
}

#[test]
fn what_comes_back_stands_where_it_stood() {
    let plain = "version: 1.7.9\nimage: a/b\n";
    let digest = format!("sha256:{}", "a".repeat(64));
    for now in [
        "version: 1.8.2\n\n# tags\ntag: \"v{version}\"\nverify: {timeout: 1m}\n\n# image\nimage: a/b\n",
        "tag: \"v{version}\"\n# top\nversion: 1.8.2\nimage: a/b\n",
        "# top\n\ntag: \"v{version}\"\nversion: 1.8.2\nimage: a/b\n",
        "version: 1.8.2\r\nimage: a/b\r\nverify:\r\n  timeout: 1m\r\n  # d",
        "version: 1.8.2\nimage: a/b\nlocal: {run: [a]}\ndigest: DIGEST",
        "version: 1.8.2\nimage: a/b\nlocal:\n  run:\n  - a\n  # b\n  -  c\n\n\n\n# end",
        "\u{feff}verify: {timeout: 1m}\nversion: 1.8.2\nimage: a/b\n",
        "{version: 1.8.2, image: a/b}",
    ] {
        let now = now.replace("DIGEST", &digest);
        let [gone, back] = there_and_back(plain, &now);
        assert!(
            gone.contains("1.7.9") && !gone.contains("verify") && !gone.contains("tag:") && !gone.contains("run"),
            "{gone}"
        );
        assert_eq!(back, now, "from\n{gone}");
    }
}

#[test]
fn a_pin_that_moved_is_restored_where_it_lives_now() {
    let settings = "apiVersion: pintle.dev/v1alpha1\npins: [{files: c.yaml, key: \"{service}.image\", as: image}]\n";
    let own = "services/web.yaml";
    let then = Repo::of(&[
        ("pintle.yaml", settings),
        (own, "version: \"1\"\nimage: acme/web\ndependsOn: [db]\n"),
        ("c.yaml", "db: {image: \"acme/db:1\"}\n"),
    ]);
    let now =
        Repo::of(&[("pintle.yaml", settings), ("c.yaml", "db: {image: \"acme/db:2\"}\nweb: {image: acme/web:2}\n")]);
    let edit = then.restore("web");
    let edited = now.edit("web", edit).unwrap();
    insta::assert_debug_snapshot!(edited, @r#"
    [
        (
            "c.yaml",
            Some(
                "db: {image: \"acme/db:2\"}\nweb: {image: acme/web:1}\n",
            ),
        ),
        (
            "services/web.yaml",
            Some(
                "image: acme/web\ndependsOn: [db]\n",
            ),
        ),
    ]
    "#);
}
