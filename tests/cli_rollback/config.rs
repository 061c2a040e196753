use insta::assert_snapshot;
use serde_json::Value;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

/// A version of ledger, with other lines around it.
fn ledger(version: &str, rest: &str) -> String {
    format!("# the books\nversion: \"{version}\"\nimage: acme/ledger\n{rest}")
}

/// A release that changes more than pins, the first but one; the last one pins again what stands beside its lines.
fn repo() -> TestRepo {
    let repo = TestRepo::for_pins();
    repo.write("services/ledger.yaml", ledger("5.0", "rollbackFloor: \"4\"\n"));
    repo.write("services/web.yaml", "version: \"3.4\"\r\nimage: acme/web").commit("Pin what runs");
    repo.write("services/ledger.yaml", ledger("5.1", "namespace: bank\nrollbackFloor: \"5\"\n"));
    repo.write(
        "services/web.yaml",
        "version: \"3.5\"\r\nworkloads: [deployment/web, deployment/web-jobs]\r\nimage: acme/web",
    );
    repo.commit("Release 48");
    repo.write("services/ledger.yaml", ledger("5.2", "namespace: bank\nrollbackFloor: \"5\"\n"));
    let web = "version: \"3.6\"\r\nworkloads: [deployment/web, deployment/web-jobs]\r\nimage: acme/web";
    repo.write("services/web.yaml", web).commit("Upgrade both");
    repo
}

#[test]
fn other_lines_that_the_reverted_commits_changed_go_back_where_that_was_asked_for() {
    let repo = repo();
    let pintle = Pintle::in_repo(&repo);
    let args = "rollback --revert HEAD~1 --include-config --yes --reason INC-48";
    let said = pintle.json(args);
    let diff = repo.git(&["diff", "HEAD~1", "--no-prefix", "--unified=1"]).replace('\r', "␍");
    let diff: Vec<&str> = diff.lines().filter(|line| !line.starts_with("index ")).collect();
    assert_snapshot!(diff.join("\n"), @r#"
    diff --git services/ledger.yaml services/ledger.yaml
    --- services/ledger.yaml
    +++ services/ledger.yaml
    @@ -1,5 +1,4 @@
     # the books
    -version: "5.2"
    +version: "5.0"
     image: acme/ledger
    -namespace: bank
    -rollbackFloor: "5"
    +rollbackFloor: "4"
    diff --git services/web.yaml services/web.yaml
    --- services/web.yaml
    +++ services/web.yaml
    @@ -1,3 +1,2 @@
    -version: "3.6"␍
    -workloads: [deployment/web, deployment/web-jobs]␍
    +version: "3.4"␍
     image: acme/web
    \ No newline at end of file
    "#);
    let message = repo.git(&["log", "-1", "--format=%B"]);
    assert!(message.contains(": services/ledger.yaml, services/web.yaml\n"), "{message}");
    let taken = signed(&said["rollback"]["files"]);
    assert!(taken.contains("-namespace: bank") && taken.contains("-workloads: [deployment/web, deployment/web-jobs]"));
    let before = repo.git(&["show", "HEAD~3:services/web.yaml"]);
    assert_eq!(repo.git(&["show", "HEAD:services/web.yaml"]), before, "as it was, line ends and all");
}

#[test]
fn without_being_asked_for_they_stay() {
    let repo = repo();
    let said = Pintle::in_repo(&repo).says("rollback --revert HEAD~1 --yes --reason INC-48");
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.err.contains("--include-config"), "{said}");
    assert!(repo.git(&["show", "HEAD:services/ledger.yaml"]).contains("namespace: bank"));
}

fn is_signed(line: &str) -> bool {
    line.starts_with(['+', '-']) && !line.starts_with("---")
}

/// The lines that go and come in files that are shown.
fn signed(files: &Value) -> String {
    let hunks = files.as_array().unwrap().iter().flat_map(|file| file["hunks"].as_array().unwrap());
    let lines = hunks.flat_map(|hunk| hunk["lines"].as_array().unwrap()).map(|line| line.as_str().unwrap());
    lines.filter(|line| is_signed(line)).collect::<Vec<_>>().join("\n")
}

/// A port is bound to the version: it goes back with the pin, and without one it stays.
fn ports() -> TestRepo {
    let repo = TestRepo::for_pins();
    let local = |port: u16| format!("local: {{run: [./run], port: {port}}}\n");
    repo.write("services/ledger.yaml", ledger("5.0", &local(31801)));
    repo.write("services/web.yaml", format!("version: \"3.4\"\nimage: acme/web\n{}", local(31802)));
    repo.commit("Pin what runs");
    repo.write("services/ledger.yaml", ledger("5.1", &(local(31811) + "namespace: bank\n")));
    repo.write("services/web.yaml", format!("version: \"3.4\"\nimage: acme/web\n{}", local(31812)));
    repo.commit("Release 48");
    repo
}

#[test]
fn the_preview_shows_each_line_that_the_commit_changes_beside_pins_and_offers_what_the_flag_takes() {
    for flag in ["", " --include-config"] {
        let repo = ports();
        let pintle = Pintle::in_repo(&repo);
        let shown = pintle.json(&format!("rollback --revert HEAD{flag} --dry-run"));
        let said = pintle.says(&format!("rollback --revert HEAD{flag} --yes --reason INC-48"));
        assert_eq!(said.code, Some(0), "{said}");
        let (taken, offered) = (signed(&shown["files"]), signed(&shown["notTaken"]));
        let diff = repo.git(&["diff", "HEAD~1", "--no-prefix"]).replace("+++ ", "    ");
        let is_other = |line: &&str| is_signed(line) && !line.contains("version:");
        let diff: Vec<&str> = diff.lines().filter(is_other).collect();
        assert_eq!(taken, diff.join("\n"), "{shown:#}");
        assert_eq!(offered, if flag.is_empty() { "-namespace: bank" } else { "" }, "{shown:#}");
        assert!(!shown.to_string().contains("services/web.yaml"), "{shown:#}");
    }
}

#[test]
fn lines_that_were_changed_again_since_are_named_and_nothing_is_committed() {
    let repo = repo();
    repo.write("services/ledger.yaml", ledger("5.2", "namespace: vault\nrollbackFloor: \"5\"\n")).commit("Move ledger");
    let head = repo.head();
    assert_snapshot!(Pintle::in_repo(&repo).outline("rollback --revert HEAD~2 --include-config --yes --reason INC-48"), @"
    error --include-config | services/ledger.yaml:4-5
    hint
    exit 1
    ");
    assert_eq!((repo.head(), repo.git(&["status", "--short"])), (head, String::new()));
    let said = Pintle::in_repo(&repo).says("rollback --revert HEAD~2 --dry-run");
    let is_why = |line: &str| line.contains("--include-config") && line.contains("services/ledger.yaml:4-5");
    assert!(said.err.lines().any(is_why) && !said.out.contains("--include-config"), "{said}");
}

#[test]
fn a_floor_that_comes_back_counts() {
    let repo = TestRepo::for_pins();
    repo.write("services/ledger.yaml", ledger("5.0", "rollbackFloor: \"4\"\n"));
    repo.commit("Pin what runs");
    repo.write("services/ledger.yaml", ledger("5.1", "rollbackFloor: \"5.1\"\n")).commit("Migrate");
    let pintle = Pintle::in_repo(&repo);
    assert_eq!(pintle.says("rollback --revert HEAD --dry-run").code, Some(4));
    let said = pintle.says("rollback --revert HEAD --include-config --dry-run");
    assert_eq!(said.code, Some(0), "{said}");
}
