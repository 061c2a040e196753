use insta::assert_snapshot;

use super::{Repo, hold};
use crate::edit::{Edit, overwritten_holds};

const SETTINGS: &str = "apiVersion: pintle.dev/v1alpha1\npins:\n\
    - {files: \"apps/{service}/kustomization.yaml\", key: \"images[name=acme/{service}].newTag\"}\n";

/// Builds a repository with web's version in a kustomization, followed by the comment `said`; and more files.
fn repo(said: &str, more: &[(&str, &str)]) -> Repo {
    let kustomize = format!("images:\r\n- name: acme/web\r\n  newTag: v1  # {said}\r\n- {{name: x, newTag: v1}}");
    let files = [("pintle.yaml", SETTINGS), ("apps/web/kustomization.yaml", kustomize.as_str())];
    Repo::of(&[&files, more].concat())
}

const MARKER: &str = "{\"$imagepolicy\": \"flux:web:tag\"}";

#[test]
fn a_hold_mutes_the_marker_behind_the_pin_and_its_end_gives_it_back() {
    let before = repo(MARKER, &[]);
    let held = before.edit("web", hold("v1")).unwrap();
    let text = |files: &[(String, Option<String>)], path: &str| {
        files.iter().find(|(it, _)| it == path).and_then(|(_, text)| text.clone()).unwrap()
    };
    assert_snapshot!(text(&held, "apps/web/kustomization.yaml").replace('\r', "␍"), @r#"
    images:␍
    - name: acme/web␍
      newTag: v1  # held by pintle: {"$imagepolicy": "flux:web:tag"}␍
    - {name: x, newTag: v1}
    "#);
    let own = text(&held, "services/web.yaml");
    let after = repo(&format!("held by pintle: {MARKER}"), &[("services/web.yaml", &own)]);
    assert_eq!(after.edit("web", hold("v1")).unwrap(), Vec::new(), "it is muted once");
    let released = after.edit("web", Edit::Release).unwrap();
    assert_eq!(text(&released, "apps/web/kustomization.yaml"), before.text("apps/web/kustomization.yaml"));
}

#[test]
fn a_hold_that_a_bot_writes_past_is_told() {
    let own = [("services/web.yaml", "hold: {above: v1, reason: it loses orders}\n")];
    let told = overwritten_holds(&repo(MARKER, &own).said());
    let [problem] = &*told else { panic!("{told:?}") };
    assert_snapshot!(format!("{}\n{}", problem.message, serde_json::to_string(&problem.remedy).unwrap()), @r#"
    a bot of Flux writes past the hold of `web`: its pin carries a `$imagepolicy` marker
    {"code":"holdAgain","service":"web"}
    "#);
    assert_eq!(overwritten_holds(&repo(&format!("held by pintle: {MARKER}"), &own).said()), Vec::new());
    assert_eq!(overwritten_holds(&repo(MARKER, &[]).said()), Vec::new());
}
