//! Fields that belong to somebody else.

use kube::api::{Patch, PatchParams};
use pintle::cluster::{Cluster, ClusterError};
use serde_json::Value;

use super::Scene;
use crate::common::namespace::{Namespace, workload};

/// A Deployment that `manager` has applied on the server's side.
async fn applied_by(prefix: &str, manager: &str) -> Scene {
    let scene = Scene::new(prefix, &["deployment/checkout"], async |ns: &Namespace| {
        apply(ns, manager, workload("deployment/checkout", "test/checkout:1", 1)).await;
    })
    .await;
    scene.until_settled("deployment/checkout").await;
    scene
}

async fn apply(ns: &Namespace, manager: &str, manifest: Value) {
    let api = ns.api("deployment/checkout");
    api.patch("checkout", &PatchParams::apply(manager).force(), &Patch::Apply(manifest)).await.unwrap();
}

#[tokio::test]
async fn what_an_engine_has_applied_is_never_taken_from_it() {
    for manager in ["argocd-controller", "kustomize-controller", "helm", "acme-deployer"] {
        let scene = applied_by("kube-owned", manager).await;
        let owned = ClusterError::FieldOwned { id: scene.id("deployment/checkout"), field_manager: manager.to_owned() };
        // The same value too, since the first different one would be a conflict.
        for tag in ["1", "2"] {
            assert_eq!(question(&scene, tag).await, Err(owned.clone()));
            let write = scene.write("deployment/checkout", tag).await;
            assert_eq!(scene.kube.write_workload(&write).await, Err(owned.clone()));
        }
        assert_eq!(scene.ns.image("deployment/checkout").await, "test/checkout:1");
    }
}

#[tokio::test]
async fn what_an_engine_wrote_from_the_clients_side_is_not_taken_from_it_either() {
    let scene = Scene::checkout("kube-clientside", 1).await;
    set_image_as(&scene, "argocd-controller").await;
    scene.until_settled("deployment/checkout").await;
    let error = question(&scene, "3").await.unwrap_err();
    assert!(
        matches!(&error, ClusterError::FieldOwned { field_manager, .. } if field_manager == "argocd-controller"),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_people_and_plain_helm_wrote_is_taken_over() {
    for manager in ["kubectl-set", "kubectl-client-side-apply", "helm", "ci-script"] {
        let scene = Scene::checkout("kube-taken", 1).await;
        set_image_as(&scene, manager).await;
        scene.until_settled("deployment/checkout").await;
        assert_eq!(question(&scene, "3").await, Ok(()));
        let before = scene.ns.get("deployment/checkout").await;
        assert_eq!(scene.ns.image("deployment/checkout").await, "test/checkout:2", "the question writes nothing");
        assert_eq!(before["metadata"]["annotations"]["pintle.dev/state"], Value::Null);
        scene.apply("deployment/checkout", "3").await;
        assert_eq!(scene.ns.image("deployment/checkout").await, "test/checkout:3");
    }
}

#[tokio::test]
async fn kubectl_apply_on_the_servers_side_is_taken_over_too() {
    let scene = applied_by("kube-kubectl", "kubectl").await;
    assert_eq!(question(&scene, "2").await, Ok(()));
    scene.apply("deployment/checkout", "2").await;
    assert_eq!(scene.ns.image("deployment/checkout").await, "test/checkout:2");
}

#[tokio::test]
async fn an_engine_that_owns_other_fields_is_no_hindrance() {
    let scene = Scene::checkout("kube-beside", 1).await;
    let mut manifest = workload("deployment/checkout", "", 3);
    manifest["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("image");
    apply(&scene.ns, "argocd-controller", manifest).await;
    scene.until_settled("deployment/checkout").await;
    assert_eq!(question(&scene, "2").await, Ok(()));
    scene.apply("deployment/checkout", "2").await;
}

/// Asks, again where the status changed in between.
async fn question(scene: &Scene, tag: &str) -> Result<(), ClusterError> {
    loop {
        match scene.kube.check_field_ownership(&scene.write("deployment/checkout", tag).await).await {
            Err(ClusterError::Conflict(_)) => {}
            answer => return answer,
        }
    }
}

/// Sets the image to version 2 by an ordinary update.
async fn set_image_as(scene: &Scene, manager: &str) {
    let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
    let patch = serde_json::json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "test/checkout:2"}]}}}});
    scene.ns.api("deployment/checkout").patch("checkout", &params, &Patch::Strategic(patch)).await.unwrap();
}
