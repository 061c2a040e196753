//! Reads `services/NAME.yaml`.

use std::sync::Arc;
use std::time::Duration;

use super::keypath::TextTemplate;
use super::needs::{self, DeclaredNeeds};
use super::reader::{FileReader, KnownKeys, MapFields, NamedField, single_document};
use super::settings::{ALSO_HINT, parse_repository, read_drift, read_own_pattern};
use super::yaml::YamlTree;
use super::{
    DriftAction, HeldVersions, Hold, LocalSpec, PinPattern, ServiceName, VerifySettings, WorkloadKind, WorkloadRef,
    local,
};
use crate::image::Digest;
use crate::printable::show;
use crate::problem::FilePlace;
use crate::version::{Version, Versioning};

pub(super) const SERVICE_KEYS: KnownKeys = KnownKeys {
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
    unsupported: &[
        ("also", ALSO_HINT),
        ("extends", "write the keys into each service file for now"),
        ("apiVersion", "it stands in pintle.yaml, for all files"),
        ("name", "a service has the name of its file"),
        ("checks", "services are verified by the health of their workloads for now"),
    ],
};

pub(super) const VERIFY_KEYS: KnownKeys = KnownKeys {
    what: "`verify`",
    known: &["timeout"],
    unsupported: &[
        ("soak", "use `soak` of pintle.yaml for now"),
        ("checks", "services are verified by the health of their workloads for now"),
    ],
};

pub(super) const HOLD_KEYS: KnownKeys =
    KnownKeys { what: "`hold`", known: &["above", "versions", "reason", "by", "until"], unsupported: &[] };

/// The declarations of one service file. Missing values stay open until the whole revision is combined.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) version: Option<(Version, FilePlace)>,
    /// The repository as written, and its place.
    pub(super) image: Option<(String, FilePlace)>,
    pub(super) tag: TextTemplate,
    pub(super) digest: Option<Digest>,
    pub(super) pin: Option<PinPattern>,
    pub(super) needs: DeclaredNeeds,
    pub(super) verify: VerifySettings,
    pub(super) local: Option<Arc<LocalSpec>>,
    pub(super) port_at: Option<FilePlace>,
    pub(super) workloads: Option<(Vec<WorkloadRef>, FilePlace)>,
    pub(super) containers: Option<Vec<String>>,
    pub(super) namespace: Option<String>,
    pub(super) versioning: Option<Versioning>,
    pub(super) hold: Option<Hold>,
    pub(super) rollback_floor: Option<Version>,
    pub(super) rollback_floor_at: Option<FilePlace>,
    pub(super) drift: Option<(Option<DriftAction>, Option<Duration>)>,
    pub(super) external: bool,
    pub(super) formerly: Option<(ServiceName, FilePlace)>,
}

/// The placeholder for the version in `tag:`.
pub(super) const VERSION_PLACEHOLDER: &str = "{version}";

pub(super) fn read_service_file(reader: &mut FileReader<'_>, name: &ServiceName, tree: &YamlTree<'_>) -> Option<Draft> {
    let root = single_document(reader, tree, "`version` and `image`")?;
    let fields = reader.map(root, &SERVICE_KEYS)?;
    if let (Some(_), Some(kind)) = (fields.get("apiVersion"), fields.get("kind")) {
        let hint = "keep manifests in another folder; `pins:` of pintle.yaml can read the version there";
        reader.report_error(kind.key.clone(), "this is a Kubernetes manifest, not a service file", hint);
        return None;
    }
    reader.report_unknown_keys(&fields, &SERVICE_KEYS);
    let (local, port_at) = reader.read_field(&fields, "local", local::read_local).unzip();
    let draft = Draft {
        version: reader.located(&fields, "version", FileReader::version),
        image: reader.located(&fields, "image", image),
        tag: reader.read_field(&fields, "tag", tag).unwrap_or_default(),
        digest: reader.read_field(&fields, "digest", digest),
        pin: reader.read_field(&fields, "pin", |reader, field| read_own_pattern(reader, field, name)),
        needs: fields.get("dependsOn").map(|field| needs::read_needs(reader, field, name)).unwrap_or_default(),
        verify: reader.read_field(&fields, "verify", verify).unwrap_or_default(),
        local: local.map(Arc::new),
        port_at: port_at.flatten(),
        workloads: reader.located(&fields, "workloads", |reader, field| {
            reader.read_list(field, "workloads as in deployment/checkout", workload)
        }),
        containers: reader.read_field(&fields, "containers", |reader, field| {
            reader.read_list(field, "container names", FileReader::label)
        }),
        namespace: reader.read_field(&fields, "namespace", FileReader::label),
        versioning: reader.read_field(&fields, "versioning", versioning),
        hold: reader.read_field(&fields, "hold", hold),
        rollback_floor: reader.read_field(&fields, "rollbackFloor", FileReader::version),
        rollback_floor_at: fields.get("rollbackFloor").map(|field| reader.place(field.value_span())),
        drift: fields.get("drift").map(|field| read_drift(reader, field)),
        external: reader.read_field(&fields, "external", FileReader::flag).unwrap_or(false),
        formerly: reader.located(&fields, "formerly", |reader, field| formerly(reader, field, name)),
    };
    refuse_second_pin(reader, &fields);
    Some(draft)
}

