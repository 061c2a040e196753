//! The tour on a cluster, made again: every line that the page shows comes out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::page;
use crate::common::shop::{Printed, Shop};

const OLD: &str = "dependsOn:\n  inventory: ^1.4\n  payments: \">=2.0, <3\"\n";
const NEW: &str = "dependsOn:\n  inventory: ^1.4\n  payments: \">=2.1, <3\"\n";
const BROKEN: &str = "tag: \"{version}-broken\"\ndependsOn:\n  ledger: ^5\n";

/// Goes the tour; returns each command of the page with what it printed.
async fn tour() -> Vec<(&'static str, Printed)> {
    let shop =
        Shop::open(&["checkout 1.7.9", "inventory 1.4.2", "ledger 5.1.0", "mail 1.0.0", "payments 2.0.3", "web 3.4.0"])
            .await;
    let payments = "dependsOn:\n  ledger: ^5\n";
    shop.pin("checkout", "1.7.9", OLD).pin("payments", "2.0.3", payments).pin(
        "web",
        "3.4.0",
        "dependsOn: {checkout: ^1}\n",
    );
    shop.commit("Say what versions need");
    let mut told = Vec::new();
    let mut types = async |line: &'static str, code| {
        let words: Vec<&str> = line.split(' ').collect();
        told.push((line, shop.pintle(&words).await.ended(code)));
    };
    types("check", 0).await;
    shop.pin("checkout", "1.8.2", NEW).pin("mail", "1.0.1", "").pin("payments", "2.1.0", payments);
    let release = shop.commit("Release 47: checkout pays through the new API");
    types("plan", 0).await;
    types("apply --yes", 0).await;
    shop.repo.revert(release);
    types("plan --from HEAD~1", 0).await;
    shop.apply().await;
    shop.pin("checkout", "1.8.2", NEW).pin("mail", "1.0.2", "").pin("payments", "2.1.1", BROKEN);
    shop.commit("Release 48");
    types("apply --yes", 3).await;
    types("status", 3).await;
    told
}

/// A line without what differs from run to run: times, ids, names of pods, the address of the server.
fn steady(line: &str) -> String {
    let is_id = |word: &str| word.len() == 8 && word.chars().all(|it| it.is_ascii_hexdigit());
    let is_time = |word: &str| word.strip_suffix(['s', 'm']).is_some_and(|it| it.parse::<f64>().is_ok());
    let differs = |word: &str| {
        let word = word.trim_matches(|it: char| !it.is_alphanumeric());
        is_id(word) || is_time(word) || ["payments-", "shop", "test", "https:"].iter().any(|it| word.starts_with(it))
    };
    line.split_whitespace().filter(|word| !differs(word)).collect::<Vec<_>>().join(" ")
}

/// Pods that end at once are not always noticed on their way.
fn is_certain(line: &str) -> bool {
    !line.ends_with(" stopping") && !line.ends_with(" gone") && !line.contains(" ms)") && line != "…"
}

#[tokio::test]
async fn every_line_of_the_tour_comes_out() {
    let text = page("docs/tour.md").text;
    let blocks: Vec<&str> =
        text.split("```text\n$ pintle ").skip(1).map(|it| it.split("```").next().unwrap()).collect();
    let told = tour().await;
    assert_eq!(blocks.len(), told.len(), "commands of the page");
    let mut faults = String::new();
    for (block, (typed, printed)) in blocks.iter().zip(told) {
        let came = format!("{typed}\n{}{}(exit {})\n", printed.err, printed.out, printed.code.unwrap());
        let lines: BTreeSet<String> = came.lines().map(steady).collect();
        let missing: Vec<&str> = block.lines().filter(|it| is_certain(it) && !lines.contains(&steady(it))).collect();
        if !missing.is_empty() {
            let _ = writeln!(faults, "These lines do not come out:\n{}\nThis does:\n{came}", missing.join("\n"));
        }
    }
    assert!(faults.is_empty(), "{faults}");
}
