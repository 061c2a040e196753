//! A real forge, Gitea: rollbacks that are proposed there as people open them, and branches that take no pushes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::json;
use tempfile::TempDir;

use crate::common::git::{TestRepo, git, text};
use crate::common::gitea::{Gitea, USER};
use crate::common::pintle::{Pintle, Said};

/// A repository on the forge, and somebody's clone of it.
struct Desk {
    forge: &'static Gitea,
    name: &'static str,
    /// How the pins came to be.
    author: TestRepo,
    clone: TempDir,
}

/// Why, with all that a link could trip over.
const REASON: &str = "INC-47: 100% of refunds & credits are booked twice; see a+b?c=\"d\" #12 <really>, säge";

impl Desk {
    /// Two services, both upgraded once.
    fn open(name: &'static str) -> Self {
        let forge = Gitea::shared();
        let url = forge.repository(name);
        let (author, clone) = (TestRepo::for_pins(), tempfile::tempdir().unwrap());
        let desk = Self { forge, name, author, clone };
        desk.author
            .pin("payments", "2.0.3", "")
            .pin("checkout", "1.8.2", "dependsOn: {payments: \"^2\"}\n")
            .commit("Start");
        desk.author.pin("payments", "2.1.0", "").pin("checkout", "1.9.0", "dependsOn: {payments: ^2.1}\n");
        desk.author.commit("Upgrade both");
        let helper = format!("credential.helper={}", forge.helper());
        desk.git(desk.author.path(), &["-c", &helper, "push", "--quiet", &url, "main"]);
        desk.git(desk.clone.path(), &["-c", &helper, "clone", "--quiet", "--depth=1", &url, "."]);
        desk.git(desk.clone.path(), &["config", "credential.helper", &forge.helper()]);
        desk
    }

    fn git(&self, folder: &Path, args: &[&str]) -> String {
        text(git(folder).envs(self.forge.environment()).args(args).output().unwrap())
    }

    fn in_clone(&self, args: &[&str]) -> String {
        self.git(self.clone.path(), args)
    }

    fn pintle(&self, args: &[&str]) -> Said {
        let pintle = Pintle::in_repo(&self.author);
        let mut command: Command = pintle.command(args);
        command.current_dir(self.clone.path()).envs(self.forge.environment());
        let said = pintle.said(command.output().unwrap());
        assert!(!said.to_string().contains(self.forge.token()), "{said}");
        said
    }

    /// Proposes to take payments back, and gives the branch and the link.
    fn propose(&self, how: &str) -> (String, String) {
        proposed(&self.pintle(&["rollback", "payments", how, "--yes", "--reason", REASON]))
    }

    /// Creates the pull request with what its form is filled in with, merges it, and pulls.
    fn merge(&self, branch: &str, link: &str, how: &str) {
        let form = form(&self.forge.page(link));
        let pull = json!({"head": branch, "base": "main", "title": form["title"], "body": form["content"]});
        let number = self.forge.post(&self.api("pulls"), &pull)["number"].clone();
        // The page that merges fills the description in where it is the only commit that is left.
        let words = if how == "squash" { form["content"].as_str() } else { "" };
        let merge = json!({"Do": how, "MergeMessageField": words});
        self.forge.post(&self.api(&format!("pulls/{number}/merge")), &merge);
        self.in_clone(&["pull", "--quiet", "--ff-only"]);
    }

    fn api(&self, path: &str) -> String {
        format!("repos/{USER}/{}/{path}", self.name)
    }
}

/// The branch and the link of a proposal.
fn proposed(said: &Said) -> (String, String) {
    let found = said.out.split_once(" as origin/").and_then(|(_, rest)| rest.split_once(".\n"));
    let (branch, rest) = found.unwrap_or_else(|| panic!("{said}"));
    let link = rest.trim_end().strip_prefix("Open the pull request into main: ");
    (branch.to_owned(), link.unwrap_or_else(|| panic!("{said}")).to_owned())
}

/// The fields of the form that opens a pull request.
fn form(page: &str) -> BTreeMap<&'static str, String> {
    let between = |from: &str, to: &str| Some(page.split_once(from)?.1.split_once(to)?.0);
    let title = between("name=\"title\"", ">").and_then(|input| input.split_once("value=\"")?.1.split_once('"'));
    let content = between("name=\"content\"", "</textarea>").and_then(|area| area.split_once('>'));
    let fields = [("title", title.map(|it| it.0)), ("content", content.map(|it| it.1))];
    fields.into_iter().filter_map(|(name, value)| Some((name, plain(value?)))).collect()
}

/// The text of what stands in HTML.
fn plain(html: &str) -> String {
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#43;", "+"), ("&amp;", "&")];
    marks.into_iter().fold(html.to_owned(), |text, (mark, plain)| text.replace(mark, plain))
}

