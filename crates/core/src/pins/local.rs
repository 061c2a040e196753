//! Reads `local:`, which describes how the local runtime runs a service.

use super::reader::{FileReader, KnownKeys, MapFields, NamedField};
use super::{LocalHealth, LocalSpec};
use crate::printable::show;
use crate::problem::FilePlace;

pub(super) const LOCAL_KEYS: KnownKeys = KnownKeys {
    what: "`local`",
    known: &["run", "port", "health", "rolling", "start", "stop", "version"],
    unsupported: &[("env", "set it in `run`, as in [env, NAME=value, ./checkout]")],
};

pub(super) const HEALTH_KEYS: KnownKeys =
    KnownKeys { what: "`health`", known: &["http", "tcp", "command"], unsupported: &[] };

/// Reads the value of `local:`, with the place of its port.
pub(super) fn read_local(
    reader: &mut FileReader<'_>,
    field: &NamedField<'_>,
) -> Option<(LocalSpec, Option<FilePlace>)> {
    let fields = reader.fields(field.value, &LOCAL_KEYS)?;
    let commands = ["start", "stop", "version"];
    let strays: &[&str] = if fields.get("run").is_some() { &commands } else { &["port", "rolling"] };
    for stray in strays.iter().filter_map(|name| fields.get(name)) {
        let message = format!("`{}` does not go with the other keys of `local`", stray.name);
        reader.report_error(stray.key.clone(), message, LOCAL_FORMS_HINT);
    }
    if let Some(run) = fields.get("run") {
        return process(reader, run, &fields);
    }
    let missing = commands.into_iter().filter(|name| fields.get(name).is_none());
    let missing: Vec<_> = missing.map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        reader.report_error(field.value_span(), format!("`local` lacks {}", missing.join(", ")), LOCAL_FORMS_HINT);
    }
    let mut words = |name: &str| reader.read_field(&fields, name, command);
    let (start, stop, version, health) = (words("start"), words("stop"), words("version"), words("health"));
    Some((LocalSpec::Commands { start: start?, stop: stop?, version: version?, health }, None))
}

const LOCAL_FORMS_HINT: &str = "use `run`, `port`, `health` and `rolling` for a process, \
                     or `start`, `stop`, `version` and `health` for four commands";

fn process(
    reader: &mut FileReader<'_>,
    run: &NamedField<'_>,
    fields: &MapFields<'_>,
) -> Option<(LocalSpec, Option<FilePlace>)> {
    let (port, port_at) = reader.located(fields, "port", port).unzip();
    let health = reader.read_field(fields, "health", health);
    if let (Some(field), Some(LocalHealth::Http(_) | LocalHealth::Tcp), None) =
        (fields.get("health"), &health, fields.get("port"))
    {
        reader.report_error(field.value_span(), "this way to ask for health needs a port", "add `port`");
    }
    let rolling = reader.read_field(fields, "rolling", FileReader::flag).unwrap_or(false);
    Some((LocalSpec::Process { run: command(reader, run)?, port, health, rolling }, port_at))
}

fn command(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<Vec<String>> {
    reader.read_list(field, "a program and its arguments", |reader, word| reader.raw_text(word).map(str::to_owned))
}

fn port(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<u16> {
    let text = reader.raw_text(field)?;
    let port = text.parse().ok().filter(|port| *port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()));
    if port.is_none() {
        reader.report_error(field.value_span(), format!("`{}` is not a port, 1 to 65535", show(text)), "");
    }
    port
}

fn health(reader: &mut FileReader<'_>, field: &NamedField<'_>) -> Option<LocalHealth> {
    let fields = reader.fields(field.value, &HEALTH_KEYS)?;
    let all: Vec<_> = fields.iter().collect();
    let [way] = all.as_slice() else {
        reader.report_error(field.value_span(), "`health` needs one of `http`, `tcp` and `command`", "");
        return None;
    };
    match way.name {
        "http" => {
            let path = reader.raw_text(way)?;
            if !path.starts_with('/') || path.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
                reader.report_error(
                    way.value_span(),
                    format!("`{}` is not a path", show(path)),
                    "write it as in /healthz",
                );
                return None;
            }
            Some(LocalHealth::Http(path.to_owned()))
        }
        "tcp" => reader.choice(way, &[("true", LocalHealth::Tcp)]),
        _ => command(reader, way).map(LocalHealth::Command),
    }
}
