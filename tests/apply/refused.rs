use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use crate::common::control_plane::ControlPlane;
use crate::common::namespace::{Namespace, rolled_out, workload};
use crate::common::rights::{self, impersonating};
use crate::common::shop::{Printed, Shop, image};

const UP: &str = "2.0";

// --- By the pins.

#[tokio::test]
async fn targets_that_do_not_fit_are_held_and_the_rest_goes_on() {
    let shop = Shop::open(&["checkout 1.0", "payments 1.0", "free 1.0"]).await;
    let needs = "dependsOn: {payments: \"<2.0\"}\n";
    shop.pin("checkout", "1.0", needs).pin("payments", UP, "").pin("free", UP, "").commit("Upgrade payments");
    let held = shop.apply_ends(4).await;
    let words = "checkout 1.0 needs payments <2.0, and payments 2.0 is what shall run; pin versions that fit";
    held.result(&["Held: payments 2.0: ", words]);
    assert_eq!(shop.versions(&["checkout", "payments", "free"]).await, "1.0 1.0 2.0");
}

#[tokio::test]
async fn holds_floors_and_what_is_external_are_not_written() {
    let shop = Shop::open(&["held 1.0", "floor 2.0", "outside 1.0", "needs-it 1.0"]).await;
    shop.pin("held", "1.1", "hold: {above: \"1.0\", reason: loses carts, by: ada}\n");
    shop.pin("outside", UP, "external: true\n").pin("needs-it", UP, "dependsOn: {outside: \">=2.0\"}\n").commit("Hold");
    let chosen = shop.apply_ends(4).await;
    chosen.result(&["Held: held 1.1: 1.1 is on hold by ada (above 1.0): loses carts; release it: pintle release held"]);
    chosen.result(&["Held: outside 2.0: deployed elsewhere"]);
    chosen.never("But for what is held by choice");
    chosen.result(&["Held: needs-it 2.0: needs-it 2.0 needs outside >=2.0"]);

    // Somebody deploys it elsewhere; a hold is somebody's choice, so that is in order.
    shop.ns.set_image("deployment/outside", &image("outside", UP)).await;
    shop.ns.wait("deployment/outside", "rolled out", rolled_out).await;
    let chosen = shop.apply().await;
    chosen.result(&["Held: held 1.1"]);
    chosen.result(&[
        "But for what is held by choice everything runs what is pinned (1 changed); pintle status --exit-code",
    ]);
    shop.pintle(&["status", "--exit-code"]).await.ended(2);
    assert_eq!(shop.versions(&["held", "outside", "needs-it"]).await, "1.0 2.0 2.0");
    assert!(shop.ns.get("deployment/outside").await["metadata"]["annotations"]["pintle.dev/state"].is_null());

    // A floor is not: somebody asks for what must not run.
    shop.pin("floor", "1.9", "rollbackFloor: \"2.0\"\n").commit("Go below the floor");
    let floor = shop.apply_ends(4).await;
    floor.result(&["Held: floor 1.9: 1.9 is older than its `rollbackFloor` 2.0"]);
    assert_eq!(shop.version("floor").await, "2.0");
}

#[tokio::test]
async fn a_broken_service_file_holds_its_service_and_no_other() {
    let shop = Shop::open(&["checkout 1.0", "payments 1.0"]).await;
    shop.repo.write("services/checkout.yaml", "version: 1.10\nimage: ghcr.io/acme/checkout\n");
    shop.pin("payments", UP, "").commit("Forget the quotes");
    let held = shop.apply_ends(4).await;
    held.result(&["Held: checkout", "services/checkout.yaml:1:10"]);
    assert_eq!(shop.versions(&["checkout", "payments"]).await, "1.0 2.0");
}

// --- By the workload.

#[tokio::test]
async fn a_workload_without_the_container_is_held_with_the_containers_it_has() {
    let shop = Shop::open(&["payments 1.0"]).await;
    shop.ns.run("deployment/checkout", "ghcr.io/acme/basket:1.0", 1).await;
    shop.pin("checkout", UP, "").pin("payments", UP, "").commit("Add checkout");
    let words = "has no container that runs ghcr.io/acme/checkout; it has app (ghcr.io/acme/basket:1.0)";
    shop.pintle(&["plan"]).await.ended(4).result(&[words]);
    shop.apply_ends(4).await.result(&["Held: checkout 2.0", words, "name them with `containers:`"]);
    assert_eq!(shop.version("payments").await, "2.0");
    shop.pin("checkout", UP, "containers: [app]\n").commit("Name it");
    shop.apply().await;
    assert_eq!(shop.ns.image("deployment/checkout").await, image("checkout", UP));
}