/// Refuses a service with both `version` and `pin`.
fn refuse_second_pin(reader: &mut FileReader<'_>, fields: &MapFields<'_>) {
    if let (Some(version), Some(pin)) = (fields.get("version"), fields.get("pin")) {
        let first = reader.place(version.key.clone());
        let twice = crate::problem::Problem::error("this service is pinned twice", reader.place(pin.key.clone()));
        reader.report(twice.also(first, "first pinned here").hint("keep one of `version` and `pin`"));
    }
}

fn image(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<String> {
    let text = reader.text(field)?;
    let hint = "write the repository only, as in `ghcr.io/acme/checkout`, and the version under `version`";
    parse_repository(text)
        .map_err(|message| reader.report_error(field.value_span(), message, hint))
        .ok()
        .map(|_| text.to_owned())
}

fn tag(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<TextTemplate> {
    let text = reader.text(field)?;
    let tag = TextTemplate::new(text, VERSION_PLACEHOLDER).ok().filter(TextTemplate::captures);
    if tag.is_none() {
        let message = format!("`{}` must hold `{{version}}` once, and no other braces", show(text));
        reader.report_error(field.value_span(), message, "write it as in `tag: \"v{version}\"`");
    }
    tag
}

fn digest(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<Digest> {
    let text = reader.text(field)?;
    text.parse()
        .map_err(|error: crate::image::ImageError| reader.report_error(field.value_span(), error.to_string(), ""))
        .ok()
}

fn verify(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<VerifySettings> {
    let fields = reader.fields(field.value, &VERIFY_KEYS)?;
    Some(VerifySettings {
        timeout: reader.read_field(&fields, "timeout", |reader, field| reader.duration(field, ["1s", "24h"])),
    })
}

/// Kinds with pods that Pintle does not write. They get a message of their own.
const UNSUPPORTED_KINDS: [&str; 8] =
    ["job", "cronjob", "pod", "replicaset", "replicationcontroller", "rollout", "knative", "service"];

fn workload(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<WorkloadRef> {
    let text = reader.text(field)?;
    let (kind, name) = text.split_once('/').unwrap_or(("", text));
    let kinds = [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet];
    let Some(kind) = kinds.into_iter().find(|known| known.as_str() == kind.to_lowercase()) else {
        let message = match kind.to_lowercase() {
            kind if kind.is_empty() => format!("`{}` does not say the kind of the workload", show(text)),
            kind if UNSUPPORTED_KINDS.contains(&kind.as_str()) => format!("Pintle does not write to a {kind}"),
            _ => format!("`{}` is not a kind of workload", show(kind)),
        };
        reader.report_error(
            field.value_span(),
            message,
            "it writes to deployment/NAME, statefulset/NAME and daemonset/NAME",
        );
        return None;
    };
    let bad_part = |part: &str| crate::service_name::label_fault(part).is_some();
    if name.len() > 253 || name.split('.').any(bad_part) {
        reader.report_error(field.value_span(), format!("`{}` cannot be the name of a workload", show(name)), "");
        return None;
    }
    Some(WorkloadRef { kind, name: name.to_owned() })
}

fn versioning(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<Versioning> {
    let all = [Versioning::Semver, Versioning::Maven, Versioning::History];
    reader.choice(field, &all.map(|versioning| (versioning.as_str(), versioning)))
}

fn hold(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<Hold> {
    let fields = reader.fields(field.value, &HOLD_KEYS)?;
    let versions = match (fields.get("above"), fields.get("versions")) {
        (Some(above), None) => reader.version(above).map(HeldVersions::Above),
        (None, Some(versions)) => reader.range(versions).map(HeldVersions::Versions),
        _ => {
            let message = "`hold` needs one of `above` and `versions`";
            reader.report_error(
                field.value_span(),
                message,
                "write `above: \"1.7.9\"`, or `versions: \">=1.8, <1.8.4\"`",
            );
            None
        }
    };
    let mut text = |name: &str| reader.read_field(&fields, name, FileReader::raw_text).map(str::to_owned);
    let (reason, by) = (text("reason"), text("by"));
    let until = reader.read_field(&fields, "until", |reader, field| {
        let text = reader.text(field)?;
        let wrong = |_: jiff::Error| (format!("`{}` is not a time", show(text)), "write it as in 2026-12-01T00:00Z");
        text.parse()
            .map_err(wrong)
            .map_err(|(message, hint)| reader.report_error(field.value_span(), message, hint))
            .ok()
    });
    Some(Hold { versions: versions?, reason, by, until, at: reader.place(field.value_span()) })
}

fn formerly(reader: &mut FileReader<'_>, field: &NamedField<'_>, name: &ServiceName) -> Option<ServiceName> {
    let earlier = reader.name(field)?;
    if earlier == *name {
        reader.report_error(field.value_span(), "`formerly` is the name that this service has", "remove it");
        return None;
    }
    Some(earlier)
}
