use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::host::{Host, image, signal};
use crate::common::limit::EMERGENCY;

#[tokio::test]
async fn in_sync_nothing_is_written_and_status_says_what_runs() {
    let host = Host::open(&["payments 1.0", "checkout 1.0"]).await;
    let record = || std::fs::read_to_string(host.state().join("services/payments/record")).unwrap();
    let (before, pid) = (record(), host.pid("payments"));
    host.apply().await.result(&["In sync: everything runs what is pinned (0 changed)"]);
    assert_eq!((record(), host.pid("payments")), (before, pid));
    let status = host.pintle(&["status"]).await.ended(0);
    status.result(&["checkout", "1.0", "Healthy", "ago"]);
    status.result(&["2 of 2 in sync"]);
}

#[tokio::test]
async fn down_ends_consumers_before_what_they_need_and_apply_starts_everything_again() {
    let mut host = Host::open(&["payments 1.0", "checkout 1.0", "released 1.0"]).await;
    host.pin("checkout", "1.0", "dependsOn: {payments: \"*\"}\n");
    host.repo.remove("services/released.yaml");
    host.commit("Say what checkout needs, and release one");
    host.apply().await;
    assert_eq!(host.processes("released").len(), 1, "what is pinned no more runs on");
    let watch = host.watch();
    let down = host.pintle(&["down"]).await.ended(0);
    assert!(down.result(&["checkout stopped"]) < down.result(&["payments stopped"]));
    down.result(&["3 services stopped"]);
    for name in ["payments", "checkout", "released"] {
        assert!(host.processes(name).is_empty(), "{name} runs");
    }
    let recording = watch.end();
    assert!(recording.gone(&image("checkout", "1.0")) < recording.gone(&image("payments", "1.0")));
    host.pintle(&["down"]).await.ended(0).result(&["Nothing runs"]);
    let status = host.pintle(&["status"]).await.ended(3);
    status.result(&["payments", "nothing", "Missing"]);
    status.result(&["it was stopped by pintle down; starts at the next apply"]);
    host.apply().await.result(&["(2 changed)"]);
    assert_eq!(host.versions(&["payments", "checkout"]), "1.0 1.0");
}

#[tokio::test]
async fn one_apply_carries_out_an_accepted_rewrite_where_nothing_runs() {
    let mut host = Host::open(&["payments 1.0", "checkout 1.0", "free 1.0"]).await;
    host.pin("payments", "2.0", "").pin("checkout", "2.0", "dependsOn: {payments: \">=2.0\"}\n").commit("Upgrade both");
    host.apply().await;
    host.pintle(&["down"]).await.ended(0);
    let old = host.repo.head();
    host.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    host.pin("payments", "1.1", "").pin("checkout", "1.1", "dependsOn: {payments: \">=1.1\"}\n");
    let new = host.commit("Another history");
    let range = format!("{}..{}", old.short(), new.short());
    host.apply_ends(4).await.line(&["hint", &format!("--accept-rewrite {range}")]);
    host.pintle(&["apply", "--yes", "--accept-rewrite", &range]).await.ended(0);
    assert_eq!(host.versions(&["payments", "checkout", "free"]), "1.1 1.1 1.0");
    host.apply().await.result(&["In sync"]);
}

#[tokio::test]
async fn a_killed_service_is_missing_and_the_next_apply_starts_it_again() {
    let host = Host::open(&["payments 1.0", "checkout 1.0"]).await;
    let checkout = host.pid("checkout");
    signal("KILL", host.pid("payments"));
    host.wait_for("payments", 0).await;
    let status = host.pintle(&["status"]).await.ended(3);
    status.result(&["payments", "nothing", "Missing"]);
    status.result(&["it was ended by signal 9 (SIGKILL); starts at the next apply"]);
    host.pintle(&["suspects"]).await.ended(3).result(&["! payments is Missing: it was ended by signal 9 (SIGKILL)"]);
    host.pintle(&["plan"]).await.ended(0).result(&["payments", "nothing -> 1.0"]);
    host.apply().await.line(&["payments 1.0 verified"]);
    assert_eq!(host.versions(&["payments", "checkout"]), "1.0 1.0");
    assert_eq!(host.pid("checkout"), checkout, "who lives stays");
}

