//! Reads `pintle.yaml`.

use std::sync::Arc;
use std::time::Duration;

use super::glob::{PathGlob, check_path};
use super::keypath::{KeyPath, SERVICE_PLACEHOLDER, TextTemplate};
use super::reader::{FileReader, KnownKeys, MapFields, NamedField, parse_file, single_document};
use super::{
    DriftAction, DriftPolicy, PinPattern, Runtime, SETTINGS_FILE, ServiceName, Settings, UnseenPolicy, ValueKind,
};
use crate::image::Image;
use crate::printable::show;
use crate::problem::{FilePlace, Problem};

/// The only `apiVersion` that this version reads.
pub(super) const API_VERSION: &str = "pintle.dev/v1alpha1";

pub(super) const SETTINGS_KEYS: KnownKeys = KnownKeys {
    what: "pintle.yaml",
    known: &[
        "apiVersion",
        "instance",
        "runtime",
        "namespace",
        "writes",
        "drift",
        "soak",
        "unseen",
        "lockstep",
        "pins",
        "allowEmpty",
    ],
    unsupported: &[
        ("extends", "keep all settings in this file for now"),
        ("include", "keep all settings in this file for now"),
        ("revertAuthority", "automatic reverts come later; until then somebody rolls back"),
    ],
};

pub(super) const DRIFT_KEYS: KnownKeys = KnownKeys {
    what: "`drift`",
    known: &["policy", "handGrace"],
    unsupported: &[("schedule", "the schedule is a flag of the controller: `--schedule`")],
};

pub(super) const PATTERN_KEYS: KnownKeys = KnownKeys {
    what: "an entry of `pins`",
    known: &["files", "key", "image", "as"],
    unsupported: &[("also", ALSO_HINT)],
};

pub(super) const PIN_KEYS: KnownKeys =
    KnownKeys { what: "`pin`", known: &["file", "key", "image", "as"], unsupported: &[("also", ALSO_HINT)] };

/// The hint for the reserved key `also:`.
pub(super) const ALSO_HINT: &str = "change the places that move with the pin in the same commit for now";

const VALUE_KINDS: [(&str, ValueKind); 2] = [("version", ValueKind::Version), ("image", ValueKind::Image)];

impl Default for Settings {
    /// Returns the settings of a repository without `pintle.yaml`.
    fn default() -> Self {
        Self {
            instance: "default".to_owned(),
            runtime: Runtime::Kubernetes,
            namespace: None,
            drift: DriftPolicy { action: DriftAction::Correct, hand_grace: Duration::from_secs(600) },
            soak: Duration::from_secs(600),
            unseen: UnseenPolicy::Warn,
            lockstep: Vec::new(),
            lockstep_at: None,
            pins: Vec::new(),
            allow_empty: false,
            place: FilePlace::whole_file(&SETTINGS_FILE.into()),
        }
    }
}

impl Settings {
    /// Returns the problem with a `pintle.yml`. Without `pintle.yaml` it is an error, as the defaults would silently
    /// apply.
    pub fn misnamed_problem(path: &Arc<str>, read: bool) -> Problem {
        let place = FilePlace::whole_file(path);
        if read {
            let hint = "move what it says into pintle.yaml, and remove it";
            return Problem::warning("this file is not read, pintle.yaml beside it is", place).hint(hint);
        }
        Problem::error("the file of the settings is called pintle.yaml", place).hint("rename it to pintle.yaml")
    }

    /// Reads `pintle.yaml`. Returns none if it has errors. If the file does not exist, [`Settings::default`] applies.
    pub fn read(path: &Arc<str>, bytes: &[u8]) -> (Option<Self>, Vec<Problem>) {
        let read = parse_file(path, bytes, |tree| {
            let mut reader = FileReader::new(path, None);
            let least = format!("`apiVersion: {API_VERSION}`");
            let settings = single_document(&mut reader, tree, &least).and_then(|root| {
                let fields = reader.map(root, &SETTINGS_KEYS)?;
                api_version(&mut reader, &fields, root.span().start)?;
                reader.report_unknown_keys(&fields, &SETTINGS_KEYS);
                Some(settings(&mut reader, &fields))
            });
            (settings.filter(|_| !reader.failed()), reader.finish())
        });
        read.unwrap_or_else(|problem| (None, vec![*problem]))
    }
}

