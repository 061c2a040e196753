//! Reads `pintle.yaml`.

use std::sync::Arc;
use std::time::Duration;

use super::glob::{Glob, check_path};
use super::keypath::{KeyPath, SERVICE, Template};
use super::reader::{Field, Fields, Keys, Reader, parse_file, single_document};
use super::{Drift, DriftPolicy, Pattern, Runtime, SETTINGS, ServiceName, Settings, Unseen, ValueKind};
use crate::image::Image;
use crate::printable::show;
use crate::problem::{Place, Problem};

/// The only `apiVersion` that this version reads.
pub(super) const API_VERSION: &str = "pintle.dev/v1alpha1";

pub(super) const SETTINGS_KEYS: Keys = Keys {
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
    later: &[
        ("extends", "keep all settings in this file for now"),
        ("include", "keep all settings in this file for now"),
        ("revertAuthority", "automatic reverts come later; until then somebody rolls back"),
    ],
};

pub(super) const DRIFT_KEYS: Keys = Keys {
    what: "`drift`",
    known: &["policy", "handGrace"],
    later: &[("schedule", "the schedule is a flag of the controller: `--schedule`")],
};

pub(super) const PATTERN_KEYS: Keys =
    Keys { what: "an entry of `pins`", known: &["files", "key", "image", "as"], later: &[("also", ALSO)] };

pub(super) const PIN_KEYS: Keys =
    Keys { what: "`pin`", known: &["file", "key", "image", "as"], later: &[("also", ALSO)] };

/// The hint for the reserved key `also:`.
pub(super) const ALSO: &str = "change the places that move with the pin in the same commit for now";

const AS: [(&str, ValueKind); 2] = [("version", ValueKind::Version), ("image", ValueKind::Image)];

impl Default for Settings {
    /// Returns the settings of a repository without `pintle.yaml`.
    fn default() -> Self {
        Self {
            instance: "default".to_owned(),
            runtime: Runtime::Kubernetes,
            namespace: None,
            drift: DriftPolicy { policy: Drift::Correct, hand_grace: Duration::from_secs(600) },
            soak: Duration::from_secs(600),
            unseen: Unseen::Warn,
            lockstep: Vec::new(),
            lockstep_at: None,
            pins: Vec::new(),
            allow_empty: false,
            place: Place::file(&SETTINGS.into()),
        }
    }
}

impl Settings {
    /// Returns the problem with a `pintle.yml`. Without `pintle.yaml` it is an error, as the defaults would silently
    /// apply.
    pub fn misnamed(path: &Arc<str>, read: bool) -> Problem {
        let place = Place::file(path);
        if read {
            let hint = "move what it says into pintle.yaml, and remove it";
            return Problem::warning("this file is not read, pintle.yaml beside it is", place).hint(hint);
        }
        Problem::error("the file of the settings is called pintle.yaml", place).hint("rename it to pintle.yaml")
    }

    /// Reads `pintle.yaml`. Returns none if it has errors. If the file does not exist, [`Settings::default`] applies.
    pub fn read(path: &Arc<str>, bytes: &[u8]) -> (Option<Self>, Vec<Problem>) {
        let read = parse_file(path, bytes, |tree| {
            let mut reader = Reader::new(path, None);
            let least = format!("`apiVersion: {API_VERSION}`");
            let settings = single_document(&mut reader, tree, &least).and_then(|root| {
                let fields = reader.map(root, &SETTINGS_KEYS)?;
                api_version(&mut reader, &fields, root.span().start)?;
                reader.no_others(&fields, &SETTINGS_KEYS);
                Some(settings(&mut reader, &fields))
            });
            (settings.filter(|_| !reader.failed()), reader.finish())
        });
        read.unwrap_or_else(|problem| (None, vec![*problem]))
    }
}