#[tokio::test]
async fn what_dies_while_an_apply_is_at_work_is_started_again_by_it() {
    let mut host = Host::open(&["payments 1.0", "slow 1.0"]).await;
    host.pin("payments", "1.1", "").pin("slow", "1.1", "");
    host.well_by_hand("slow").commit("Upgrade both");
    let mut apply = host.start_apply();
    apply.says(&["payments 1.1 verified"]).await;
    let before = host.pid("payments");
    signal("KILL", before);
    host.wait_for("payments", 0).await;
    host.wait_for("payments", 1).await;
    assert_ne!(host.pid("payments"), before);
    host.repo.write("well", "");
    apply.end().await.ended(0);
    assert_eq!(host.versions(&["payments", "slow"]), "1.1 1.1");
}

#[tokio::test]
async fn killed_at_any_moment_the_next_apply_goes_on_and_nothing_runs_twice() {
    let mut host = Host::open(&["payments 1.0", "checkout 1.0 share"]).await;
    let watch = host.watch();
    for (number, milliseconds) in [15, 30, 45, 60, 80, 100, 130, 160, 200, 300].into_iter().enumerate() {
        let version = format!("2.{number}");
        host.pin("payments", &version, "");
        host.pin("checkout", &format!("{version} share"), &format!("dependsOn: {{payments: \">={version}\"}}\n"));
        host.commit("Upgrade both");
        let mut apply = host.start_apply();
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        signal("KILL", i32::try_from(apply.pid()).unwrap());
        apply.ended().await;
        host.apply().await;
        assert_eq!(
            host.versions(&["payments", "checkout"]),
            format!("{version} {version}"),
            "killed after {milliseconds} ms"
        );
        host.pid("payments");
        host.pid("checkout");
    }
    host.kept(watch);
}

#[tokio::test]
async fn killed_together_with_its_services_the_next_apply_starts_what_is_pinned() {
    let mut host = Host::open(&["payments 1.0", "checkout 1.0"]).await;
    host.pin("payments", "2.0 linger=500", "")
        .pin("checkout", "2.0", "dependsOn: {payments: \">=2.0\"}\n")
        .commit("Upgrade");
    let mut apply = host.start_apply();
    apply.says(&["payments 2.0 starting"]).await;
    signal("KILL", i32::try_from(apply.pid()).unwrap());
    for name in ["payments", "checkout"] {
        for (pid, _) in host.processes(name) {
            signal("KILL", pid);
        }
    }
    apply.ended().await;
    host.apply().await;
    assert_eq!(host.versions(&["payments", "checkout"]), "2.0 2.0");
}

