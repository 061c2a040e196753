use crate::common::control_plane::ControlPlane;
use crate::common::namespace::rolled_out;

#[tokio::test]
async fn a_deployment_rolls_out_and_an_image_change_replaces_its_pods() {
    let ns = ControlPlane::shared().namespace("rollout").await;
    ns.run("deployment/checkout", "test/checkout:1.8.1", 2).await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let before = ns.pods("checkout").await;
    assert_eq!(before.len(), 2);

    ns.set_image("deployment/checkout", "test/checkout:1.8.2").await;
    ns.wait("deployment/checkout", "rolled out", rolled_out).await;
    let runs_new = |pod: &serde_json::Value| pod["spec"]["containers"][0]["image"] == "test/checkout:1.8.2";
    ns.wait_for_pods("checkout", "two new", |pods| pods.len() == 2 && pods.iter().all(runs_new)).await;
    assert_eq!(ns.image("deployment/checkout").await, "test/checkout:1.8.2");
}
