use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::limit::EMERGENCY;
use crate::common::namespace::Namespace;
use crate::common::shop::Shop;

/// Has the API server take images of ghcr.io from a mirror, as webhooks of registries do.
async fn mirror(ns: &Namespace) {
    let image = "object.spec.template.spec.containers[0].image";
    let replace = format!("{image}.replace('ghcr.io/', 'mirror.test/')");
    let patch =
        format!("[JSONPatch{{op: 'replace', path: '/spec/template/spec/containers/0/image', value: {replace}}}]");
    let spec = json!({
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConditions": [{"name": "ours", "expression": format!("{image}.startsWith('ghcr.io/')")}],
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
    });
    ns.admission("Mutating", spec, json!({})).await;
    // Policies come into force a moment later: when one more change of something else shows it.
    ns.run("deployment/probe", "ghcr.io/acme/probe:0", 0).await;
    let deadline = Instant::now() + EMERGENCY;
    for tag in 1.. {
        ns.set_image("deployment/probe", &format!("ghcr.io/acme/probe:{tag}")).await;
        if ns.image("deployment/probe").await.starts_with("mirror.test/") {
            return;
        }
        assert!(Instant::now() < deadline, "no image was rewritten");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_image_that_the_server_rewrites_is_what_was_pinned_and_is_written_once() {
    let shop = Shop::open(&["payments 1.0", "checkout 1.0"]).await;
    mirror(&shop.ns).await;
    shop.pin("payments", "2.0", "").pin("checkout", "2.0", "dependsOn: {payments: \">=2.0\"}\n").commit("Upgrade both");
    shop.apply().await.result(&["In sync: everything runs what is pinned (2 changed)"]);
    assert_eq!(shop.ns.image("deployment/payments").await, "mirror.test/acme/payments:2.0");
    let written = shop.ns.get("deployment/payments").await;
    let state = written["metadata"]["annotations"]["pintle.dev/state"].as_str().unwrap();
    assert!(
        state.contains(r#""as":{"from":"ghcr.io/acme/payments:2.0","to":"mirror.test/acme/payments:2.0"}"#),
        "{state}"
    );
    // One template for each pin: its start, and the record of it, replaced no pod again.
    assert_eq!(written["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");

    // Another process, which knows of it what stands there.
    let before = shop.ns.written("deployment/payments").await;
    shop.apply().await.result(&["In sync: everything runs what is pinned (0 changed)"]);
    assert_eq!(shop.ns.written("deployment/payments").await, before);
    shop.pin("payments", "2.1", "").commit("Upgrade payments");
    let upgraded = shop.apply().await;
    upgraded.line(&["payments target found: 2.0 -> 2.1"]);
    upgraded.line(&["payments 2.0 gone"]);
    shop.ns.set_image("deployment/payments", "ghcr.io/acme/payments:by-hand").await;
    shop.settle().await;
    shop.apply().await.line(&["payments target found: mirror.test/acme/payments:by-hand (never pinned) -> 2.1"]);
    assert_eq!(shop.ns.image("deployment/payments").await, "mirror.test/acme/payments:2.1");
}
