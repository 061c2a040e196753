use insta::assert_snapshot;

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
    let said = pintle.says(args);
    assert_eq!(said.code, Some(0), "{said}");
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
    assert_snapshot!(repo.git(&["log", "-1", "--format=%B"]).lines().skip(2).take(7).collect::<Vec<_>>().join("\n"), @"
    INC-48

    ledger 5.2 -> 5.0: asked for
    web 3.6 -> 3.4: asked for

    With other lines as they were before: services/ledger.yaml, services/web.yaml
    ");
    let told = said.err.split("\nTaken back with these pins\n").nth(1).unwrap();
    assert!(
        told.contains("-namespace: bank") && told.contains("-workloads: [deployment/web, deployment/web-jobs]"),
        "{said}"
    );
    let before = repo.git(&["show", "HEAD~3:services/web.yaml"]);
    assert_eq!(repo.git(&["show", "HEAD:services/web.yaml"]), before, "as it was, line ends and all");
}

#[test]
fn without_being_asked_for_they_stay() {
    let repo = repo();
    let said = Pintle::in_repo(&repo).says("rollback --revert HEAD~1 --yes --reason INC-48");
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.err.contains("not taken back (--include-config takes it along)"), "{said}");
    assert!(repo.git(&["show", "HEAD:services/ledger.yaml"]).contains("namespace: bank"));
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
        let shown = pintle.says(&format!("rollback --revert HEAD{flag} --dry-run")).out;
        let said = pintle.says(&format!("rollback --revert HEAD{flag} --yes --reason INC-48"));
        assert_eq!(said.code, Some(0), "{said}");
        let (_, lines) = shown.split_once("\nTaken back with these pins\n").unwrap_or_else(|| panic!("{shown}"));
        let (lines, _) = lines.split_once("\nWould be committed as\n").unwrap();
        let (taken, offered) = lines.split_once("\nChanged with these pins, and not taken back").unwrap_or((lines, ""));
        let signed = |text: &str| {
            let is_signed = |line: &&str| line.starts_with(['+', '-']) && !line.starts_with("---");
            let lines: Vec<&str> = text.lines().filter(is_signed).collect();
            lines.join("\n")
        };
        let diff = repo.git(&["diff", "HEAD~1", "--no-prefix"]).replace("+++ ", "    ");
        let diff: Vec<&str> = diff.lines().filter(|line| !line.contains("version:")).collect();
        assert_eq!(signed(taken), signed(&diff.join("\n")), "{shown}");
        assert_eq!(signed(offered), if flag.is_empty() { "-namespace: bank" } else { "" }, "{shown}");
        assert!(!shown.contains("services/web.yaml"), "{shown}");
    }
}

#[test]
fn lines_that_were_changed_again_since_are_named_and_nothing_is_committed() {
    let repo = repo();
    repo.write("services/ledger.yaml", ledger("5.2", "namespace: vault\nrollbackFloor: \"5\"\n")).commit("Move ledger");
    let head = repo.head();
    assert_snapshot!(Pintle::in_repo(&repo).says("rollback --revert HEAD~2 --include-config --yes --reason INC-48"), @"
    --- stderr
    error: --include-config: services/ledger.yaml:4-5: changed by the reverted commits, and otherwise since
      hint: leave out --include-config, and take these lines back by hand
    --- exit 1
    ");
    assert_eq!((repo.head(), repo.git(&["status", "--short"])), (head, String::new()));
    let said = Pintle::in_repo(&repo).says("rollback --revert HEAD~2 --dry-run");
    let why = "other lines are not taken back with these pins; --include-config: services/ledger.yaml:4-5: changed by";
    assert!(said.err.contains(why) && !said.out.contains("takes it along"), "{said}");
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
