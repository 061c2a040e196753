//! Templates that a specification has left and whose pods may still come.

use std::collections::BTreeSet;
use std::sync::Arc;

use pintle_core::running::Running;
use pintle_core::verify::live_images;
use pintle_core::workload::{Left, StateAnnotation, Workload};
use serde_json::{Value, json};

use super::picture::{GRACE, list, names, picture, tell};
use super::{at, id, object, seen};
use crate::cluster::Observation;
use crate::cluster::kube::feed::WatchUpdate;
use crate::cluster::kube::picture::{ObjectStore, StoreView, WatchSubject};
use crate::cluster::kube::read::{self, Busy, WatchedWorkload};

/// Builds the Deployment after `number` changes. All its pods are counted and healthy, because it runs its earlier template
/// again.
fn version(number: i64, image: &str, is_seen: bool) -> WatchedWorkload {
    let mut object = object("s0");
    object["metadata"]["resourceVersion"] = json!((100 + 2 * number + i64::from(is_seen)).to_string());
    object["metadata"]["generation"] = json!(number);
    object["status"]["observedGeneration"] = json!(if is_seen { number } else { number - 1 });
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    seen(&object)
}

fn containers(image: &str) -> Value {
    json!([{"name": "app", "image": image}, {"name": "proxy", "image": "envoy:1"}])
}

fn template(image: &str) -> Value {
    json!({"containers": containers(image), "initContainers": [{"name": "migrate", "image": "acme/checkout:1"}]})
}

/// Builds a replica set of it that wants `pods` pods.
fn set(image: &str, pods: i32, is_seen: bool) -> Value {
    json!({
        "metadata": {
            "name": image, "uid": image, "generation": 2,
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "s0", "uid": "uid-s0", "controller": true}],
        },
        "spec": {"replicas": pods, "template": {"spec": template(image)}},
        "status": {"observedGeneration": if is_seen { 2 } else { 1 }},
    })
}

/// Builds a pod of that replica set.
fn pod(image: &str) -> Value {
    let owner =
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "s0-1", "uid": image, "controller": true});
    json!({
        "metadata": {"name": image, "labels": {"app": "s0"}, "ownerReferences": [owner]},
        "spec": template(image), "status": {"phase": "Pending"},
    })
}

fn busy(sets: Option<&[Value]>, pods: &[Value]) -> Busy {
    let sets = sets
        .map(|sets| sets.iter().map(|set| read::replica_set(serde_json::from_value(set.clone()).unwrap())).collect());
    Busy::of("uid-s0", sets, pods.iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect())
}

fn look(picture: &ObjectStore) -> Observation {
    let StoreView::Complete(observation) = picture.view(at(0), GRACE) else { panic!("all is listed") };
    observation
}

