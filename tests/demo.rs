use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::common::git::hermetic;
use crate::common::host::shop;
use crate::common::running::Running;
use crate::common::shop::Printed;

/// The tour in its short form, in a folder for temporary files of its own.
fn tour(folder: &tempfile::TempDir) -> Running {
    let mut tour = Command::new(shop());
    hermetic(&mut tour).arg("--short").env("TMPDIR", folder.path()).env("HOME", folder.path()).stdin(Stdio::null());
    Running::start(tour)
}

/// Requests and failed ones of each way that the last table compares.
fn counted(printed: &Printed) -> BTreeMap<&str, (u32, u32)> {
    let table = printed.out.split("going back  ").nth(1).unwrap_or_else(|| panic!("no table: {}", printed.out));
    let rows = table.lines().skip(1).take_while(|line| !line.is_empty()).map(|line| {
        let (name, numbers) = line.trim_start().split_at(22);
        let numbers: Vec<u32> = numbers.split_whitespace().take(2).map(|number| number.parse().unwrap()).collect();
        (name.trim_end(), (numbers[0], numbers[1]))
    });
    rows.collect()
}

/// The processes that were started in the folder and still run.
fn running_in(folder: &tempfile::TempDir) -> Vec<String> {
    let folder = folder.path().canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let within = processes.filter(|process| {
        std::fs::read_link(process.join("cwd"))
            .is_ok_and(|cwd| cwd.to_str().is_some_and(|cwd| cwd.starts_with(folder.to_str().unwrap())))
    });
    within
        .filter_map(|process| std::fs::read_to_string(process.join("cmdline")).ok())
        .filter(|line| !line.is_empty())
        .collect()
}

#[tokio::test]
async fn the_tour_fails_no_request_in_pintles_order_and_some_in_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let printed = tour(&folder).end().await.ended(0);
    let ways = counted(&printed);
    println!("{ways:?}");
    assert!(ways["Pintle's order"].0 > 20 && ways["Pintle's order"].1 == 0, "{}", printed.out);
    assert!(ways["pintle rollback, of 2"].0 > 20 && ways["pintle rollback, of 2"].1 == 0, "{}", printed.out);
    assert!(ways["all at once"].1 > 0 && ways["the upgrade's order"].1 > 0, "{}", printed.out);
    assert_eq!(printed.out.matches(", 0 failed.").count(), 4, "there and back, twice: {}", printed.out);
    printed.line(&["~ checkout", "1.8.2 -> 1.7.9", "checkout 1.8.2 needs payments >=2.1, <3"]);
    printed.result(&["2.1.0 is on hold by Ada (above 2.0.3): refunds are booked twice; release it"]);
    printed.line(&["Reapply pins: checkout 1.7.9 -> 1.8.2"]);
    assert_eq!(running_in(&folder), Vec::<String>::new());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}

#[tokio::test]
async fn a_tour_that_is_interrupted_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let mut tour = tour(&folder);
    tour.says(&["payments 2.1.0 starting"]).await;
    tour.interrupt();
    let printed = tour.end().await.ended(1);
    assert!(printed.out.contains("$ pintle down"), "{}", printed.out);
    assert_eq!(running_in(&folder), Vec::<String>::new());
}
