//! Reads `services/NAME.yaml`.

use std::sync::Arc;
use std::time::Duration;

use super::keypath::Template;
use super::needs::{self, Needs};
use super::reader::{Field, Fields, Keys, Reader, single_document};
use super::settings::{ALSO, drift, own_pattern, repository};
use super::yaml::Tree;
use super::{Drift, Held, Hold, Local, Pattern, ServiceName, Verify, WorkloadKind, WorkloadRef, local};
use crate::image::Digest;
use crate::printable::show;
use crate::problem::Place;
use crate::version::{Version, Versioning};

pub(super) const SERVICE_KEYS: Keys = Keys {
    what: "a service file",
    known: &[
        "version",
        "image",
        "tag",
        "digest",
        "pin",
        "dependsOn",
        "workloads",
        "containers",
        "namespace",
        "versioning",
        "verify",
        "hold",
        "rollbackFloor",
        "drift",
        "external",
        "formerly",
        "local",
    ],
    later: &[
        ("also", ALSO),
        ("extends", "write the keys into each service file for now"),
        ("apiVersion", "it stands in pintle.yaml, for all files"),
        ("name", "a service has the name of its file"),
        ("checks", "services are verified by the health of their workloads for now"),
    ],
};

pub(super) const VERIFY_KEYS: Keys = Keys {
    what: "`verify`",
    known: &["timeout"],
    later: &[
        ("soak", "use `soak` of pintle.yaml for now"),
        ("checks", "services are verified by the health of their workloads for now"),
    ],
};

pub(super) const HOLD_KEYS: Keys =
    Keys { what: "`hold`", known: &["above", "versions", "reason", "by", "until"], later: &[] };

/// The declarations of one service file. Missing values stay open until the whole revision is combined.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) version: Option<(Version, Place)>,
    /// The repository as written, and its place.
    pub(super) image: Option<(String, Place)>,
    pub(super) tag: Template,
    pub(super) digest: Option<Digest>,
    pub(super) pin: Option<Pattern>,
    pub(super) needs: Needs,
    pub(super) verify: Verify,
    pub(super) local: Option<Arc<Local>>,
    pub(super) port_at: Option<Place>,
    pub(super) workloads: Option<(Vec<WorkloadRef>, Place)>,
    pub(super) containers: Option<Vec<String>>,
    pub(super) namespace: Option<String>,
    pub(super) versioning: Option<Versioning>,
    pub(super) hold: Option<Hold>,
    pub(super) rollback_floor: Option<Version>,
    pub(super) rollback_floor_at: Option<Place>,
    pub(super) drift: Option<(Option<Drift>, Option<Duration>)>,
    pub(super) external: bool,
    pub(super) formerly: Option<(ServiceName, Place)>,
}

/// The placeholder for the version in `tag:`.
pub(super) const VERSION: &str = "{version}";

pub(super) fn draft(reader: &mut Reader<'_>, name: &ServiceName, tree: &Tree<'_>) -> Option<Draft> {
    let root = single_document(reader, tree, "`version` and `image`")?;
    let fields = reader.map(root, &SERVICE_KEYS)?;
    if let (Some(_), Some(kind)) = (fields.get("apiVersion"), fields.get("kind")) {
        let hint = "keep manifests in another folder; `pins:` of pintle.yaml can read the version there";
        reader.refuse(kind.key.clone(), "this is a Kubernetes manifest, not a service file", hint);
        return None;
    }
    reader.no_others(&fields, &SERVICE_KEYS);
    let (local, port_at) = reader.take(&fields, "local", local::read).unzip();
    let draft = Draft {
        version: reader.located(&fields, "version", Reader::version),
        image: reader.located(&fields, "image", image),
        tag: reader.take(&fields, "tag", tag).unwrap_or_default(),
        digest: reader.take(&fields, "digest", digest),
        pin: reader.take(&fields, "pin", |reader, field| own_pattern(reader, field, name)),
        needs: fields.get("dependsOn").map(|field| needs::read(reader, field, name)).unwrap_or_default(),
        verify: reader.take(&fields, "verify", verify).unwrap_or_default(),
        local: local.map(Arc::new),
        port_at: port_at.flatten(),
        workloads: reader.located(&fields, "workloads", |reader, field| {
            reader.each(field, "workloads as in deployment/checkout", workload)
        }),
        containers: reader
            .take(&fields, "containers", |reader, field| reader.each(field, "container names", Reader::label)),
        namespace: reader.take(&fields, "namespace", Reader::label),
        versioning: reader.take(&fields, "versioning", versioning),
        hold: reader.take(&fields, "hold", hold),
        rollback_floor: reader.take(&fields, "rollbackFloor", Reader::version),
        rollback_floor_at: fields.get("rollbackFloor").map(|field| reader.place(field.at())),
        drift: fields.get("drift").map(|field| drift(reader, field)),
        external: reader.take(&fields, "external", Reader::flag).unwrap_or(false),
        formerly: reader.located(&fields, "formerly", |reader, field| formerly(reader, field, name)),
    };
    pinned_once(reader, &fields);
    Some(draft)
}