/// Returns the images that its first container may run when a list shows no pods. None if they are not known.
fn runs(picture: &ObjectStore) -> Option<String> {
    let observation = look(picture);
    let id = id("s0");
    let workload = observation.workloads.get(&id).map(Arc::as_ref);
    let runs = live_images(&id, workload, Some(&[]), None, &["app"])?;
    let image = |runs: &Running| match runs {
        Running::Image(image, _) => image.to_string().rsplit('/').next().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    Some(runs.iter().map(image).collect::<Vec<_>>().join(" "))
}

fn asks(picture: &ObjectStore) -> bool {
    picture.left_subjects().iter().any(|subject| matches!(subject, WatchSubject::Left { .. }))
}

/// Builds a Deployment that went from 1 to 2 and back at once, and reports that it is rolled out.
fn back_at_once() -> ObjectStore {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", true)]);
    assert_eq!(runs(&picture).as_deref(), Some("app:1"));
    tell(
        &mut picture,
        [WatchUpdate::Changed(version(2, "app:2", false)), WatchUpdate::Changed(version(3, "app:1", false))],
    );
    assert_eq!(runs(&picture).as_deref(), Some("app:1 app:2"), "its controller may be at it");
    assert!(!asks(&picture), "and nobody else knows more");
    tell(&mut picture, [WatchUpdate::Changed(version(3, "app:1", true))]);
    picture
}

#[test]
fn what_it_has_left_counts_until_its_replica_set_has_let_go_of_it() {
    let mut picture = back_at_once();
    assert_eq!(runs(&picture).as_deref(), Some("app:1 app:2"), "although it says that it is rolled out");
    assert!(asks(&picture));
    let one = set("app:1", 1, true);
    let mut answer = |sets: &[Value], pods: &[Value]| {
        picture.take_left(&id("s0"), 3, &busy(Some(sets), pods), at(0));
        runs(&picture).unwrap()
    };
    assert_eq!(answer(&[one.clone(), set("app:2", 1, true)], &[]), "app:1 app:2", "a pod is wanted");
    assert_eq!(answer(&[one.clone(), set("app:2", 0, false)], &[]), "app:1 app:2", "it may just be made");
    assert_eq!(answer(&[one.clone(), set("app:2", 0, true)], &[pod("app:2")]), "app:1 app:2", "it is there");
    assert_eq!(answer(&[one, set("app:2", 0, true)], &[pod("app:1")]), "app:1");
    assert!(!asks(&picture));
    assert!(picture.pod_subjects().is_empty(), "settled");
}

#[test]
fn an_answer_to_what_was_asked_before_a_change_says_nothing() {
    let mut picture = back_at_once();
    tell(&mut picture, [WatchUpdate::Changed(version(4, "app:3", true))]);
    picture.take_left(&id("s0"), 3, &busy(Some(&[set("app:1", 1, true)]), &[]), at(0));
    assert_eq!(runs(&picture).as_deref(), Some("app:1 app:2 app:3"));
}

#[test]
fn a_rollout_that_goes_on_leaves_what_was_settled_to_the_pods_that_are_seen() {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", true)]);
    tell(&mut picture, [WatchUpdate::Changed(version(2, "app:2", false))]);
    assert_eq!(runs(&picture).as_deref(), Some("app:2"));
    tell(&mut picture, [WatchUpdate::Changed(version(2, "app:2", true))]);
    assert!(!asks(&picture));
    assert!(picture.pod_subjects().is_empty(), "settled");
}

#[test]
fn what_a_write_was_over_counts_though_no_watch_has_told_it() {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", true)]);
    let before = Workload::clone(&version(2, "app:2", false).workload);
    picture.record_write(&id("s0"), &before, version(3, "app:1", false), at(0));
    tell(&mut picture, [WatchUpdate::Changed(version(3, "app:1", true))]);
    assert_eq!(runs(&picture).as_deref(), Some("app:1 app:2"));
}

#[test]
fn a_watch_that_tells_of_a_write_before_its_answer_comes_says_the_same() {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", true)]);
    let before = Workload::clone(picture.workload(&id("s0")).unwrap());
    tell(&mut picture, [WatchUpdate::Changed(version(2, "app:2", false))]);
    picture.record_write(&id("s0"), &before, version(2, "app:2", false), at(0));
    assert_eq!(runs(&picture).as_deref(), Some("app:2"));
    tell(&mut picture, [WatchUpdate::Changed(version(2, "app:2", true))]);
    assert!(!asks(&picture));
}

#[test]
fn what_is_seen_in_the_middle_is_asked_before_anything_is_known() {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(3, "app:1", false)]);
    assert_eq!(runs(&picture), None);
    assert!(asks(&picture));
    let sets = [set("app:1", 1, true), set("app:2", 1, false), set("app:3", 0, true)];
    picture.take_left(&id("s0"), 3, &busy(Some(&sets), &[]), at(0));
    assert_eq!(runs(&picture).as_deref(), Some("app:1 app:2"));
}

#[test]
fn a_list_that_skips_a_change_is_asked_about() {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", true)]);
    list(&mut picture, [version(3, "app:1", true)]);
    assert_eq!(runs(&picture), None);
    assert!(asks(&picture));
}

#[test]
fn what_was_written_and_not_seen_to_arrive_is_asked_about_at_the_start() {
    let mut object = object("s0");
    let state =
        json!({"schema": StateAnnotation::SCHEMA, "instance": "default", "commit": "0".repeat(40), "version": "1"});
    object["metadata"]["annotations"] = json!({StateAnnotation::ANNOTATION: state.to_string()});
    let mut picture = picture(&names(1));
    list(&mut picture, [seen(&object)]);
    assert_eq!(look(&picture).workloads[&id("s0")].status.left, Left::Unknown);
}

#[test]
fn where_replica_sets_may_not_be_listed_time_and_the_pods_tell() {
    let mut picture = back_at_once();
    let mut answer = |pods: &[Value], second: i64| {
        picture.take_left(&id("s0"), 3, &busy(None, pods), at(second));
        runs(&picture).unwrap()
    };
    assert_eq!(answer(&[pod("app:1")], 59), "app:1 app:2");
    assert_eq!(answer(&[pod("app:1"), pod("app:2")], 60), "app:1 app:2");
    assert_eq!(answer(&[pod("app:1")], 60), "app:1");
}

#[test]
fn what_is_no_longer_asked_for_is_forgotten() {
    let mut picture = back_at_once();
    picture.set_wanted(&BTreeSet::new());
    assert!(!asks(&picture));
}
