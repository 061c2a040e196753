//! Health, verdict and words of workloads in every state they are found in.

use insta::assert_snapshot;

use super::*;
use crate::workload::RolloutStrategy;

/// Every status that is not the one of a settled workload, with what it is called.
#[test]
fn only_a_complete_report_about_this_generation_is_healthy() {
    let cases = [
        ("as it should be", deployment()),
        ("never looked at", deployment().status(|s| *s = ReportedStatus::default())),
        ("not seen yet", deployment().workload(|w| w.generation = 6)),
        ("of a later generation", deployment().workload(|w| w.generation = 4)),
        ("negative", deployment().status(|s| s.ready = Some(-1))),
        ("no conditions", deployment().status(|s| s.conditions.clear())),
        ("under way", deployment().under_way()),
        ("surplus", deployment().status(|s| s.replicas = Some(4))),
        ("not available", deployment().status(|s| s.available = Some(1))),
        ("not ready", deployment().status(|s| s.ready = Some(2))),
        ("not said", deployment().condition("Progressing", "ReplicaSetUpdated")),
        ("ending", deployment().status(|s| s.terminating = Some(2))),
        ("ending is not reported", deployment().status(|s| s.terminating = None)),
        ("being deleted", deployment().workload(|w| w.deleting = true)),
    ];
    assert_snapshot!(table(&cases), @"
    as it should be: Healthy, settled: 3 pods, available => pass
    never looked at: Progressing, not settled: its controller has not seen the last change yet => wait
    not seen yet: Progressing, not settled: its controller has not seen the last change yet => wait
    of a later generation: Unknown, not settled: its status is of generation 5, its specification of 4 => inconclusive
    negative: Unknown, not settled: its status reports -1 ready pods => inconclusive
    no conditions: Progressing, not settled: the Deployment does not say that it is available => wait
    under way: Progressing, not settled: 1 of 3 pods run the new template => wait
    surplus: Progressing, not settled: 1 pod of an older template still there => wait
    not available: Progressing, not settled: 1 of 3 pods available => wait
    not ready: Progressing, not settled: 2 of 3 pods ready => wait
    not said: Progressing, not settled: all pods are there, the Deployment has not said so yet => wait
    ending: Progressing, not settled: 2 pods are still ending => wait
    ending is not reported: Progressing, not settled: its pods have not been looked at yet => wait
    being deleted: Progressing, not settled: is being deleted => wait
    ");
}

#[test]
fn a_stateful_set_is_healthy_when_both_revisions_are_one() {
    let cases = [
        ("as it should be", stateful_set()),
        ("under way", stateful_set().status(|s| (s.updated, s.update_revision) = (Some(1), Some("db-3".to_owned())))),
        ("not available", stateful_set().status(|s| (s.ready, s.available) = (Some(2), Some(2)))),
        ("scaled down", stateful_set().status(|s| s.replicas = Some(4))),
        ("not said", stateful_set().status(|s| s.update_revision = Some("db-3".to_owned()))),
        (
            "empty report",
            stateful_set()
                .status(|s| *s = ReportedStatus { observed_generation: Some(5), ..ReportedStatus::default() }),
        ),
    ];
    assert_snapshot!(table(&cases), @"
    as it should be: Healthy, settled: 3 pods, available => pass
    under way: Progressing, not settled: 1 of 3 pods run the new revision => wait
    not available: Progressing, not settled: 2 of 3 pods available => wait
    scaled down: Progressing, not settled: 4 pods there, 3 wanted => wait
    not said: Progressing, not settled: all pods are there, the StatefulSet has not said so yet => wait
    empty report: Progressing, not settled: 0 of 3 pods run the new revision => wait
    ");
}

#[test]
fn a_daemon_set_is_healthy_when_each_wanted_node_has_the_new_pod() {
    let cases = [
        ("as it should be", daemon_set()),
        ("not counted", daemon_set().status(|s| s.desired = None)),
        ("under way", daemon_set().status(|s| s.updated = Some(1))),
        ("not ready", daemon_set().status(|s| s.ready = None)),
        ("no node", daemon_set().status(|s| (s.desired, s.updated, s.ready) = (Some(0), None, None))),
    ];
    assert_snapshot!(table(&cases), @"
    as it should be: Healthy, settled: 3 pods, available => pass
    not counted: Progressing, not settled: the DaemonSet has not counted its nodes yet => wait
    under way: Progressing, not settled: 1 of 3 pods run the new template => wait
    not ready: Progressing, not settled: 0 of 3 pods ready => wait
    no node: Suspended, settled: scaled to 0: nothing runs => pass
    ");
}

#[test]
fn a_missing_workload_waits_for_somebody_to_create_it() {
    let health = super::super::workload_health(&deployment().id, None, None, &ChangeTiming::without_change(at(0)));
    assert_snapshot!(show(&health), @"
    Missing, not settled: deployment/checkout in namespace shop does not exist; Pintle creates none
    => wait
    ");
}

#[test]
fn a_new_pod_in_a_crash_loop_fails_the_change_with_restarts_and_last_words() {
    let broken = pod("checkout-b-1", "acme/checkout:2", "b").troubled(trouble(
        "CrashLoopBackOff",
        "exit code 1: no database",
        4,
    ));
    let case = deployment().under_way().pods([pod("checkout-a-1", "acme/checkout:1", "a"), broken]);
    assert_snapshot!(case.show(), @"
    Degraded, not settled: pod checkout-b-1, container app: CrashLoopBackOff after 4 restarts: exit code 1: no database
    => fail
    ");
}

#[test]
fn an_image_that_does_not_exist_fails_the_change_at_its_first_pull() {
    let message = "failed to pull and unpack image \"acme/checkout:2\": not found";
    let broken = pod("checkout-b-1", "acme/checkout:2", "b").troubled(trouble("ErrImagePull", message, 0));
    assert_snapshot!(deployment().under_way().pods([broken]).show(), @r#"
    Degraded, not settled: pod checkout-b-1, container app: ErrImagePull: failed to pull and unpack image "acme/checkout:2": not found
    => fail
    "#);
}

#[test]
fn a_registry_that_hiccups_is_waited_for() {
    let broken = pod("checkout-b-1", "acme/checkout:2", "b").troubled(trouble("ErrImagePull", "i/o timeout", 0));
    assert_snapshot!(deployment().under_way().pods([broken]).show(), @"
    Progressing, not settled: 1 of 3 pods run the new template: pod checkout-b-1, container app: ErrImagePull: i/o timeout
    => wait
    ");
}

#[test]
fn a_broken_pod_of_the_old_template_fails_nothing() {
    let broken = pod("checkout-a-1", "acme/checkout:1", "a").troubled(trouble("CrashLoopBackOff", "", 9));
    assert_snapshot!(deployment().under_way().pods([broken]).show(), @"
    Progressing, not settled: 1 of 3 pods run the new template
    => wait
    ");
}

#[test]
fn of_templates_with_equal_images_the_one_of_the_newest_pod_is_new() {
    let mut broken = pod("checkout-a-1", "acme/checkout:2", "a").troubled(trouble("CrashLoopBackOff", "", 9));
    let fixed = pod("checkout-b-1", "acme/checkout:2", "b");
    broken.created = Some(at(-900));
    assert_snapshot!(deployment().under_way().pods([broken, fixed]).show(), @"
    Progressing, not settled: 1 of 3 pods run the new template
    => wait
    ");
}

#[test]
fn a_mirrors_name_for_the_image_is_the_image() {
    let broken = pod("checkout-b-1", "mirror.local/checkout:2", "b").troubled(trouble("ImagePullBackOff", "", 0));
    assert_snapshot!(deployment().under_way().pods([broken]).show(), @"
    Degraded, not settled: pod checkout-b-1, container app: ImagePullBackOff
    => fail
    ");
}

#[test]
fn a_pod_that_ends_fails_nothing() {
    let broken = pod("checkout-b-1", "acme/checkout:2", "b").troubled(trouble("CrashLoopBackOff", "", 4)).ending();
    assert_snapshot!(deployment().under_way().pods([broken]).show(), @"
    Progressing, not settled: 1 of 3 pods run the new template
    => wait
    ");
}

#[test]
fn pods_say_nothing_about_a_write_their_controller_has_not_seen() {
    let broken = pod("db-2", "acme/db:2", "db-2").troubled(trouble("ImagePullBackOff", "", 0));
    let case = stateful_set().workload(|w| w.generation = 6).pods([broken]);
    assert_snapshot!(case.show(), @"
    Progressing, not settled: its controller has not seen the last change yet
    => wait
    ");
}

#[test]
fn a_deadline_is_believed_only_after_the_write() {
    let late = || deployment().under_way().condition("Progressing", "ProgressDeadlineExceeded").pods([]);
    let cases = [
        ("before the write", late().written(-20)),
        ("in the second of the write", late().written(-30)),
        ("after the write", late().written(-630)),
        ("without a write", late()),
    ];
    assert_snapshot!(table(&cases), @"
    before the write: Progressing, not settled: 1 of 3 pods run the new template => wait
    in the second of the write: Progressing, not settled: 1 of 3 pods run the new template => wait
    after the write: Degraded, not settled: Kubernetes gave up waiting: 1 of 3 pods run the new template => fail
    without a write: Degraded, not settled: Kubernetes gave up waiting: 1 of 3 pods run the new template => fail
    ");
}

#[test]
fn what_the_cluster_lacks_is_not_the_versions_failure() {
    let unschedulable = || PodIssue {
        container: None,
        reason: "Unschedulable".to_owned(),
        message: "0/3 nodes are available: 3 Insufficient memory.".to_owned(),
        restarts: 0,
    };
    let pending = || pod("checkout-b-1", "acme/checkout:2", "b").troubled(unschedulable()).phase("Pending");
    let case = || deployment().under_way().pods([pending()]).written(-630);
    let quota = || deployment().under_way().condition("ReplicaFailure", "FailedCreate").pods([]).written(-630);
    let cases = [
        ("no node", case()),
        ("no node, overdue", case().timeout(600)),
        ("no node, given up", case().condition("Progressing", "ProgressDeadlineExceeded")),
        ("no quota", quota()),
        ("no quota, overdue", quota().timeout(600)),
        ("no controller, overdue", deployment().workload(|w| w.generation = 6).written(-630).timeout(600)),
    ];
    assert_snapshot!(table(&cases), @"
    no node: Progressing, not settled: 1 of 3 pods run the new template: pod checkout-b-1: Unschedulable: 0/3 nodes are available: 3 Insufficient memory. => wait
    no node, overdue: Degraded, not settled: 10m 30s after the write: 1 of 3 pods run the new template: pod checkout-b-1: Unschedulable: 0/3 nodes are available: 3 Insufficient memory. => inconclusive
    no node, given up: Degraded, not settled: Kubernetes gave up waiting: 1 of 3 pods run the new template: pod checkout-b-1: Unschedulable: 0/3 nodes are available: 3 Insufficient memory. => inconclusive
    no quota: Progressing, not settled: 1 of 3 pods run the new template: FailedCreate => wait
    no quota, overdue: Degraded, not settled: 10m 30s after the write: 1 of 3 pods run the new template: FailedCreate => inconclusive
    no controller, overdue: Progressing, not settled: 10m 30s after the write: its controller has not seen the last change yet => inconclusive
    ");
}

#[test]
fn a_change_fails_when_its_time_is_up() {
    let case = || deployment().under_way().pods([pod("checkout-b-1", "acme/checkout:2", "b")]).timeout(600);
    assert_snapshot!(case().written(-599).show(), @"
    Progressing, not settled: 1 of 3 pods run the new template
    => wait
    ");
    assert_snapshot!(case().written(-725).show(), @"
    Degraded, not settled: 12m 5s after the write: 1 of 3 pods run the new template
    => fail
    ");
}

#[test]
fn pods_that_are_not_ready_for_too_long_have_failed_though_they_never_crash() {
    let silent = |seconds: i64| pod("checkout-a-1", "acme/checkout:2", "a").unready(seconds);
    let other = pod("checkout-a-2", "acme/checkout:2", "a");
    let case = |pods: Vec<Pod>| deployment().status(|s| (s.ready, s.available) = (None, None)).pods(pods);
    let cases = [
        ("for a while", case(vec![silent(-599)])),
        ("for long", case(vec![silent(-601)])),
        ("for its own time", case(vec![silent(-61)]).timeout(60)),
        ("one of two", case(vec![silent(-601), other])),
        ("of the old template", case(vec![pod("checkout-a-1", "acme/checkout:1", "b").unready(-601)])),
    ];
    assert_snapshot!(table(&cases), @"
    for a while: Progressing, not settled: 0 of 3 pods available => wait
    for long: Degraded, not settled: no pod has been ready for 10m: 0 of 3 pods available => fail
    for its own time: Degraded, not settled: no pod has been ready for 1m: 0 of 3 pods available => fail
    one of two: Progressing, not settled: 0 of 3 pods available => wait
    of the old template: Progressing, not settled: 0 of 3 pods available => wait
    ");
}

#[test]
fn scaled_to_zero_passes_and_proves_nothing() {
    let none = |s: &mut ReportedStatus| (s.replicas, s.updated, s.ready, s.available) = (None, None, None, None);
    assert_snapshot!(deployment().workload(|w| w.replicas = Some(0)).status(none).show(), @"
    Suspended, settled: scaled to 0: nothing runs
    => pass
    ");
}

#[test]
fn a_paused_deployment_waits_with_the_command_that_resumes_it() {
    let paused = || deployment().workload(|w| w.paused = true).condition("Progressing", "DeploymentPaused");
    assert_snapshot!(paused().show(), @"
    Suspended, settled: paused; 3 pods of this template, available
    => pass
    ");
    assert_snapshot!(paused().status(|s| s.updated = None).show(), @"
    Suspended, not settled: it is paused: 0 of 3 pods run the new template
    => wait; resume: deployment/checkout in namespace shop
    ");
}

#[test]
fn on_delete_waits_for_an_operator_who_deletes_the_highest_ordinal() {
    let case = stateful_set()
        .workload(|w| w.strategy = RolloutStrategy::OnDelete)
        .status(|s| (s.updated, s.update_revision) = (Some(1), Some("db-3".to_owned())))
        .pods([pod("db-1", "acme/db:1", "db-2"), pod("db-10", "acme/db:1", "db-2"), pod("db-11", "acme/db:2", "db-3")]);
    assert_snapshot!(case.show(), @"
    Suspended, not settled: its strategy is OnDelete: 2 pods still to be deleted by an operator
    => wait; delete: pod db-10 in shop
    ");
    let done = case.status(|s| s.updated = Some(3));
    assert_snapshot!(done.show(), @"
    Healthy, settled: 3 pods, available
    => pass
    ");
}

#[test]
fn on_delete_of_a_daemon_set_waits_too() {
    let case = daemon_set()
        .workload(|w| w.strategy = RolloutStrategy::OnDelete)
        .status(|s| s.updated = Some(2))
        .pods([pod("agent-x", "acme/agent:1", "a"), pod("agent-y", "acme/agent:2", "b")]);
    assert_snapshot!(case.show(), @"
    Suspended, not settled: its strategy is OnDelete: 1 pod still to be deleted by an operator
    => wait; delete: pod agent-x in shop
    ");
}

#[test]
fn a_partition_waits_for_an_operator_once_its_part_is_done() {
    let case = || {
        stateful_set()
            .workload(|w| w.strategy = RolloutStrategy::Partition(2))
            .status(|s| (s.updated, s.update_revision) = (Some(1), Some("db-3".to_owned())))
    };
    assert_snapshot!(case().show(), @r#"
    Suspended, not settled: waits for an operator: its partition keeps 2 pods on the old revision
    => wait; clear the partition: statefulset/db in namespace shop
    "#);
    assert_snapshot!(case().status(|s| s.updated = Some(0)).show(), @"
    Progressing, not settled: 0 of 3 pods run the new revision
    => wait
    ");
    assert_snapshot!(case().status(|s| s.ready = Some(2)).show(), @"
    Progressing, not settled: 1 of 3 pods run the new revision
    => wait
    ");
}

#[test]
fn a_stateful_sets_broken_pod_waits_to_be_deleted() {
    let broken = pod("db-2", "acme/db:3", "db-3").troubled(trouble("ImagePullBackOff", "not found", 0));
    let case = stateful_set()
        .status(|s| (s.updated, s.ready, s.available, s.current) = (Some(2), Some(2), Some(2), Some(2)))
        .pods([pod("db-0", "acme/db:2", "db-2"), pod("db-1", "acme/db:2", "db-2"), broken]);
    assert_snapshot!(case.show(), @"
    Degraded, not settled: a StatefulSet replaces a broken pod only when it is deleted: pod db-2, container app: ImagePullBackOff: not found
    => wait; delete: pod db-2 in shop
    ");
}

#[test]
fn a_stateful_sets_old_pod_that_never_becomes_ready_waits_to_be_deleted_after_a_minute() {
    let mut silent = pod("db-2", "acme/db:3", "db-3");
    silent.ready = false;
    let mut young = silent.clone();
    young.created = Some(at(-10));
    let case = || stateful_set().status(|s| (s.updated, s.ready, s.available) = (Some(2), Some(2), Some(2)));
    assert_snapshot!(case().pods([silent]).show(), @"
    Degraded, not settled: a StatefulSet replaces a broken pod only when it is deleted: pod db-2 is not ready
    => wait; delete: pod db-2 in shop
    ");
    assert_snapshot!(case().pods([young]).show(), @"
    Progressing, not settled: 2 of 3 pods available
    => wait
    ");
}

#[test]
fn a_stateful_sets_broken_new_pod_fails_the_change() {
    let broken = pod("db-2", "acme/db:2", "db-2").troubled(trouble("ImagePullBackOff", "not found", 0));
    let case = stateful_set().status(|s| (s.ready, s.available) = (Some(2), Some(2))).pods([broken]);
    assert_snapshot!(case.show(), @"
    Degraded, not settled: pod db-2, container app: ImagePullBackOff: not found
    => fail
    ");
}
