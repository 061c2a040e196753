//! Reads `local:`, which describes how the local runtime runs a service.

use super::reader::{Field, Fields, Keys, Reader};
use super::{Local, LocalHealth};
use crate::printable::show;
use crate::problem::Place;

pub(super) const LOCAL_KEYS: Keys = Keys {
    what: "`local`",
    known: &["run", "port", "health", "rolling", "start", "stop", "version"],
    later: &[("env", "set it in `run`, as in [env, NAME=value, ./checkout]")],
};

pub(super) const HEALTH_KEYS: Keys = Keys { what: "`health`", known: &["http", "tcp", "command"], later: &[] };

/// Reads the value of `local:`, with the place of its port.
pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<(Local, Option<Place>)> {
    let fields = reader.fields(field.value, &LOCAL_KEYS)?;
    let commands = ["start", "stop", "version"];
    let strays: &[&str] = if fields.get("run").is_some() { &commands } else { &["port", "rolling"] };
    for stray in strays.iter().filter_map(|name| fields.get(name)) {
        let message = format!("`{}` does not go with the other keys of `local`", stray.name);
        reader.refuse(stray.key.clone(), message, FORMS);
    }
    if let Some(run) = fields.get("run") {
        return process(reader, run, &fields);
    }
    let missing = commands.into_iter().filter(|name| fields.get(name).is_none());
    let missing: Vec<_> = missing.map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        reader.refuse(field.at(), format!("`local` lacks {}", missing.join(", ")), FORMS);
    }
    let mut words = |name: &str| reader.take(&fields, name, command);
    let (start, stop, version, health) = (words("start"), words("stop"), words("version"), words("health"));
    Some((Local::Commands { start: start?, stop: stop?, version: version?, health }, None))
}

const FORMS: &str = "use `run`, `port`, `health` and `rolling` for a process, \
                     or `start`, `stop`, `version` and `health` for four commands";

fn process(reader: &mut Reader<'_>, run: &Field<'_>, fields: &Fields<'_>) -> Option<(Local, Option<Place>)> {
    let (port, port_at) = reader.located(fields, "port", port).unzip();
    let health = reader.take(fields, "health", health);
    if let (Some(field), Some(LocalHealth::Http(_) | LocalHealth::Tcp), None) =
        (fields.get("health"), &health, fields.get("port"))
    {
        reader.refuse(field.at(), "this way to ask for health needs a port", "add `port`");
    }
    let rolling = reader.take(fields, "rolling", Reader::flag).unwrap_or(false);
    Some((Local::Process { run: command(reader, run)?, port, health, rolling }, port_at))
}

fn command(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Vec<String>> {
    reader.each(field, "a program and its arguments", |reader, word| reader.spelled(word).map(str::to_owned))
}

fn port(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<u16> {
    let text = reader.spelled(field)?;
    let port = text.parse().ok().filter(|port| *port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()));
    if port.is_none() {
        reader.refuse(field.at(), format!("`{}` is not a port, 1 to 65535", show(text)), "");
    }
    port
}

fn health(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<LocalHealth> {
    let fields = reader.fields(field.value, &HEALTH_KEYS)?;
    let all: Vec<_> = fields.iter().collect();
    let [way] = all.as_slice() else {
        reader.refuse(field.at(), "`health` needs one of `http`, `tcp` and `command`", "");
        return None;
    };
    match way.name {
        "http" => {
            let path = reader.spelled(way)?;
            if !path.starts_with('/') || path.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
                reader.refuse(way.at(), format!("`{}` is not a path", show(path)), "write it as in /healthz");
                return None;
            }
            Some(LocalHealth::Http(path.to_owned()))
        }
        "tcp" => reader.choice(way, &[("true", LocalHealth::Tcp)]),
        _ => command(reader, way).map(LocalHealth::Command),
    }
}
