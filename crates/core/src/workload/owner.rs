//! Whom Pintle takes an image field over from, and what to do about the others.

/// The name by which the API server knows Pintle.
pub const FIELD_MANAGER: &str = "pintle";

/// GitOps engines, by how the names of their field managers begin. A field taken from them is taken back by their next
/// sync (measured with Argo CD and Flux).
const ENGINES: &[&str] = &["argocd", "kustomize-controller", "helm-controller", "kapp", "fleet", "flux", "configsync"];

/// Whether Pintle takes an image over from this manager: from people and their tools, from client-side appliers that
/// are no engine, from its own past. Whoever applies on the server's side means to own what it applies.
pub fn may_take_over(name: &str, applied: bool) -> bool {
    let is_engine = ENGINES.iter().any(|engine| name.starts_with(engine));
    name == FIELD_MANAGER || name.starts_with("kubectl") || (!applied && !is_engine)
}

/// What a user can do where `manager` owns the image.
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
