//! Users with fewer rights than the tests have.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::namespace::Namespace;

/// Grants a user what a role's rules say, in one namespace.
pub(crate) async fn grant(ns: &Namespace, user: &str, rules: Value) {
    let name = json!({"name": user});
    let role: Role = serde_json::from_value(json!({"metadata": name, "rules": rules})).unwrap();
    let api: Api<Role> = Api::namespaced(ns.client.clone(), &ns.name);
    api.create(&PostParams::default(), &role).await.unwrap();
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": name,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": user},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    });
    let api: Api<RoleBinding> = Api::namespaced(ns.client.clone(), &ns.name);
    api.create(&PostParams::default(), &serde_json::from_value(binding).unwrap()).await.unwrap();
}

/// A user's kubeconfig.
pub(crate) fn impersonating(user: &str) -> String {
    let mut kubeconfig: Value = serde_json::from_str(&ControlPlane::shared().kubeconfig_text()).unwrap();
    kubeconfig["users"][0]["user"]["as"] = json!(user);
    kubeconfig.to_string()
}