#[tokio::test]
async fn a_pid_that_another_process_has_by_now_is_not_taken_for_the_service() {
    let host = Host::open(&["payments 1.0"]).await;
    signal("KILL", host.pid("payments"));
    host.wait_for("payments", 0).await;
    let mut stranger = Command::new("setsid").args(["sleep", "60"]).stdin(Stdio::null()).spawn().unwrap();
    // As it would be after a reboot, before which nobody saw how the service ended.
    let run = host.state().join("services/payments/run-1");
    let first = std::fs::read_to_string(&run).unwrap().lines().next().unwrap().to_owned();
    let mut line: serde_json::Value = serde_json::from_str(&first).unwrap();
    line["Started"]["pid"] = stranger.id().into();
    std::fs::write(&run, format!("{line}\n")).unwrap();
    host.pintle(&["status"]).await.ended(3).result(&["payments", "nothing", "Missing"]);
    host.pintle(&["down"]).await.ended(0);
    host.apply().await;
    assert_eq!(host.version("payments"), "1.0");
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_service_outlives_its_keeper_and_is_found_and_ended_all_the_same() {
    let mut host = Host::open(&["payments 1.0"]).await;
    let pid = host.pid("payments");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let keeper: i32 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap();
    signal("KILL", keeper);
    host.pintle(&["status"]).await.ended(0).result(&["payments", "Healthy"]);
    host.pin("payments", "1.1", "").commit("Upgrade payments");
    host.apply().await;
    assert_eq!(host.version("payments"), "1.1");
    host.pid("payments");
}

#[tokio::test]
async fn the_second_of_two_is_told_who_is_at_it() {
    let mut host = Host::open(&["slow 1.0"]).await;
    host.pin("slow", "1.1", "");
    host.well_by_hand("slow").commit("Upgrade");
    let mut apply = host.start_apply();
    apply.says(&["slow 1.1 starting"]).await;
    let pid = format!("(pid {}, since 20", apply.pid());
    for second in [["apply", "--yes"].as_slice(), ["down"].as_slice()] {
        host.pintle(second).await.ended(1).line(&["`pintle apply`", &pid, "is at it: wait for it to end"]);
    }
    // Who only looks is not kept waiting.
    host.pintle(&["status"]).await.result(&["under way", "exit code 1"]);
    host.repo.write("well", "");
    apply.end().await.ended(0);
}

#[tokio::test]
async fn ctrl_c_leaves_nothing_half_done() {
    let mut host = Host::open(&["payments 1.0 linger=1500"]).await;
    host.pin("payments", "1.1", "").commit("Upgrade payments");
    let mut apply = host.start_apply();
    apply.says(&["payments 1.0 stopping"]).await;
    apply.interrupt();
    apply.end().await.ended(1).result(&["Stopped: nothing more starts"]);
    host.wait_for("payments", 1).await;
    assert_eq!(host.processes("payments")[0].1, "1.1");
    host.apply().await;
}

#[tokio::test]
async fn logs_are_shown_from_their_last_lines_on_and_followed() {
    let mut host = Host::open(&["payments 1.0"]).await;
    host.pin("payments", "1.1", "").commit("Upgrade payments");
    host.apply().await;
    let logs = host.pintle(&["logs", "payments"]).await.ended(0);
    let lines = ["payments 1.0 listens", "payments 1.0 was asked to end", "payments 1.1 listens"];
    assert!(lines.map(|line| logs.result(&[line])).is_sorted());
    let last = host.pintle(&["logs", "payments", "--lines", "1"]).await.ended(0);
    assert_eq!(last.out.lines().count(), 1, "{}", last.out);
    assert_eq!(host.pintle(&["logs", "payments", "--lines", "0"]).await.ended(0).out, "");
    let mut follow = host.start(&["logs", "payments", "-f", "--lines", "1"]);
    follow.prints(&["payments 1.1 listens"]).await;
    host.pintle(&["down"]).await.ended(0);
    follow.prints(&["payments 1.1 was asked to end"]).await;
    follow.terminate();
    let followed = follow.end().await;
    let lines: Vec<&str> = followed.out.lines().take(2).collect();
    assert!(lines[0].starts_with("payments 1.1 listens"), "{}", followed.out);
    assert_eq!(lines[1], "payments 1.1 was asked to end");
    host.pintle(&["logs", "paymets"]).await.ended(1).line(&["there is no service", "paymets"]);
}

#[tokio::test]
async fn health_is_asked_by_tcp_by_a_command_or_not_at_all() {
    let mut host = Host::new(&["tcp 1.0", "command 1.0", "nothing 1.0"]);
    let tcp = std::fs::read_to_string(host.repo.path().join("services/tcp.yaml")).unwrap();
    host.repo.write("services/tcp.yaml", tcp.replace("{http: /healthz}", "{tcp: true}"));
    host.pin("command", "1.0", "verify: {timeout: 2s}\n").well_by_hand("command");
    host.repo.write("services/nothing.yaml", "version: \"1.0\"\nlocal: {run: [sleep, \"600\"]}\n");
    host.commit("Ask in other ways");
    let unwell = host.apply_ends(3).await;
    unwell.line(&["tcp 1.0 verified"]);
    unwell.line(&["nothing 1.0 verified"]);
    unwell.result(&["Failed: command 1.0:", "the health command: exit code 1"]);
    host.repo.write("well", "");
    // Well now, however long it takes to ask.
    host.pin("tcp", "1.0", "").pin("command", "1.0", "").well_by_hand("command").commit("Do not hurry");
    host.apply_ends(0).await;
    host.pintle(&["down"]).await.ended(0).result(&["3 services stopped"]);
}

#[tokio::test]
async fn a_talkative_service_fills_no_disk() {
    let host = Host::new(&["free 1.0"]);
    let talk = "i=0; while test $i -lt 16; do head -c 1048576 /dev/zero | tr '\\0' x; echo; sleep 0.2; i=$((i+1)); done; \
                echo last words; exec sleep 600";
    let run = serde_json::json!(["sh", "-c", talk]);
    host.repo.write("services/talker.yaml", format!("version: \"1.0\"\nlocal: {{run: {run}}}\n"));
    host.commit("Add one that talks");
    host.apply().await;
    let size = |name: &str| {
        std::fs::metadata(host.state().join("services/talker").join(name)).map_or(0, |metadata| metadata.len())
    };
    let deadline = Instant::now() + EMERGENCY;
    loop {
        let logs = host.pintle(&["logs", "talker", "--lines", "1"]).await.ended(0);
        if logs.out == "last words\n" && size("log") <= 4 << 20 {
            break;
        }
        assert!(Instant::now() < deadline, "{} and {}", size("log"), size("log.1"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(size("log.1") > 0 && size("log.1") <= 4 << 20, "{}", size("log.1"));
    host.pintle(&["down"]).await.ended(0);
}

#[tokio::test]
async fn what_is_paused_is_left_as_it_is_though_another_pintle_is_at_work_meanwhile() {
    let mut host = Host::open(&["payments 1.0", "free 1.0"]).await;
    host.pin("payments", "2.0", "").well_by_hand("payments").commit("Upgrade payments");
    let mut apply = host.start(&["apply", "--yes"]);
    apply.says(&["payments 2.0 starting"]).await;
    host.pintle(&["pause", "free", "--for", "1h", "--reason", "look"]).await.ended(0);
    host.pintle(&["status"]).await.result(&["paused by Ada until", "look. End it: pintle resume free"]);
    host.repo.write("well", "");
    apply.end().await.ended(0);
    let pid = host.pid("free");
    host.pin("payments", "2.1", "").pin("free", "2.0", "").commit("Upgrade both");
    host.apply().await.result(&["Held: free 2.0: paused by Ada"]);
    assert_eq!(host.pid("free"), pid);
    let resumed = host.pintle(&["resume", "--all"]).await.ended(0);
    resumed.result(&["payments was not paused"]);
    resumed.result(&["free is no longer paused"]);
    host.apply().await.result(&["In sync"]);
    assert_eq!(host.versions(&["free"]), "2.0");
}

#[tokio::test]
async fn a_plan_from_a_revision_counts_the_processes_that_a_plan_of_what_runs_counts() {
    let mut host = Host::open(&["payments 1.0", "free 1.0 share"]).await;
    for (version, above) in [("payments 1.1", "none above"), ("free 1.1 share", "at most 1 above")] {
        let (name, version) = version.split_once(' ').unwrap();
        host.pin(name, version, "").commit("Upgrade");
        host.pintle(&["plan"]).await.ended(0).result(&["replaces 1 pod", above]);
        host.pintle(&["plan", "--from", "HEAD~1"]).await.ended(0).result(&["replaces 1 pod", above]);
        host.apply().await;
    }
}