#[tokio::test]
async fn what_a_gitops_engine_owns_is_named_in_the_plan_with_the_way_out() {
    let engines = [
        ("argocd-controller", "in the Argo CD Application, list the image under spec.ignoreDifferences"),
        ("kustomize-controller", "in the Flux Kustomization, list the image under spec.ignore"),
        ("helm", "drop the tag from the Helm values"),
    ];
    let shop = Shop::open(&["payments 1.0"]).await;
    for (engine, _) in engines {
        let object = format!("deployment/{engine}");
        apply(&shop.ns, &object, engine).await;
        shop.pin(engine, UP, "");
    }
    shop.pin("payments", UP, "").commit("Add what others apply");
    let plan = shop.pintle(&["plan"]).await.ended(4);
    let held = shop.apply_ends(4).await;
    for (engine, way_out) in engines {
        let words = format!("the image of deployment/{engine} in namespace {} belongs to {engine}: ", shop.ns.name);
        plan.result(&[&words, way_out]);
        held.result(&[&format!("Held: {engine} 2.0: {words}"), way_out]);
        assert_eq!(shop.ns.image(&format!("deployment/{engine}")).await, image(engine, "1.0"));
    }
    assert_eq!(shop.version("payments").await, "2.0");
}

#[tokio::test]
async fn what_kubectl_or_helm_has_applied_is_adopted() {
    let shop = Shop::open(&["payments 1.0"]).await;
    apply(&shop.ns, "deployment/server-side", "kubectl").await;
    for (name, manager) in [("client-side", "kubectl-client-side-apply"), ("chart", "helm")] {
        let manifest = workload(&format!("deployment/{name}"), &image(name, "1.0"), 1);
        let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
        let api = shop.ns.api("deployment/");
        api.create(&params, &serde_json::from_value(manifest).unwrap()).await.unwrap();
    }
    let names = ["server-side", "client-side", "chart"];
    for name in names {
        shop.pin(name, UP, "");
    }
    shop.commit("Add what others have applied");
    shop.apply().await;
    for name in names {
        assert_eq!(shop.ns.image(&format!("deployment/{name}")).await, image(name, UP));
    }
}

#[tokio::test]
async fn a_workload_of_another_instance_is_left_to_it_and_a_garbled_annotation_counts_as_none() {
    let shop = Shop::open(&["foreign 1.0", "garbled 1.0"]).await;
    let state = json!({
        "schema": 1, "instance": "staging", "commit": "ab".repeat(20), "version": "1.0", "proven": [],
    });
    for (name, text) in [("foreign", state.to_string()), ("garbled", "\u{1b}[31m{]".to_owned())] {
        let annotations = json!({"metadata": {"annotations": {"pintle.dev/state": text}}});
        shop.ns.merge(&format!("deployment/{name}"), "kubectl-annotate", annotations).await;
        shop.pin(name, UP, "");
    }
    shop.commit("Upgrade both");
    let held = shop.apply_ends(4).await;
    held.result(&["Held: foreign 2.0: deployment/foreign", "belongs to the instance staging"]);
    assert_eq!(shop.versions(&["foreign", "garbled"]).await, "1.0 2.0");
}

// --- By the API server.

