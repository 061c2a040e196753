//! The needed watches, and the observation through them.

use std::collections::BTreeSet;
use std::time::Duration;

use insta::assert_snapshot;
use pintle_core::pins::WorkloadKind;
use pintle_core::workload::Workload;
use serde_json::{Value, json};

use super::{at, id, object, seen};
use crate::cluster::ClusterError;
use crate::cluster::kube::feed::WatchUpdate;
use crate::cluster::kube::picture::{ObjectStore, StoreView, WatchSubject};
use crate::cluster::kube::read::{self, WatchedPod, WatchedWorkload};

pub(super) const GRACE: Duration = Duration::from_secs(15);

fn unsettled(name: &str) -> WatchedWorkload {
    let mut object = object(name);
    object["metadata"]["generation"] = json!(2);
    seen(&object)
}

fn pod(name: &str, app: &str, owner: &Value) -> WatchedPod {
    let metadata =
        json!({"name": name, "uid": name, "resourceVersion": "1", "labels": {"app": app}, "ownerReferences": [owner]});
    read::pod(serde_json::from_value(json!({"metadata": metadata, "spec": {}})).unwrap())
}

/// A state that requests `names`, with their watch begun as number 1.
pub(super) fn picture(names: &[String]) -> ObjectStore {
    let mut picture = ObjectStore::default();
    picture.set_wanted(&names.iter().map(|name| id(name)).collect());
    picture.add_watch(&WatchSubject::Workloads("shop".to_owned(), WorkloadKind::Deployment), 1);
    picture
}

pub(super) fn tell(picture: &mut ObjectStore, news: impl IntoIterator<Item = WatchUpdate<WatchedWorkload>>) {
    for news in news {
        picture.apply_workload_update(("shop", WorkloadKind::Deployment), 1, news, at(0));
    }
}

pub(super) fn list(picture: &mut ObjectStore, listed: impl IntoIterator<Item = WatchedWorkload>) {
    tell(picture, [WatchUpdate::ListStarted]);
    tell(picture, listed.into_iter().map(WatchUpdate::ListItem));
    tell(picture, [WatchUpdate::ListCompleted(None)]);
}

pub(super) fn names(number: usize) -> Vec<String> {
    (0..number).map(|number| format!("s{number}")).collect()
}

/// Lists the pod watches, marking those already begun.
fn pod_watches(picture: &ObjectStore, begun: &BTreeSet<WatchSubject>) -> String {
    let show = |subject: &WatchSubject| {
        let name = match subject {
            WatchSubject::Pods { workload: Some((workload, labels)), .. } => format!("{} {labels}", workload.name),
            WatchSubject::Pods { workload: None, .. } => "all".to_owned(),
            WatchSubject::Workloads(..) | WatchSubject::Left { .. } => panic!("no pods"),
        };
        if begun.contains(subject) { name } else { format!("+{name}") }
    };
    picture.pod_subjects().iter().map(show).collect::<Vec<_>>().join(", ")
}

fn begin(picture: &mut ObjectStore) -> BTreeSet<WatchSubject> {
    let subjects = picture.pod_subjects();
    for subject in &subjects {
        picture.add_watch(subject, 2);
    }
    subjects
}

#[test]
fn pods_are_watched_while_something_is_unsettled_each_for_itself() {
    let mut picture = picture(&names(2));
    list(&mut picture, [seen(&object("s0")), seen(&object("s1")), unsettled("foreign")]);
    tell(&mut picture, [WatchUpdate::Changed(unsettled("s1"))]);
    assert_snapshot!(pod_watches(&picture, &BTreeSet::new()), @"+s1 app=s1");
    let mut settled = object("s1");
    settled["metadata"]["resourceVersion"] = json!("101");
    tell(&mut picture, [WatchUpdate::Changed(seen(&settled))]);
    assert_eq!(pod_watches(&picture, &BTreeSet::new()), "");
}

#[test]
fn more_than_eight_share_a_watch_and_nothing_known_becomes_unknown() {
    let mut picture = picture(&names(9));
    list(&mut picture, names(8).iter().map(|name| unsettled(name)));
    let begun = begin(&mut picture);
    assert_eq!(begun.len(), 8);
    tell(&mut picture, [WatchUpdate::Changed(unsettled("s8"))]);
    assert_snapshot!(pod_watches(&picture, &begun), @"+all, s0 app=s0, s1 app=s1, s2 app=s2, s3 app=s3, s4 app=s4, s5 app=s5, s6 app=s6, s7 app=s7");
    let all = WatchSubject::Pods { namespace: "shop".to_owned(), workload: None };
    picture.add_watch(&all, 3);
    for news in [WatchUpdate::ListStarted, WatchUpdate::ListCompleted(None)] {
        picture.apply_pod_update(&all, 3, news, at(0));
    }
    let begun = [all].into();
    assert_snapshot!(pod_watches(&picture, &begun), @"all");
    // With fewer again, the shared watch stays until all are settled, because a new list for each would cost more.
    tell(&mut picture, names(8).iter().map(|name| WatchUpdate::Deleted(unsettled(name))));
    assert_snapshot!(pod_watches(&picture, &begun), @"all");
    tell(&mut picture, [WatchUpdate::Deleted(unsettled("s8"))]);
    assert_eq!(pod_watches(&picture, &begun), "");
}