/// Checks the `apiVersion`. Every key may have another meaning in another version, so no other problem is reported
/// then.
fn api_version(reader: &mut FileReader<'_>, fields: &MapFields<'_>, start: usize) -> Option<()> {
    let Some(field) = fields.get("apiVersion") else {
        reader.report_error(start..start, "`apiVersion` is missing", format!("add `apiVersion: {API_VERSION}`"));
        return Some(());
    };
    let text = reader.text(field)?;
    if text == API_VERSION {
        return Some(());
    }
    let message = format!("`{}` is not an apiVersion that this version of Pintle reads", show(text));
    let hint = if text.starts_with("pintle.dev/") { "a newer Pintle may; " } else { "" };
    reader.report_error(
        field.value_span(),
        message,
        format!("{hint}Pintle {} reads {API_VERSION}", env!("CARGO_PKG_VERSION")),
    );
    None
}

fn settings(reader: &mut FileReader<'_>, fields: &MapFields<'_>) -> Settings {
    let default = Settings::default();
    reader.read_field(fields, "writes", writes);
    let runtimes = [("kubernetes", Runtime::Kubernetes), ("local", Runtime::Local)];
    let unseen = [("ignore", UnseenPolicy::Ignore), ("warn", UnseenPolicy::Warn), ("refuse", UnseenPolicy::Refuse)];
    let (policy, grace) = fields.get("drift").map(|field| read_drift(reader, field)).unwrap_or_default();
    Settings {
        instance: reader.read_field(fields, "instance", FileReader::label).unwrap_or(default.instance),
        runtime: reader
            .read_field(fields, "runtime", |reader, it| reader.choice(it, &runtimes))
            .unwrap_or(default.runtime),
        namespace: reader.read_field(fields, "namespace", FileReader::label),
        drift: DriftPolicy {
            action: policy.unwrap_or(default.drift.action),
            hand_grace: grace.unwrap_or(default.drift.hand_grace),
        },
        soak: reader
            .read_field(fields, "soak", |reader, it| reader.duration(it, ["0s", "30d"]))
            .unwrap_or(default.soak),
        unseen: reader.read_field(fields, "unseen", |reader, it| reader.choice(it, &unseen)).unwrap_or(default.unseen),
        lockstep: reader.read_field(fields, "lockstep", groups).unwrap_or_default(),
        lockstep_at: fields.get("lockstep").map(|field| reader.place(field.value_span())),
        pins: reader
            .read_field(fields, "pins", |reader, it| reader.read_list(it, "patterns", pattern))
            .unwrap_or_default(),
        allow_empty: reader.read_field(fields, "allowEmpty", FileReader::flag).unwrap_or(default.allow_empty),
        place: reader.whole(),
    }
}

