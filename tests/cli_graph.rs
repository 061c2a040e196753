use insta::assert_snapshot;

use crate::common::git::TestRepo;
use crate::common::pintle::Pintle;

/// A repository with a service for each `name version: provider range, provider range`.
fn repo(services: &[&str]) -> TestRepo {
    let repo = TestRepo::for_pins();
    for line in services {
        let (pin, needs) = line.split_once(':').unwrap_or((line, ""));
        let (name, version) = pin.split_once(' ').unwrap();
        let needs = needs.split(';').filter_map(|need| need.trim().split_once(' '));
        let needs: Vec<String> = needs.map(|(provider, range)| format!("  {provider}: \"{range}\"\n")).collect();
        let needs = if needs.is_empty() { String::new() } else { format!("dependsOn:\n{}", needs.concat()) };
        repo.pin(name, version, &needs);
    }
    repo.commit("Pin");
    repo
}

fn shop() -> TestRepo {
    repo(&[
        "checkout 1.8.2: payments >=2.1, <3; inventory ^1.4",
        "inventory 1.4.0: ledger *",
        "ledger 3.0.0",
        "payments 2.0.3: ledger ^3",
        "search 0.9.0",
    ])
}

#[test]
fn a_tree_goes_from_those_that_nothing_needs_to_what_they_need() {
    let repo = shop();
    assert_snapshot!(Pintle::in_repo(&repo).says("graph"), @"
    checkout 1.8.2
    ├─ inventory 1.4.0  ^1.4
    │  └─ ledger 3.0.0  *
    └─ payments 2.0.3  >=2.1, <3 does not fit
       └─ ledger 3.0.0  ^3
    search 0.9.0
    ");
}

#[test]
fn a_service_is_shown_with_what_it_needs_and_what_needs_it() {
    let repo = shop();
    assert_snapshot!(Pintle::in_repo(&repo).says("graph payments"), @"
    payments 2.0.3
    └─ ledger 3.0.0  ^3

    needed by
    └─ checkout 1.8.2  >=2.1, <3 does not fit
    ");
    assert_snapshot!(Pintle::in_repo(&repo).says("graph search"), @"search 0.9.0");
}

#[test]
fn circles_are_shown_and_end() {
    let repo = repo(&["a 1: b *", "b 1: c *; d *", "c 1: a *", "d 1: c *", "lone 1"]);
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("graph"), @"
    a 1
    └─ b 1  *
       ├─ c 1  *
       │  └─ a 1  *  (circle)
       └─ d 1  *
          └─ c 1  *  (above)
    lone 1
    ");
    assert_snapshot!(pintle.says("graph c"), @"
    c 1
    └─ a 1  *
       └─ b 1  *
          ├─ c 1  *  (circle)
          └─ d 1  *
             └─ c 1  *  (circle)

    needed by
    ├─ b 1  *
    │  └─ a 1  *
    │     └─ c 1  *  (circle)
    └─ d 1  *
       └─ b 1  *  (above)
    ");
}

#[test]
fn other_tools_draw_it() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    assert_snapshot!(pintle.says("graph --format dot"), @r#"
    digraph pins {
      rankdir=LR
      node [shape=box, fontname="sans-serif"]
      "checkout" [label="checkout\n1.8.2"]
      "inventory" [label="inventory\n1.4.0"]
      "ledger" [label="ledger\n3.0.0"]
      "payments" [label="payments\n2.0.3"]
      "search" [label="search\n0.9.0"]
      "checkout" -> "inventory" [label="^1.4"]
      "checkout" -> "payments" [label=">=2.1, <3 does not fit", color=red, fontcolor=red]
      "inventory" -> "ledger" [label="*"]
      "payments" -> "ledger" [label="^3"]
    }
    "#);
    assert_snapshot!(pintle.says("graph inventory --format mermaid"), @r#"
    graph LR
      s0["checkout 1.8.2"]
      s1["inventory 1.4.0"]
      s2["ledger 3.0.0"]
      s0 -->|"^1.4"| s1
      s1 -->|"*"| s2
    "#);
    assert_snapshot!(pintle.says("graph payments --output yaml"), @"
    services:
      checkout: 1.8.2
      ledger: 3.0.0
      payments: 2.0.3
    needs:
    - consumer: checkout
      provider: payments
      range: '>=2.1, <3'
      fits: false
    - consumer: payments
      provider: ledger
      range: ^3
      fits: true
    ");
}

#[test]
fn a_service_with_errors_stays_in_the_picture() {
    let repo = shop();
    repo.save("services/payments.yaml", "version: 2.1\nimage: ghcr.io/acme/payments\n");
    assert_snapshot!(Pintle::in_repo(&repo).says("graph"), @"
    checkout 1.8.2
    ├─ inventory 1.4.0  ^1.4
    │  └─ ledger 3.0.0  *
    └─ payments has errors  >=2.1, <3
    search 0.9.0
    ");
}

#[test]
fn a_chain_of_a_thousand_is_drawn_without_recursion() {
    let services: Vec<String> = (0..1000).map(|n| format!("s{n} 1: s{} *", n + 1)).chain(["s1000 1".into()]).collect();
    let repo = repo(&services.iter().map(String::as_str).collect::<Vec<_>>());
    let pintle = Pintle::in_repo(&repo);
    let tree = pintle.says("graph");
    assert_eq!(tree.code, Some(0));
    assert!(tree.out.lines().last().unwrap().ends_with("(and deeper)"), "{}", tree.out);
    assert_eq!(pintle.says("graph --format dot").out.matches("->").count(), 1000);
}

#[test]
fn what_is_not_there_is_told() {
    let repo = shop();
    let pintle = Pintle::in_repo(&repo);
    let tries = ["graph paymets", "graph --rev HEAD~1", "graph --format svg", "graph a b"];
    assert_snapshot!(pintle.outlines(&tries), @"
    $ pintle graph paymets
    error
    hint payments
    exit 1
    $ pintle graph --rev HEAD~1
    error HEAD~1
    hint git log
    exit 1
    $ pintle graph --format svg
    error
    exit 64
    $ pintle graph a b
    error
    exit 64
    ");
}