#[test]
fn what_only_its_annotation_was_written_of_stays_settled() {
    let mut picture = picture(&names(1));
    list(&mut picture, [seen(&object("s0"))]);
    let before = Workload::clone(picture.workload(&id("s0")).unwrap());
    let mut annotated = object("s0");
    (annotated["metadata"]["generation"], annotated["metadata"]["resourceVersion"]) = (json!(2), json!("101"));
    tell(&mut picture, [WatchUpdate::Changed(seen(&annotated))]);
    picture.record_write(&id("s0"), &before, seen(&annotated), at(0));
    assert_eq!(pod_watches(&picture, &BTreeSet::new()), "", "no image changed, so it still is settled");
    // A later event of the same generation does not undo this.
    annotated["metadata"]["resourceVersion"] = json!("102");
    tell(&mut picture, [WatchUpdate::Changed(seen(&annotated))]);
    assert_eq!(pod_watches(&picture, &BTreeSet::new()), "");
}

#[test]
fn the_last_words_of_an_ended_watch_are_not_heard() {
    let mut picture = picture(&names(1));
    picture.add_watch(&WatchSubject::Workloads("shop".to_owned(), WorkloadKind::Deployment), 2);
    tell(&mut picture, [WatchUpdate::ListCompleted(None)]);
    assert!(matches!(picture.view(at(0), GRACE), StoreView::Incomplete));
}

#[test]
fn silence_is_borne_for_a_while_and_then_told_with_its_beginning() {
    let mut picture = picture(&names(1));
    list(&mut picture, [seen(&object("s0"))]);
    let silent = || WatchUpdate::Failed(ClusterError::Unreachable("no answer within 10s".to_owned()));
    picture.apply_workload_update(("shop", WorkloadKind::Deployment), 1, silent(), at(10));
    picture.apply_workload_update(("shop", WorkloadKind::Deployment), 1, silent(), at(20));
    let StoreView::Complete(observation) = picture.view(at(24), GRACE) else { panic!("borne") };
    assert_eq!(observation.workloads.len(), 1);
    let StoreView::Unreachable(error) = picture.view(at(25), GRACE) else { panic!("told") };
    assert_snapshot!(error, @"the API server does not answer: no answer within 10s, since 2026-09-21T14:13:30Z");
    tell(&mut picture, [WatchUpdate::Alive]);
    assert!(matches!(picture.view(at(26), GRACE), StoreView::Complete(_)));
}

#[test]
fn pods_belong_to_the_workload_whose_replica_set_owns_them() {
    let owned = |kind: &str, name: &str| json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "x", "controller": true});
    let s0 = seen(&object("s0"));
    let belongs = |app: &str, owner: Value| pod("p", app, &owner).belongs_to(&s0);
    assert!(belongs("s0", owned("ReplicaSet", "s0-7d9c")));
    assert!(!belongs("s1", owned("ReplicaSet", "s0-7d9c")), "not selected");
    assert!(!belongs("s0", owned("ReplicaSet", "s0-canary-7d9c")), "of another Deployment with the same labels");
    assert!(!belongs("s0", owned("StatefulSet", "s0")), "of another uid");
    assert!(
        !belongs("s0", json!({"apiVersion": "v1", "kind": "X", "name": "x", "uid": "uid-s0"})),
        "not its controller"
    );
    let mut direct = owned("StatefulSet", "s0");
    direct["uid"] = json!("uid-s0");
    assert!(belongs("s0", direct));
}

#[test]
fn the_pods_of_one_workload_are_found_among_those_of_all_and_follow_what_the_watch_says() {
    let mut picture = picture(&names(9));
    list(&mut picture, names(9).iter().map(|name| unsettled(name)));
    let all = WatchSubject::Pods { namespace: "shop".to_owned(), workload: None };
    picture.add_watch(&all, 3);
    let of = |name: &str, set: &str| {
        let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{set}-7d9c"), "uid": "x", "controller": true});
        pod(name, set, &owner)
    };
    let mut take = |news: WatchUpdate<WatchedPod>| {
        picture.apply_pod_update(&all, 3, news, at(0));
    };
    take(WatchUpdate::ListStarted);
    for pod in [of("a", "s0"), of("b", "s0"), of("c", "s1")] {
        take(WatchUpdate::ListItem(pod));
    }
    take(WatchUpdate::ListCompleted(None));
    take(WatchUpdate::Changed(of("d", "s1")));
    take(WatchUpdate::Deleted(of("a", "s0")));
    // Orphaned and adopted: the name stays, the owner changes.
    let mut adopted = of("b", "s2");
    adopted.resource_version = "2".to_owned();
    take(WatchUpdate::Changed(adopted));
    let StoreView::Complete(observation) = picture.view(at(0), GRACE) else { panic!("all is listed") };
    let pods = ["s0", "s1", "s2"]
        .map(|name| observation.pods[&id(name)].iter().map(|pod| pod.name.as_str()).collect::<String>());
    assert_eq!(pods, ["", "cd", "b"].map(str::to_owned));
}

#[test]
fn what_nobody_asks_for_is_no_change() {
    let mut picture = picture(&names(1));
    list(&mut picture, [seen(&object("s0")), seen(&object("foreign"))]);
    let mut changes = |name: &str, bend: &dyn Fn(&mut Value)| {
        let mut changed = object(name);
        changed["metadata"]["resourceVersion"] = json!("101");
        changed["spec"]["replicas"] = json!(7);
        bend(&mut changed);
        let news = WatchUpdate::Changed(seen(&changed));
        picture.apply_workload_update(("shop", WorkloadKind::Deployment), 1, news, at(0))
    };
    assert!(changes("s0", &|_| ()));
    assert!(!changes("foreign", &|_| ()));
    let state = json!({"schema": 1, "instance": "default", "commit": "0".repeat(40), "version": "1"}).to_string();
    let remember = |object: &mut Value| {
        object["metadata"]["resourceVersion"] = json!("102");
        object["metadata"]["annotations"] = json!({"pintle.dev/state": state});
    };
    assert!(changes("foreign", &remember), "it is shown while Pintle remembers something on it");
    assert!(changes("foreign", &|object| object["metadata"]["resourceVersion"] = json!("103")), "it no longer is");
}
