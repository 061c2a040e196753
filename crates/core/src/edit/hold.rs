//! Writes and removes `hold:`, as one line.

use super::file_edit::FileEdit;
use super::map::Map;
use super::refusal::Refusal;
use super::request::NewHold;
use super::splice::Splice;
use super::{entries, scalar};
use crate::pins::{Held, Hold, Service};
use crate::problem::Place;
use crate::version::Order;

const KEY: &str = "hold";

/// Longest previous reason that is appended to a new one, in bytes. Reasons would grow without limit otherwise.
const LONGEST: usize = 400;

impl NewHold {
    /// Returns a hold that also covers the versions of the service's present hold.
    ///
    /// If the versions are the same, the new reason replaces the old one. Versions that no single range can join are not
    /// covered: the new hold is returned as it is.
    #[must_use]
    pub fn beside_present(self, service: &Service, order: &Order) -> Self {
        let Some(has) = service.hold.as_ref().filter(|has| has.versions != self.versions) else { return self };
        match self.versions.and(&has.versions, order) {
            Some(versions) if versions == self.versions => self.going_on_from(has),
            Some(versions) => {
                // Neither hold ends before its own end time.
                let until = self.until.zip(has.until).map(|(new, has)| new.max(has));
                Self { versions, until, ..self }.going_on_from(has)
            }
            None => self,
        }
    }

    /// Appends the reason of the hold that this one extends.
    #[must_use]
    pub fn going_on_from(mut self, old: &Hold) -> Self {
        let reason = old.reason.as_deref().filter(|old| old.len() <= LONGEST && !self.reason.contains(old));
        self.reason.extend(reason.into_iter().flat_map(|old| ["; ", old]));
        self
    }
}

/// Returns the hold as the reader of pin files would parse it.
pub(super) fn of(new: &NewHold, at: &Place) -> Hold {
    let NewHold { versions, reason, by, until } = new.clone();
    Hold { versions, reason: Some(reason), by, until, at: at.clone() }
}

/// Writes the hold over the existing one, or adds it at the end of the file.
pub(super) fn write(own: &mut FileEdit, new: &NewHold) -> Result<(), Refusal> {
    let value = written(new);
    let splice = own.root(|root| {
        let map = root.and_then(|root| Map::of(&own.text, root));
        let Some((map, entry)) = map.as_ref().and_then(|map| Some((map, map.get(KEY)?))) else {
            return entries::added(own, map.as_ref(), KEY, &value);
        };
        let part = map.part(entry)?;
        let (indent, line_end) = if map.is_flow() { (0, "") } else { (map.indent(), own.line_end) };
        Some(Splice { at: part, text: format!("{}{KEY}: {value}{line_end}", " ".repeat(indent)) })
    })?;
    entries::apply(own, splice)
}

/// Removes the hold; does nothing if there is none.
pub(super) fn remove(own: &mut FileEdit) -> Result<(), Refusal> {
    let splice = own.root(|root| {
        let map = Map::of(&own.text, root?)?;
        map.get(KEY).map(|entry| map.without(entry))
    })?;
    match splice {
        Some(splice) => entries::apply(own, splice),
        None => Ok(()),
    }
}

fn written(new: &NewHold) -> String {
    let (key, versions) = match &new.versions {
        Held::Above(version) => ("above", version.as_str()),
        Held::Versions(range) => ("versions", range.as_str()),
    };
    let mut parts = vec![(key, scalar::quoted(versions)), ("reason", scalar::quoted(&new.reason))];
    parts.extend(new.by.as_ref().map(|by| ("by", scalar::quoted(by))));
    parts.extend(new.until.map(|until| ("until", until.to_string())));
    let parts: Vec<String> = parts.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", parts.join(", "))
}
