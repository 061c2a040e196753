//! Request bodies, and the meaning of answers.

use std::sync::Arc;

use insta::assert_snapshot;
use kube::core::Status;
use pintle_core::git::CommitId;
use pintle_core::version::Version;
use pintle_core::workload::{FieldManager, StateAnnotation, Workload};
use serde_json::json;

use super::{id, object, seen};
use crate::cluster::WorkloadWrite;
use crate::cluster::kube::{errors, write};

fn a_write(image: &str) -> WorkloadWrite {
    let state = StateAnnotation {
        schema: StateAnnotation::SCHEMA,
        instance: "prod-eu".to_owned(),
        commit: CommitId::from([0xab; 20]),
        version: Version::new("2.0.3").unwrap(),
        proven: Vec::new(),
        image_rewrite: None,
    };
    let images = vec![("app".to_owned(), false, image.parse().unwrap())];
    WorkloadWrite { id: id("s0"), expected: Arc::clone(&seen(&object("s0")).workload), images, state }
}

fn workload(managers: &[(&str, bool, &str)]) -> Workload {
    let mut workload = Workload::clone(&seen(&object("s0")).workload);
    let manager = |(name, applied, container): &(&str, bool, &str)| FieldManager {
        name: (*name).to_owned(),
        time: None,
        applied: *applied,
        containers: vec![(*container).to_owned()],
    };
    workload.image_managers = managers.iter().map(manager).collect();
    workload
}

