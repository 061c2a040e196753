//! Field ownership: which managers Pintle takes an image field over from, and the remedy for the others.

/// Pintle's field manager at the API server.
pub const FIELD_MANAGER: &str = "pintle";

/// Prefixes of the field managers of GitOps engines. Their next sync takes back a field that was taken over (measured
/// with Argo CD and Flux).
const ENGINE_MANAGER_PREFIXES: &[&str] =
    &["argocd", "kustomize-controller", "helm-controller", "kapp", "fleet", "flux", "configsync"];

/// Returns whether Pintle takes an image field over from this manager. It does from people and their tools, from
/// client-side appliers that are no GitOps engine, and from itself. A server-side applier claims the fields that it
/// applies.
pub fn may_take_field_from(name: &str, applied: bool) -> bool {
    let is_engine = ENGINE_MANAGER_PREFIXES.iter().any(|engine| name.starts_with(engine));
    name == FIELD_MANAGER || name.starts_with("kubectl") || (!applied && !is_engine)
}

/// Returns the remedy for a user whose image field `manager` owns.
pub fn ownership_remedy(manager: &str) -> String {
    match manager {
        it if it.starts_with("argocd") => {
            "in the Argo CD Application, list the image under spec.ignoreDifferences and set \
             the sync option RespectIgnoreDifferences=true"
                .to_owned()
        }
        it if it.starts_with("kustomize-controller") || it.starts_with("flux") => {
            "in the Flux Kustomization, list the image under spec.ignore".to_owned()
        }
        it if it.starts_with("helm") => {
            "drop the tag from the Helm values, so that the chart does not set the image".to_owned()
        }
        _ => format!("take the image out of what {manager} applies"),
    }
}