/// Checks the `apiVersion`. Every key may have another meaning in another version, so no other problem is reported
/// then.
fn api_version(reader: &mut Reader<'_>, fields: &Fields<'_>, start: usize) -> Option<()> {
    let Some(field) = fields.get("apiVersion") else {
        reader.refuse(start..start, "`apiVersion` is missing", format!("add `apiVersion: {API_VERSION}`"));
        return Some(());
    };
    let text = reader.text(field)?;
    if text == API_VERSION {
        return Some(());
    }
    let message = format!("`{}` is not an apiVersion that this version of Pintle reads", show(text));
    let hint = if text.starts_with("pintle.dev/") { "a newer Pintle may; " } else { "" };
    reader.refuse(field.at(), message, format!("{hint}Pintle {} reads {API_VERSION}", env!("CARGO_PKG_VERSION")));
    None
}

fn settings(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Settings {
    let default = Settings::default();
    reader.take(fields, "writes", writes);
    let runtimes = [("kubernetes", Runtime::Kubernetes), ("local", Runtime::Local)];
    let unseen = [("ignore", Unseen::Ignore), ("warn", Unseen::Warn), ("refuse", Unseen::Refuse)];
    let (policy, grace) = fields.get("drift").map(|field| drift(reader, field)).unwrap_or_default();
    Settings {
        instance: reader.take(fields, "instance", Reader::label).unwrap_or(default.instance),
        runtime: reader.take(fields, "runtime", |reader, it| reader.choice(it, &runtimes)).unwrap_or(default.runtime),
        namespace: reader.take(fields, "namespace", Reader::label),
        drift: DriftPolicy {
            policy: policy.unwrap_or(default.drift.policy),
            hand_grace: grace.unwrap_or(default.drift.hand_grace),
        },
        soak: reader.take(fields, "soak", |reader, it| reader.duration(it, ["0s", "30d"])).unwrap_or(default.soak),
        unseen: reader.take(fields, "unseen", |reader, it| reader.choice(it, &unseen)).unwrap_or(default.unseen),
        lockstep: reader.take(fields, "lockstep", groups).unwrap_or_default(),
        lockstep_at: fields.get("lockstep").map(|field| reader.place(field.at())),
        pins: reader.take(fields, "pins", |reader, it| reader.each(it, "patterns", pattern)).unwrap_or_default(),
        allow_empty: reader.take(fields, "allowEmpty", Reader::flag).unwrap_or(default.allow_empty),
        place: reader.whole(),
    }
}

fn writes(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<()> {
    if reader.choice(field, &[("image", false), ("git", true)])? {
        let hint = "use `writes: image`, and let Pintle own the image fields";
        reader.refuse(field.at(), "`writes: git` is not read by this version of Pintle", hint);
    }
    Some(())
}

/// Reads `drift:` of the settings or of a service.
pub(super) fn drift(reader: &mut Reader<'_>, field: &Field<'_>) -> (Option<Drift>, Option<Duration>) {
    let Some(fields) = reader.fields(field.value, &DRIFT_KEYS) else { return (None, None) };
    let policies = [("correct", Drift::Correct), ("report", Drift::Report), ("schedule", Drift::Schedule)];
    let policy = reader.take(&fields, "policy", |reader, field| reader.choice(field, &policies));
    (policy, reader.take(&fields, "handGrace", |reader, field| reader.duration(field, ["0s", "7d"])))
}

fn groups(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Vec<Vec<ServiceName>>> {
    if field.value.items().is_some_and(|items| items.len() == 0) {
        return None;
    }
    reader.each(field, "lists of services", |reader, group| {
        let names = reader.each(group, "services", Reader::name)?;
        if names.len() < 2 {
            reader.refuse(group.at(), "a lockstep group has two services or more", "");
            return None;
        }
        Some(names)
    })
}

/// Reads one entry of `pins:`.
fn pattern(reader: &mut Reader<'_>, entry: &Field<'_>) -> Option<Pattern> {
    let fields = reader.fields(entry.value, &PATTERN_KEYS)?;
    let pattern = parts(reader, entry, &fields, "files")?;
    let glob = match Glob::new(&pattern.files) {
        Ok(glob) => glob,
        Err(message) => {
            reader.tell(Problem::error(message, pattern.files_at));
            return None;
        }
    };
    if !glob.captures() && !pattern.key.captures() {
        let hint = format!("write `{SERVICE}` in `files` or `key`, or put a `pin:` into the file of the service");
        reader.refuse(entry.at(), "this pattern does not say which services it pins", hint);
        return None;
    }
    Some(pattern)
}

/// Reads `pin:` of a service file.
pub(super) fn own_pattern(reader: &mut Reader<'_>, field: &Field<'_>, service: &ServiceName) -> Option<Pattern> {
    let fields = reader.fields(field.value, &PIN_KEYS)?;
    let pattern = parts(reader, field, &fields, "file")?;
    let file = pattern.files.replace(SERVICE, service.as_str());
    if !Glob::new(&file).is_ok_and(|glob| glob.is_exact()) {
        let problem = Problem::error(format!("`{}` is not a file", show(&file)), pattern.files_at);
        reader.tell(problem.hint("name one file; patterns stand in `pins:` of pintle.yaml"));
        return None;
    }
    Some(Pattern {
        files: file,
        key: pattern.key.of(service),
        image: pattern.image.map(|image| image.replace(SERVICE, service.as_str())),
        service: Some(service.clone()),
        ..pattern
    })
}

/// Reads the keys that `pins:` and `pin:` share. Returns none if a required key is missing or wrong.
fn parts(reader: &mut Reader<'_>, whole: &Field<'_>, fields: &Fields<'_>, file: &'static str) -> Option<Pattern> {
    let mut required = |name: &str| {
        if fields.get(name).is_none() {
            reader.refuse(whole.at(), format!("`{name}` is missing"), "");
        }
    };
    required(file);
    required("key");
    let files = reader.located(fields, file, |reader, field| {
        let path = reader.text(field)?;
        check_path(path).map_err(|(message, hint)| reader.refuse(field.at(), message, hint)).ok()?;
        Some(path.to_owned())
    });
    let key = reader.located(fields, "key", |reader, field| {
        let text = reader.text(field)?;
        let parsed = text.parse::<KeyPath>();
        parsed.map_err(|error| reader.refuse(field.inside(text, error.offset), error.message, "")).ok()
    });
    let value = reader.take(fields, "as", |reader, field| reader.choice(field, &AS)).unwrap_or(ValueKind::Version);
    let image = reader.take(fields, "image", image);
    if let (Some(field), ValueKind::Image) = (fields.get("image"), value) {
        reader.refuse(field.at(), "`as: image` reads the repository from the value too", "remove `image`");
    }
    let ((files, files_at), (key, key_at)) = (files?, key?);
    Some(Pattern { files, key, image, value, service: None, files_at, key_at })
}

/// Reads an image repository, which may contain `{service}`.
fn image(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<String> {
    let text = reader.text(field)?;
    let checked = Template::new(text, SERVICE).and_then(|template| repository(&template.fill("x")).map(drop));
    if let Err(message) = checked {
        reader.refuse(field.at(), message, "write a repository without tag, as in `ghcr.io/acme/checkout`");
        return None;
    }
    Some(text.to_owned())
}

/// Checks that a text is an image repository, without tag and digest.
pub(super) fn repository(text: &str) -> Result<Image, String> {
    let image: Image = text.parse().map_err(|error| format!("`{}` is not a repository: {error}", show(text)))?;
    match (image.tag(), image.digest()) {
        (None, None) => Ok(image),
        (Some(tag), _) => Err(format!("`{}` has a tag, `{tag}`: the version is pinned elsewhere", show(text))),
        (None, Some(_)) => Err(format!("`{}` has a digest: it is pinned elsewhere", show(text))),
    }
}
