//! What counts as live, and which containers are a service's.

use insta::assert_snapshot;

use super::*;
use crate::running::Running;
use crate::verify::is_settled;
use crate::verify::{live_images, service_containers};

fn images(case: &Case, containers: &[&str]) -> String {
    let Some(live) = live_images(&case.id, Some(&case.workload), case.pods.as_deref(), None, containers) else {
        return "not known".to_owned();
    };
    let show = |runs| match runs {
        Running::Absent => "nothing".to_owned(),
        Running::Image(image, _) => image.to_string(),
        Running::Unreadable(text) => format!("unreadable {text:?}"),
    };
    live.into_iter().map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_settled_workload_runs_its_specification_whatever_pods_there_were() {
    let case = deployment().pods([pod("checkout-a-1", "acme/checkout:1", "a")]);
    assert_eq!(images(&case, &["app"]), "acme/checkout:2");
}

#[test]
fn what_an_unsettled_workload_runs_is_not_known_before_its_pods_are_looked_at() {
    assert_eq!(images(&deployment().under_way(), &["app"]), "not known");
}

#[test]
fn it_is_what_its_pods_can_be_of_where_that_is_known() {
    let Case { id, workload, .. } = deployment().under_way();
    let templates = [container("app", "acme/checkout:1"), container("proxy", "envoy:1")];
    let known =
        |pods: Option<&[Arc<Pod>]>| live_images(&id, Some(&workload), pods, Some(&templates), &["app"]).unwrap();
    let image = |text: &str| Running::Image(text.parse().unwrap(), None);
    assert_eq!(known(None), [image("acme/checkout:1"), image("acme/checkout:2")].into());
    assert_eq!(known(Some(&[])), [image("acme/checkout:2")].into(), "pods that were looked at know better");
}

#[test]
fn an_unsettled_workload_runs_its_specification_and_every_pod_that_has_not_ended() {
    let case = deployment().under_way().pods([
        pod("checkout-a-1", "acme/checkout:1", "a"),
        pod("checkout-z-1", "acme/checkout:0", "z").ending(),
        pod("checkout-y-1", "acme/checkout:evicted", "y").phase("Failed"),
    ]);
    assert_eq!(images(&case, &["app"]), "acme/checkout:0 acme/checkout:1 acme/checkout:2");
}

#[test]
fn where_ending_pods_are_not_reported_they_are_looked_for() {
    let old = || deployment().status(|status| status.terminating = None);
    let pods = |case: Case| (is_settled(&case.id, &case.workload, case.pods.as_deref()), images(&case, &["app"]));
    assert_eq!(pods(old()), (false, "not known".to_owned()));
    let ending = pod("checkout-a-1", "acme/checkout:1", "a").ending();
    assert_eq!(pods(old().pods([ending])), (false, "acme/checkout:1 acme/checkout:2".to_owned()));
    assert_eq!(pods(old().pods([])), (true, "acme/checkout:2".to_owned()));
}

#[test]
fn a_missing_workload_runs_nothing_and_one_on_its_way_out_may() {
    assert_eq!(live_images(&deployment().id, None, None, None, &["app"]), Some([Running::Absent].into()));
    let leaving = deployment().workload(|w| w.deleting = true).pods([pod("checkout-a-1", "acme/checkout:1", "a")]);
    assert_eq!(images(&leaving, &["app"]), "nothing acme/checkout:1 acme/checkout:2");
}

#[test]
fn other_containers_are_not_the_services() {
    let case = deployment().workload(|w| w.containers.push(container("proxy", "envoy:1")));
    assert_eq!(images(&case, &["app"]), "acme/checkout:2");
    assert_eq!(images(&case, &["app", "proxy"]), "acme/checkout:2 envoy:1");
}

#[test]
fn an_image_that_cannot_be_read_is_told_as_written() {
    let case = deployment().workload(|w| w.containers = vec![container("app", "$(IMAGE)")]);
    assert_eq!(images(&case, &["app"]), "unreadable \"$(IMAGE)\"");
}

#[test]
fn a_service_has_the_containers_it_names_or_those_of_its_repository() {
    let mut setup = container("migrate", "acme/checkout:1");
    setup.init = true;
    let case = deployment().workload(|w| w.containers.extend([setup, container("proxy", "envoy:1")]));
    let image = "acme/checkout:9".parse().unwrap();
    let names = |named: Option<&[String]>, image| match service_containers(&case.id, &case.workload, named, image) {
        Ok(found) => found.iter().map(|container| container.name.clone()).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    };
    assert_eq!(names(None, &image), "app migrate");
    assert_eq!(names(Some(&["proxy".to_owned()]), &image), "proxy");
    assert_snapshot!(names(Some(&["web".to_owned()]), &image), @"deployment/checkout in namespace shop has no container web; it has app (acme/checkout:2), migrate (acme/checkout:1), proxy (envoy:1)");
    assert_snapshot!(names(None, &"acme/other:9".parse().unwrap()), @"deployment/checkout in namespace shop has no container that runs acme/other; it has app (acme/checkout:2), migrate (acme/checkout:1), proxy (envoy:1)");
}