#[test]
fn a_write_is_images_the_state_and_the_fence() {
    let body = write::apply_body(&a_write("acme/checkout:2"), &workload(&[])).unwrap();
    assert_snapshot!(format!("{body:#}"), @r#"
    {
      "apiVersion": "apps/v1",
      "kind": "Deployment",
      "metadata": {
        "annotations": {
          "pintle.dev/state": "{\"commit\":\"abababababababababababababababababababab\",\"instance\":\"prod-eu\",\"proven\":[],\"schema\":1,\"version\":\"2.0.3\"}"
        },
        "name": "s0",
        "namespace": "shop",
        "resourceVersion": "100",
        "uid": "uid-s0"
      },
      "spec": {
        "template": {
          "spec": {
            "containers": [
              {
                "image": "acme/checkout:2",
                "name": "app"
              }
            ]
          }
        }
      }
    }
    "#);
}

#[test]
fn what_was_applied_before_is_sent_along_and_what_means_the_same_as_it_is_written() {
    let workload = workload(&[("pintle", true, "migrate"), ("pintle", true, "app"), ("kubectl", false, "proxy")]);
    let body = write::apply_body(&a_write("docker.io/acme/checkout:1"), &workload).unwrap();
    assert_snapshot!(format!("{:#}", body["spec"]), @r#"
    {
      "template": {
        "spec": {
          "containers": [
            {
              "image": "acme/checkout:1",
              "name": "app"
            }
          ],
          "initContainers": [
            {
              "image": "acme/checkout:1",
              "name": "migrate"
            }
          ]
        }
      }
    }
    "#);
}

#[test]
fn what_cannot_be_right_is_not_sent() {
    let refused = |bend: &dyn Fn(&mut WorkloadWrite), managers: &[(&str, bool, &str)]| {
        let mut write = a_write("acme/checkout:2");
        bend(&mut write);
        write::apply_body(&write, &workload(managers)).unwrap_err().to_string()
    };
    let keep = |_: &mut WorkloadWrite| {};
    let table = [
        refused(&|write| Arc::make_mut(&mut write.expected).uid.push('x'), &[]),
        refused(
            &|write| {
                let seen = Arc::make_mut(&mut write.expected);
                (seen.resource_version, seen.generation) = ("99".to_owned(), 0);
            },
            &[],
        ),
        refused(&|write| write.images[0].1 = true, &[]),
        refused(&keep, &[("argocd-controller", true, "app")]),
        refused(&keep, &[("kustomize-controller", false, "app")]),
        refused(&keep, &[("acme", true, "app")]),
    ];
    assert_snapshot!(table.join("\n"), @"
    deployment/s0 in namespace shop does not exist
    deployment/s0 in namespace shop has changed meanwhile
    deployment/s0 in namespace shop: there is no container app; there are app, proxy, migrate
    the image of deployment/s0 in namespace shop belongs to argocd-controller: in the Argo CD Application, list the image under spec.ignoreDifferences and set the sync option RespectIgnoreDifferences=true
    the image of deployment/s0 in namespace shop belongs to kustomize-controller: in the Flux Kustomization, list the image under spec.ignore
    the image of deployment/s0 in namespace shop belongs to acme: take the image out of what acme applies
    ");
    assert!(write::apply_body(&a_write("acme/checkout:2"), &workload(&[("argocd-controller", true, "proxy")])).is_ok());
}

#[test]
fn a_write_goes_over_a_newer_report_of_the_controller_fenced_by_that() {
    let reported = |generation: i64| {
        let mut object = object("s0");
        object["metadata"]["resourceVersion"] = json!("101");
        object["metadata"]["generation"] = json!(generation);
        object["status"]["readyReplicas"] = json!(0);
        write::apply_body(&a_write("acme/checkout:2"), &seen(&object).workload)
    };
    assert_eq!(reported(1).unwrap()["metadata"]["resourceVersion"], "101");
    assert!(reported(2).is_err(), "more than the status has changed");
}

#[test]
fn answers_to_a_write_are_told_apart() {
    let cause = |field: &str, manager: &str| json!({"causes": [{"reason": "FieldManagerConflict", "field": field, "message": format!("conflict with {manager}")}]});
    let image = ".spec.template.spec.containers[name=\"app\"].image";
    let cases = [
        (409, "Operation cannot be fulfilled on deployments.apps \"s0\": the object has been modified", json!({})),
        (409, "Precondition failed: UID in precondition: 1, UID in object meta: 2", json!({})),
        (409, "uid mismatch: the provided object specified uid 1, and no existing object was found", json!({})),
        (409, "Apply failed with 1 conflict", cause(image, "\"argocd-controller\"")),
        (422, "metadata.uid: Invalid value", json!({"causes": [{"field": "metadata.uid"}]})),
        (422, "spec.template.spec.containers[0].image: Required value", json!({})),
        (403, "deployments.apps \"s0\" is forbidden: User \"u\" cannot patch resource \"deployments\"", json!({})),
        (403, "admission webhook \"policy\" denied the request: no", json!({})),
        (403, "pods \"s0\" is forbidden: exceeded quota: small", json!({})),
        (404, "deployments.apps \"s0\" not found", json!({})),
        (401, "Unauthorized", json!({})),
        (429, "too many requests", json!({})),
        (500, "Internal error occurred: failed calling webhook \"policy\": connection refused", json!({})),
        (500, "etcdserver: leader changed", json!({})),
        (503, "apiserver not ready", json!({})),
    ];
    let table = cases.map(|(code, message, details)| {
        let status = json!({"status": "Failure", "code": code, "message": message, "details": details});
        let status: Status = serde_json::from_value(status).unwrap();
        let error = errors::write_error("context prod", &id("s0"), &kube::Error::Api(Box::new(status)));
        let kind = format!("{error:?}");
        format!("{code} {}: {error}", kind.split(['(', ' ', '{']).next().unwrap())
    });
    assert_snapshot!(table.join("\n"), @r#"
    409 Conflict: deployment/s0 in namespace shop has changed meanwhile
    409 NotFound: deployment/s0 in namespace shop does not exist
    409 NotFound: deployment/s0 in namespace shop does not exist
    409 FieldOwned: the image of deployment/s0 in namespace shop belongs to argocd-controller: in the Argo CD Application, list the image under spec.ignoreDifferences and set the sync option RespectIgnoreDifferences=true
    422 NotFound: deployment/s0 in namespace shop does not exist
    422 Rejected: deployment/s0 in namespace shop: spec.template.spec.containers[0].image: Required value
    403 Forbidden: deployments.apps "s0" is forbidden: User "u" cannot patch resource "deployments"
    403 Rejected: deployment/s0 in namespace shop: admission webhook "policy" denied the request: no
    403 Rejected: deployment/s0 in namespace shop: pods "s0" is forbidden: exceeded quota: small
    404 NotFound: deployment/s0 in namespace shop does not exist
    401 Forbidden: context prod does not accept the credentials
    429 Unreachable: the API server does not answer: context prod: too many requests
    500 Rejected: deployment/s0 in namespace shop: Internal error occurred: failed calling webhook "policy": connection refused
    500 Unreachable: the API server does not answer: context prod: etcdserver: leader changed
    503 Unreachable: the API server does not answer: context prod: apiserver not ready
    "#);
}

#[test]
fn a_question_is_answered_by_owners_that_matter_and_not_by_what_is_wrong_with_the_question() {
    let ask = |code: u16, message: &str, managers: &[&str]| {
        let cause = |manager: &&str| {
            json!({"reason": "FieldManagerConflict", "field": ".spec.template.spec.containers[name=\"app\"].image",
                "message": format!("conflict with {manager}")})
        };
        let causes: Vec<_> = managers.iter().map(cause).collect();
        let status = json!({"status": "Failure", "code": code, "message": message, "details": {"causes": causes}});
        let status: Status = serde_json::from_value(status).unwrap();
        match errors::dry_run_error("context prod", &id("s0"), &kube::Error::Api(Box::new(status))) {
            Ok(()) => "may write".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    let table = [
        ask(409, "conflict", &["\"kubectl-set\" using apps/v1 at 2026-09-21T14:00:00Z"]),
        ask(409, "conflict", &["\"kubectl-set\" using apps/v1", "\"argocd-controller\" using apps/v1"]),
        ask(409, "conflict", &["\"helm\""]),
        ask(403, "admission webhook \"policy\" denied the request: unsigned image", &[]),
        ask(403, "deployments.apps \"s0\" is forbidden: User \"u\" cannot patch resource", &[]),
        ask(404, "not found", &[]),
    ];
    assert_snapshot!(table.join("\n"), @r#"
    may write
    the image of deployment/s0 in namespace shop belongs to argocd-controller: in the Argo CD Application, list the image under spec.ignoreDifferences and set the sync option RespectIgnoreDifferences=true
    the image of deployment/s0 in namespace shop belongs to helm: drop the tag from the Helm values, so that the chart does not set the image
    may write
    deployments.apps "s0" is forbidden: User "u" cannot patch resource
    deployment/s0 in namespace shop does not exist
    "#);
}