/// Refuses a service with both `version` and `pin`.
fn pinned_once(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    if let (Some(version), Some(pin)) = (fields.get("version"), fields.get("pin")) {
        let first = reader.place(version.key.clone());
        let twice = crate::problem::Problem::error("this service is pinned twice", reader.place(pin.key.clone()));
        reader.tell(twice.also(first, "first pinned here").hint("keep one of `version` and `pin`"));
    }
}

fn image(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<String> {
    let text = reader.text(field)?;
    let hint = "write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`";
    repository(text).map_err(|message| reader.refuse(field.at(), message, hint)).ok().map(|_| text.to_owned())
}

fn tag(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Template> {
    let text = reader.text(field)?;
    let tag = Template::new(text, VERSION).ok().filter(Template::captures);
    if tag.is_none() {
        let message = format!("`{}` must hold `{{version}}` once, and no other braces", show(text));
        reader.refuse(field.at(), message, "write it as in `tag: \"v{version}\"`");
    }
    tag
}

fn digest(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Digest> {
    let text = reader.text(field)?;
    text.parse().map_err(|error: crate::image::ImageError| reader.refuse(field.at(), error.to_string(), "")).ok()
}

fn verify(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Verify> {
    let fields = reader.fields(field.value, &VERIFY_KEYS)?;
    Some(Verify { timeout: reader.take(&fields, "timeout", |reader, field| reader.duration(field, ["1s", "24h"])) })
}

/// Kinds with pods that Pintle does not write. They get a message of their own.
const OTHER_KINDS: [&str; 8] =
    ["job", "cronjob", "pod", "replicaset", "replicationcontroller", "rollout", "knative", "service"];

fn workload(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<WorkloadRef> {
    let text = reader.text(field)?;
    let (kind, name) = text.split_once('/').unwrap_or(("", text));
    let kinds = [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet];
    let Some(kind) = kinds.into_iter().find(|known| known.name() == kind.to_lowercase()) else {
        let message = match kind.to_lowercase() {
            kind if kind.is_empty() => format!("`{}` does not say the kind of the workload", show(text)),
            kind if OTHER_KINDS.contains(&kind.as_str()) => format!("Pintle does not write to a {kind}"),
            _ => format!("`{}` is not a kind of workload", show(kind)),
        };
        reader.refuse(field.at(), message, "it writes to deployment/NAME, statefulset/NAME and daemonset/NAME");
        return None;
    };
    let bad_part = |part: &str| crate::service_name::label_fault(part).is_some();
    if name.len() > 253 || name.split('.').any(bad_part) {
        reader.refuse(field.at(), format!("`{}` cannot be the name of a workload", show(name)), "");
        return None;
    }
    Some(WorkloadRef { kind, name: name.to_owned() })
}

fn versioning(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Versioning> {
    let all = [Versioning::Semver, Versioning::Maven, Versioning::History];
    reader.choice(field, &all.map(|versioning| (versioning.as_str(), versioning)))
}

fn hold(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Hold> {
    let fields = reader.fields(field.value, &HOLD_KEYS)?;
    let versions = match (fields.get("above"), fields.get("versions")) {
        (Some(above), None) => reader.version(above).map(Held::Above),
        (None, Some(versions)) => reader.range(versions).map(Held::Versions),
        _ => {
            let message = "`hold` needs one of `above` and `versions`";
            reader.refuse(field.at(), message, "write `above: \"1.7.9\"`, or `versions: \">=1.8, <1.8.4\"`");
            None
        }
    };
    let mut text = |name: &str| reader.take(&fields, name, Reader::spelled).map(str::to_owned);
    let (reason, by) = (text("reason"), text("by"));
    let until = reader.take(&fields, "until", |reader, field| {
        let text = reader.text(field)?;
        let wrong = |_: jiff::Error| (format!("`{}` is not a time", show(text)), "write it as in 2026-12-01T00:00Z");
        text.parse().map_err(wrong).map_err(|(message, hint)| reader.refuse(field.at(), message, hint)).ok()
    });
    Some(Hold { versions: versions?, reason, by, until, at: reader.place(field.at()) })
}

fn formerly(reader: &mut Reader<'_>, field: &Field<'_>, name: &ServiceName) -> Option<ServiceName> {
    let earlier = reader.name(field)?;
    if earlier == *name {
        reader.refuse(field.at(), "`formerly` is the name that this service has", "remove it");
        return None;
    }
    Some(earlier)
}