#[test]
fn a_proposed_rollback_opens_as_a_pull_request_that_is_filled_in() {
    let desk = Desk::open("proposed");
    let (branch, link) = desk.propose("--propose");
    assert_eq!(branch, "pintle/revert-payments-2.0.3-and-1-more-71dab962");
    assert_snapshot!(link, @"https://gitea.test/ada/proposed/compare/main...pintle/revert-payments-2.0.3-and-1-more-71dab962?quick_pull=1&title=Revert+pins%3A+payments+2.1.0+-%3E+2.0.3%2C+checkout+1.9.0+-%3E+1.8.2&body=INC-47%3A+100%25+of+refunds+%26+credits+are+booked+twice%3B+see+a%2Bb%3Fc%3D%22d%22+%2312+%3Creally%3E%2C+s%C3%A4ge%0A%0Apayments+2.1.0+-%3E+2.0.3%3A+asked+for%0Acheckout+1.9.0+-%3E+1.8.2%3A+checkout+1.9.0+needs+payments+%5E2.1%0A%0APintle-Reverts%3A+4f29be14ff744eda9ccc04e313cbcc68901324af%0APintle-Services%3A+payments%2C+checkout%0APintle-Id%3A+71dab962416fa4c2");
    let page = desk.forge.page(&link);
    let form = form(&page);
    assert_eq!(form["title"], "Revert pins: payments 2.1.0 -> 2.0.3, checkout 1.9.0 -> 1.8.2");
    assert_snapshot!(form["content"], @r#"
    INC-47: 100% of refunds & credits are booked twice; see a+b?c="d" #12 <really>, säge

    payments 2.1.0 -> 2.0.3: asked for
    checkout 1.9.0 -> 1.8.2: checkout 1.9.0 needs payments ^2.1

    Pintle-Reverts: 4f29be14ff744eda9ccc04e313cbcc68901324af
    Pintle-Services: payments, checkout
    Pintle-Id: 71dab962416fa4c2
    "#);
    desk.in_clone(&["fetch", "--quiet", "origin", &branch]);
    let message = desk.in_clone(&["log", "-1", "--format=%B", "FETCH_HEAD"]);
    assert_eq!(format!("{}\n\n{}", form["title"], form["content"]), message);

    // A name of a branch that a link could trip over too.
    let (branch, link) = desk.propose("--propose=back/100%-#1+ü&x=y");
    assert_eq!(branch, "back/100%-#1+ü&x=y");
    assert_eq!(self::form(&desk.forge.page(&link)), form);
}

#[test]
fn a_merged_rollback_is_one_in_history_and_is_undone_by_a_reapply() {
    for how in ["merge", "squash", "rebase"] {
        let desk = Desk::open(how);
        let (branch, link) = desk.propose("--propose");
        desk.merge(&branch, &link, how);
        let history = desk.pintle(&["history", "payments"]).to_string();
        let told: Vec<&str> = history.lines().filter(|line| line.starts_with("  ")).collect();
        assert_eq!(told, ["  rollback of 4f29be14 (Upgrade both)"], "{how}\n{history}");
        let again = desk.pintle(&["rollback", "payments", "--dry-run"]);
        assert!(again.err.contains("payments is back at 2.0.3 already, by "), "{how}\n{again}");

        let said = desk.pintle(&["reapply", "--propose", "--yes", "--reason", "mended"]);
        let (branch, link) = proposed(&said);
        assert!(
            link.contains("title=Reapply+pins%3A+checkout+1.8.2+-%3E+1.9.0%2C+payments+2.0.3+-%3E+2.1.0"),
            "{link}"
        );
        if how == "merge" {
            desk.merge(&branch, &link, how);
            let history = desk.pintle(&["history", "payments"]).to_string();
            assert!(history.contains("\n  reapply: takes back "), "{history}");
            assert_eq!(
                desk.in_clone(&["diff", "--stat", "4f29be14", "HEAD", "--", "services"]),
                "",
                "as it was before"
            );
        }
    }
}

#[test]
fn a_protected_branch_refuses_the_commit_in_the_words_of_the_forge_and_takes_a_proposal() {
    let desk = Desk::open("protected");
    desk.forge.post(&desk.api("branch_protections"), &json!({"rule_name": "main", "enable_push": false}));
    let before = desk.in_clone(&["for-each-ref"]);
    let said = desk.pintle(&["rollback", "payments", "--yes", "--reason", "INC-47"]);
    let end: Vec<&str> = said.err.lines().skip_while(|line| !line.starts_with("commit on main")).collect();
    assert_snapshot!(end.join("\n"), @"
    commit on main, and push to origin/main
    error: origin/main refuses the commit: Not allowed to push to protected branch main (pre-receive hook declined)
      hint: open a pull request instead: --propose
    ");
    assert_eq!((said.out.as_str(), said.code), ("", Some(1)));
    assert_eq!(desk.in_clone(&["for-each-ref"]), before);
    assert_eq!(desk.in_clone(&["status", "--short"]), "");
    let (branch, link) = desk.propose("--propose");
    desk.merge(&branch, &link, "merge");
    assert!(desk.in_clone(&["show", "HEAD:services/payments.yaml"]).contains("2.0.3"));
}
