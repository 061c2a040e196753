use crate::common::host::{Host, signal};

#[tokio::test]
async fn a_run_follows_commits_and_starts_again_what_was_killed() {
    let mut host = Host::open(&["payments 1.0"]).await;
    let mut run = host.start(&["run"]);
    run.says(&["\"event\":\"inSync\""]).await;
    host.pin("payments", "1.1", "").commit("Upgrade payments");
    run.says(&["\"event\":\"verified\"", "\"version\":\"1.1\""]).await;
    let killed = host.pid("payments");
    signal("KILL", killed);
    run.says(&["\"event\":\"down\"", "payments 1.1 is down: "]).await;
    run.says(&["\"event\":\"back\"", "payments 1.1 is back"]).await;
    assert_ne!(host.pid("payments"), killed);
    run.terminate();
    let printed = run.end().await.ended(0);
    printed.line(&["\"event\":\"stopping\""]);
    // What runs goes on without it.
    host.pintle(&["status"]).await.ended(0).result(&["payments", "1.1", "Healthy"]);
}

#[tokio::test]
async fn a_second_run_stands_by_and_apply_follows_the_first() {
    let mut host = Host::open(&["payments 1.0"]).await;
    let mut first = host.start(&["run"]);
    first.says(&["\"event\":\"inSync\""]).await;
    let mut second = host.start(&["run"]);
    let pid = format!("(pid {}, since 20", first.pid());
    second.says(&["\"event\":\"standsBy\"", "`pintle run`", &pid]).await;
    host.pin("payments", "1.1", "").commit("Upgrade payments");
    host.apply().await.result(&["In sync"]);
    assert_eq!(host.version("payments"), "1.1");
    // Killed.
    drop(first);
    second.says(&["\"event\":\"inSync\""]).await;
}
