//! The templates that pods of an unsettled workload can run, before the pods are listed.

use std::collections::BTreeSet;

use serde_json::json;

use super::picture::{GRACE, list, names, picture, tell};
use super::{at, id, object, seen};
use crate::cluster::kube::feed::WatchUpdate;
use crate::cluster::kube::picture::{ObjectStore, StoreView};
use crate::cluster::kube::read::{Busy, WatchedWorkload};

/// Builds a version of the workload, settled or not.
fn version(number: i64, image: &str, is_settled: bool) -> WatchedWorkload {
    let mut object = object("s0");
    object["metadata"]["resourceVersion"] = json!((100 + number).to_string());
    object["metadata"]["generation"] = json!(number);
    object["status"]["observedGeneration"] = json!(if is_settled { number } else { 0 });
    object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    seen(&object)
}

/// Returns the images its first container can run; none if unknown.
fn can_run(picture: &ObjectStore) -> Option<String> {
    let StoreView::Complete(observation) = picture.view(at(0), GRACE) else { panic!("all is listed") };
    let containers = observation.templates.get(&id("s0"))?;
    let images = containers.iter().filter(|it| it.name == "app").map(|it| it.written_image.as_str());
    Some(images.collect::<Vec<_>>().join(" "))
}

fn settled_then_moved() -> ObjectStore {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", true)]);
    tell(&mut picture, [WatchUpdate::Changed(version(2, "app:2", false))]);
    picture
}

#[test]
fn pods_can_be_of_every_template_since_the_workload_was_settled() {
    let mut picture = settled_then_moved();
    assert_eq!(can_run(&picture).as_deref(), Some("app:1 app:2"));
    tell(
        &mut picture,
        [WatchUpdate::Changed(version(3, "app:3", false)), WatchUpdate::Changed(version(4, "app:2", false))],
    );
    assert_eq!(can_run(&picture).as_deref(), Some("app:1 app:2 app:3"));
    tell(&mut picture, [WatchUpdate::Changed(version(5, "app:2", true))]);
    assert_eq!(can_run(&picture).as_deref(), Some("app:1 app:2 app:3"), "pods of what it has left may come");
    picture.take_left(&id("s0"), 5, &Busy::of("uid-s0", Some(Vec::new()), Vec::new()), at(0));
    tell(&mut picture, [WatchUpdate::Changed(version(6, "app:4", false))]);
    assert_eq!(can_run(&picture).as_deref(), Some("app:2 app:4"));
}

#[test]
fn an_answered_write_counts_like_a_change_that_the_watch_tells() {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", true)]);
    let before = picture.workload(&id("s0")).unwrap().clone();
    picture.record_write(&id("s0"), &before, version(2, "app:2", false), at(0));
    tell(&mut picture, [WatchUpdate::Changed(version(2, "app:2", false))]);
    assert_eq!(can_run(&picture).as_deref(), Some("app:1 app:2"));
}

#[test]
fn what_was_never_seen_settled_may_have_pods_of_anything() {
    let mut picture = picture(&names(1));
    list(&mut picture, [version(1, "app:1", false)]);
    tell(&mut picture, [WatchUpdate::Changed(version(2, "app:2", false))]);
    assert_eq!(can_run(&picture), None);
}

#[test]
fn a_list_does_not_say_what_was_in_between() {
    let mut picture = settled_then_moved();
    list(&mut picture, [version(9, "app:9", false)]);
    assert_eq!(can_run(&picture), None);
}

#[test]
fn a_workload_made_anew_is_another_one() {
    let mut picture = settled_then_moved();
    tell(&mut picture, [WatchUpdate::Deleted(version(2, "app:2", false))]);
    tell(&mut picture, [WatchUpdate::Changed(version(3, "app:3", false))]);
    assert_eq!(can_run(&picture), None);
}

#[test]
fn nothing_that_nobody_listened_to_is_known_when_it_is_asked_for_again() {
    let mut picture = settled_then_moved();
    picture.set_wanted(&BTreeSet::new());
    tell(&mut picture, [WatchUpdate::Changed(version(3, "app:3", false))]);
    picture.set_wanted(&[id("s0")].into());
    assert_eq!(can_run(&picture), None);
}

#[test]
fn pods_that_are_listed_know_better() {
    let mut picture = settled_then_moved();
    for subject in picture.pod_subjects() {
        picture.add_watch(&subject, 2);
        for news in [WatchUpdate::ListStarted, WatchUpdate::ListCompleted(None)] {
            picture.apply_pod_update(&subject, 2, news, at(0));
        }
    }
    let StoreView::Complete(observation) = picture.view(at(0), GRACE) else { panic!("all is listed") };
    assert_eq!((can_run(&picture), observation.pods[&id("s0")].len()), (None, 0));
}