#[tokio::test]
async fn a_namespace_that_does_not_exist_holds_its_services_and_no_other() {
    let shop = Shop::open(&["checkout 1.0", "payments 1.0"]).await;
    shop.pin("checkout", UP, "namespace: nowhere\n").pin("payments", UP, "").commit("Move checkout");
    let held = shop.apply_ends(4).await;
    held.result(&["Held: checkout 2.0: it cannot be looked at: namespace nowhere does not exist"]);
    assert_eq!(shop.version("payments").await, "2.0");
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_told_once_for_all_that_it_shall_hold() {
    let shop = Shop::open(&["checkout 1.0", "mail 1.0", "payments 1.0"]).await;
    for moved in ["checkout", "mail"] {
        shop.pin(moved, UP, "namespace: nowhere\n");
    }
    shop.pin("payments", UP, "").commit("Move both");
    let words = "it cannot be looked at: namespace nowhere does not exist: create it, or name another one (`namespace:`, --namespace)";
    let once = |printed: &Printed, text: &str| {
        let told = text.lines().filter(|line| line.contains("nowhere does not exist")).collect::<Vec<_>>();
        assert_eq!(told.len(), 1, "{}\n{}", printed.err, printed.out);
        told[0].trim().to_owned()
    };
    let plan = shop.pintle(&["plan"]).await.ended(4);
    assert_eq!(once(&plan, &plan.out), words);
    let markdown = shop.pintle(&["plan", "--output", "markdown"]).await.ended(4);
    assert_eq!(
        once(&markdown, &markdown.out),
        format!("- Held: **checkout** in nowhere, **mail** in nowhere: {words}")
    );
    let apply = shop.apply_ends(4).await;
    assert_eq!(once(&apply, &apply.out), format!("Held: checkout 2.0, mail 2.0: {words}"));
    assert_eq!(shop.version("payments").await, "2.0");
    let status = shop.pintle(&["status"]).await.ended(3);
    assert_eq!(once(&status, &status.out), format!("checkout, mail: held: {words}"));
    assert!(status.result(&["payments", "Healthy"]) < status.result(&["nowhere does not exist"]));
    status.result(&["mail", "nothing", "Missing"]);
    let mail = shop.pintle(&["status", "mail"]).await.ended(3);
    assert_eq!(once(&mail, &mail.out), format!("held: {words}"));
}

#[tokio::test]
async fn what_may_not_be_seen_holds_what_it_needs_and_nothing_else() {
    let mut shop = Shop::open(&["checkout 1.0", "payments 1.0", "free 1.0"]).await;
    let other = ControlPlane::shared().namespace("closed").await;
    other.run("deployment/hidden", &image("hidden", "1.0"), 1).await;
    grant(&shop.ns, "ada", &["get", "list", "watch", "patch"]).await;
    shop.connect(&impersonating("ada"));
    let elsewhere = |needs: &str| format!("namespace: {}\ndependsOn: {{payments: \"{needs}\"}}\n", other.name);
    shop.pin("hidden", "1.0", &elsewhere("<2.0")).commit("Add hidden");
    shop.pin("hidden", UP, &elsewhere("*")).pin("payments", UP, "").pin("free", UP, "").commit("Upgrade all");
    let held = shop.apply_ends(4).await;
    let words = format!(
        "User \"ada\" cannot watch resource \"deployments\" in API group \"apps\" in the namespace \"{}\"",
        other.name
    );
    held.result(&["Held: hidden 2.0: ", &words]);
    held.result(&["Not started: payments"]);
    assert_eq!(shop.versions(&["payments", "free"]).await, "1.0 2.0");
    let status = shop.pintle(&["status"]).await;
    status.result(&["hidden", "unknown", "Unknown"]);
}

#[tokio::test]
async fn without_a_right_to_the_lease_nothing_is_written() {
    let mut shop = Shop::open(&["payments 1.0"]).await;
    grant(&shop.ns, "eve", &["get", "list", "watch", "patch"]).await;
    shop.connect(&impersonating("eve"));
    shop.pin("payments", UP, "").commit("Upgrade payments");
    let refused = shop.apply_ends(1).await;
    refused.line(&["nothing is written without the lease", "Lease pintle-default", "\"eve\" cannot get resource"]);
    refused.line(&["hint", "get, create and update leases.coordination.k8s.io"]);
    assert_eq!(shop.version("payments").await, "1.0");
}

#[tokio::test]
async fn whoever_may_only_look_is_shown_the_plan_and_apply_holds_in_the_servers_words() {
    let mut shop = Shop::open(&["payments 1.0"]).await;
    grant(&shop.ns, "bob", &["get", "list", "watch"]).await;
    shop.connect(&impersonating("bob"));
    shop.pin("payments", UP, "").commit("Upgrade payments");
    let plan = shop.pintle(&["plan"]).await.ended(0);
    plan.result(&["~ payments  1.0 -> 2.0  upgrade"]);
    plan.line(&["warning: who owns the images could not be asked: ", "User \"bob\" cannot patch resource"]);
    plan.never("Held");
    assert_eq!(plan.err.lines().count(), 1, "{}", plan.err);
    let held = shop.apply_ends(4).await;
    held.result(&["Held: payments 2.0: ", "User \"bob\" cannot patch resource \"deployments\""]);
    assert_eq!(shop.version("payments").await, "1.0");
}

/// Creates a Deployment of a service at 1.0 as `manager` does by server-side apply.
async fn apply(ns: &Namespace, object: &str, manager: &str) {
    let name = object.split_once('/').unwrap().1;
    let manifest = workload(object, &image(name, "1.0"), 1);
    ns.api(object).patch(name, &PatchParams::apply(manager), &Patch::Apply(manifest)).await.unwrap();
}

/// Lets a user do this with workloads and pods of a namespace.
/// Grants rights to workloads and pods, and to everybody but eve the right to the lease.
async fn grant(ns: &Namespace, user: &str, verbs: &[&str]) {
    let mut rules = vec![json!({"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": verbs})];
    if user != "eve" {
        let verbs = ["get", "create", "update"];
        rules.push(json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}));
    }
    rights::grant(ns, user, rules.into()).await;
}