fn writes(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<()> {
    if reader.choice(field, &[("image", false), ("git", true)])? {
        let hint = "use `writes: image`, and let Pintle own the image fields";
        reader.report_error(field.value_span(), "`writes: git` is not read by this version of Pintle", hint);
    }
    Some(())
}

/// Reads `drift:` of the settings or of a service.
pub(super) fn read_drift(
    reader: &mut FileReader<'_>,
    field: &NamedField<'_>,
) -> (Option<DriftAction>, Option<Duration>) {
    let Some(fields) = reader.fields(field.value, &DRIFT_KEYS) else { return (None, None) };
    let policies =
        [("correct", DriftAction::Correct), ("report", DriftAction::Report), ("schedule", DriftAction::Schedule)];
    let policy = reader.read_field(&fields, "policy", |reader, field| reader.choice(field, &policies));
    (policy, reader.read_field(&fields, "handGrace", |reader, field| reader.duration(field, ["0s", "7d"])))
}

fn groups(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<Vec<Vec<ServiceName>>> {
    if field.value.items().is_some_and(|items| items.len() == 0) {
        return None;
    }
    reader.read_list(field, "lists of services", |reader, group| {
        let names = reader.read_list(group, "services", FileReader::name)?;
        if names.len() < 2 {
            reader.report_error(group.value_span(), "a lockstep group has two services or more", "");
            return None;
        }
        Some(names)
    })
}

/// Reads one entry of `pins:`.
fn pattern(reader: &mut FileReader<'_>, entry: &NamedField<'_>) -> Option<PinPattern> {
    let fields = reader.fields(entry.value, &PATTERN_KEYS)?;
    let pattern = read_pattern_parts(reader, entry, &fields, "files")?;
    let glob = match PathGlob::new(&pattern.files) {
        Ok(glob) => glob,
        Err(message) => {
            reader.report(Problem::error(message, pattern.files_at));
            return None;
        }
    };
    if !glob.captures() && !pattern.key.captures() {
        let hint =
            format!("write `{SERVICE_PLACEHOLDER}` in `files` or `key`, or put a `pin:` into the file of the service");
        reader.report_error(entry.value_span(), "this pattern does not say which services it pins", hint);
        return None;
    }
    Some(pattern)
}

/// Reads `pin:` of a service file.
pub(super) fn read_own_pattern(
    reader: &mut FileReader<'_>,
    field: &NamedField<'_>,
    service: &ServiceName,
) -> Option<PinPattern> {
    let fields = reader.fields(field.value, &PIN_KEYS)?;
    let pattern = read_pattern_parts(reader, field, &fields, "file")?;
    let file = pattern.files.replace(SERVICE_PLACEHOLDER, service.as_str());
    if !PathGlob::new(&file).is_ok_and(|glob| glob.is_exact()) {
        let problem = Problem::error(format!("`{}` is not a file", show(&file)), pattern.files_at);
        reader.report(problem.hint("name one file; patterns stand in `pins:` of pintle.yaml"));
        return None;
    }
    Some(PinPattern {
        files: file,
        key: pattern.key.for_service(service),
        image: pattern.image.map(|image| image.replace(SERVICE_PLACEHOLDER, service.as_str())),
        service: Some(service.clone()),
        ..pattern
    })
}

/// Reads the keys that `pins:` and `pin:` share. Returns none if a required key is missing or wrong.
fn read_pattern_parts(
    reader: &mut FileReader<'_>,
    whole: &NamedField<'_>,
    fields: &MapFields<'_>,
    file: &'static str,
) -> Option<PinPattern> {
    let mut required = |name: &str| {
        if fields.get(name).is_none() {
            reader.report_error(whole.value_span(), format!("`{name}` is missing"), "");
        }
    };
    required(file);
    required("key");
    let files = reader.located(fields, file, |reader, field| {
        let path = reader.text(field)?;
        check_path(path).map_err(|(message, hint)| reader.report_error(field.value_span(), message, hint)).ok()?;
        Some(path.to_owned())
    });
    let key = reader.located(fields, "key", |reader, field| {
        let text = reader.text(field)?;
        let parsed = text.parse::<KeyPath>();
        parsed.map_err(|error| reader.report_error(field.inside(text, error.offset), error.message, "")).ok()
    });
    let value = reader
        .read_field(fields, "as", |reader, field| reader.choice(field, &VALUE_KINDS))
        .unwrap_or(ValueKind::Version);
    let image = reader.read_field(fields, "image", image);
    if let (Some(field), ValueKind::Image) = (fields.get("image"), value) {
        reader.report_error(
            field.value_span(),
            "`as: image` reads the repository from the value too",
            "remove `image`",
        );
    }
    let ((files, files_at), (key, key_at)) = (files?, key?);
    Some(PinPattern { files, key, image, value, service: None, files_at, key_at })
}

/// Reads an image repository, which may contain `{service}`.
fn image(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<String> {
    let text = reader.text(field)?;
    let checked = TextTemplate::new(text, SERVICE_PLACEHOLDER)
        .and_then(|template| parse_repository(&template.fill("x")).map(drop));
    if let Err(message) = checked {
        reader.report_error(
            field.value_span(),
            message,
            "write a repository without tag, as in `ghcr.io/acme/checkout`",
        );
        return None;
    }
    Some(text.to_owned())
}

/// Checks that a text is an image repository, without tag and digest.
pub(super) fn parse_repository(text: &str) -> Result<Image, String> {
    let image: Image = text.parse().map_err(|error| format!("`{}` is not a repository: {error}", show(text)))?;
    match (image.tag(), image.digest()) {
        (None, None) => Ok(image),
        (Some(tag), _) => Err(format!("`{}` has a tag, `{tag}`: the version is pinned elsewhere", show(text))),
        (None, Some(_)) => Err(format!("`{}` has a digest: it is pinned elsewhere", show(text))),
    }
}
