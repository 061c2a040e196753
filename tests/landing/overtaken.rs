use insta::assert_snapshot;

use crate::common::pushed::{PinsClone, human};

/// Another version of payments, by somebody else.
const BUMP: &str = "sed -i s/2.0.3/2.0.4/ services/payments.yaml";

/// What was not to change did not.
fn is_at(shop: &PinsClone, [here, there]: [&str; 2], status: &str) {
    assert_eq!((shop.repo.head().to_hex(), shop.at_remote()), (here.to_owned(), there.to_owned()));
    assert_eq!(shop.repo.git(&["status", "--short"]), status);
}

#[test]
fn a_clone_that_is_overtaken_follows_and_decides_anew() {
    let shop = PinsClone::new();
    human(&shop.bare(), &format!("{BUMP} && git rm -q README.md && mkdir new && echo a > new/a && git add new"));
    // What somebody has under work elsewhere stays.
    shop.repo.write("mine.txt", "mine");
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.4"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    assert_eq!(shop.repo.head().to_hex(), shop.at_remote());
    assert_eq!(shop.repo.git(&["status", "--short"]), "?? mine.txt");
    assert_eq!(shop.repo.git(&["ls-files"]), "new/a\nservices/checkout.yaml\nservices/payments.yaml");
    assert_snapshot!(shop.commits(), @"
    Pintle-Services: payments
    Human
    Start
    ");
    assert_snapshot!(shop.repo.git(&["reflog", "-2", "--format=%gs", "main"]), @"
    commit (pintle): Pin payments 2.1.0
    pull (pintle): Fast-forward
    ");
}

#[test]
fn a_clone_that_knows_it_is_behind_follows_before_anything_is_shown() {
    let shop = PinsClone::new();
    human(&shop.bare(), BUMP);
    shop.repo.git(&["fetch", "--quiet"]);
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @r#"
    branch=main pushedTo=origin/main commit=COMMIT
    files path=services/payments.yaml status=changed
      hunks
        lines -version: "2.0.4"
        lines +version: "2.1.0"
        lines  image: ghcr.io/acme/payments
    "#);
    // But not for a branch of its own.
    human(&shop.bare(), "echo More >> README.md");
    shop.repo.git(&["fetch", "--quiet"]);
    assert_snapshot!(shop.outline("pin payments 2.1.1 --yes --propose"), @"
    error origin/main
    hint git pull --rebase
    exit 1
    ");
}

#[test]
fn a_clone_with_work_that_would_be_lost_does_not_follow() {
    let shop = PinsClone::new();
    human(&shop.bare(), "echo More >> README.md && echo theirs > mine.txt && git add mine.txt");
    let (here, there) = (shop.repo.head().to_hex(), shop.at_remote());
    shop.repo.write("README.md", "Mine\n");
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error README.md | origin/main | COMMIT
    hint
    exit 1
    ");
    is_at(&shop, [&here, &there], " M README.md");
    // Not under git yet, and in the way.
    shop.repo.git(&["checkout", "--quiet", "."]);
    shop.repo.write("mine.txt", "mine");
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    error mine.txt | origin/main
    hint
    exit 1
    ");
    is_at(&shop, [&here, &there], "?? mine.txt");
    assert_eq!(std::fs::read_to_string(shop.repo.path().join("mine.txt")).unwrap(), "mine");
}

#[test]
fn a_clone_with_commits_of_its_own_does_not_follow() {
    let shop = PinsClone::new();
    human(&shop.bare(), BUMP);
    let here = shop.repo.save("README.md", "Mine\n").to_hex();
    let there = shop.at_remote();
    assert_snapshot!(shop.outline("pin payments 2.1.0 --yes"), @"
    warning 1
    error origin/main | COMMIT
    hint git pull --rebase
    exit 1
    ");
    is_at(&shop, [&here, &there], "");
}

#[test]
fn what_only_git_itself_can_check_out_is_left_to_it() {
    let shop = PinsClone::new();
    human(&shop.bare(), "echo '*.bin filter=lfs' > .gitattributes && git add .");
    shop.repo.git(&["pull", "--quiet"]);
    human(&shop.bare(), "echo pointer > a.bin && git add .");
    let (here, there) = (shop.repo.head().to_hex(), shop.at_remote());
    let said = shop.says("pin payments 2.1.0 --yes");
    assert!(said.contains("a.bin") && said.ends_with("--- exit 1\n"), "{said}");
    is_at(&shop, [&here, &there], "");
}

#[test]
fn what_was_agreed_to_is_not_what_becomes_of_it_in_a_clone_either() {
    let shop = PinsClone::upgraded();
    human(&shop.bare(), "sed -i s/1.9.0/1.9.1/ services/checkout.yaml");
    let there = shop.at_remote();
    let said = shop.says("rollback payments --yes --reason INC-47");
    assert!(said.ends_with("--- exit 1\n"), "{said}");
    is_at(&shop, [&there, &there], "");
    shop.commits_with("rollback payments --yes --reason INC-47");
    assert_eq!(shop.repo.head().to_hex(), shop.at_remote());
}
