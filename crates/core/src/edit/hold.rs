//! Writes and removes `hold:`, as one line.

use super::file_edit::FileEdit;
use super::map::YamlMap;
use super::refusal::Refusal;
use super::request::NewHold;
use super::splice::TextSplice;
use super::{entries, scalar};
use crate::pins::{HeldVersions, Hold, Service};
use crate::problem::FilePlace;
use crate::version::VersionOrder;

const HOLD_KEY: &str = "hold";

/// Longest previous reason that is appended to a new one, in bytes. Reasons would grow without limit otherwise.
const MAX_CARRIED_REASON_BYTES: usize = 400;

impl NewHold {
    /// Returns a hold that also covers the versions of the service's present hold.
    ///
    /// If the versions are the same, the new reason replaces the old one. Versions that no single range can join are not
    /// covered: the new hold is returned as it is.
    #[must_use]
    pub fn beside_present(self, service: &Service, order: &VersionOrder) -> Self {
        let Some(has) = service.hold.as_ref().filter(|has| has.versions != self.versions) else { return self };
        match self.versions.union(&has.versions, order) {
            Some(versions) if versions == self.versions => self.with_earlier_reason(has),
            Some(versions) => {
                // Neither hold ends before its own end time.
                let until = self.until.zip(has.until).map(|(new, has)| new.max(has));
                Self { versions, until, ..self }.with_earlier_reason(has)
            }
            None => self,
        }
    }

    /// Appends the reason of the hold that this one extends.
    #[must_use]
    pub fn with_earlier_reason(mut self, old: &Hold) -> Self {
        let reason =
            old.reason.as_deref().filter(|old| old.len() <= MAX_CARRIED_REASON_BYTES && !self.reason.contains(old));
        self.reason.extend(reason.into_iter().flat_map(|old| ["; ", old]));
        self
    }
}

/// Returns the hold as the reader of pin files would parse it.
pub(super) fn to_hold(new: &NewHold, at: &FilePlace) -> Hold {
    let NewHold { versions, reason, by, until } = new.clone();
    Hold { versions, reason: Some(reason), by, until, at: at.clone() }
}

/// Writes the hold over the existing one, or adds it at the end of the file.
pub(super) fn write_hold(own: &mut FileEdit, new: &NewHold) -> Result<(), Refusal> {
    let value = written(new);
    let splice = own.root(|root| {
        let map = root.and_then(|root| YamlMap::of(&own.text, root));
        let Some((map, entry)) = map.as_ref().and_then(|map| Some((map, map.get(HOLD_KEY)?))) else {
            return entries::added(own, map.as_ref(), HOLD_KEY, &value);
        };
        let part = map.part(entry)?;
        let (indent, line_end) = if map.is_flow() { (0, "") } else { (map.indent(), own.line_end) };
        Some(TextSplice { at: part, text: format!("{}{HOLD_KEY}: {value}{line_end}", " ".repeat(indent)) })
    })?;
    entries::apply(own, splice)
}

/// Removes the hold; does nothing if there is none.
pub(super) fn remove_hold(own: &mut FileEdit) -> Result<(), Refusal> {
    let splice = own.root(|root| {
        let map = YamlMap::of(&own.text, root?)?;
        map.get(HOLD_KEY).map(|entry| map.without(entry))
    })?;
    match splice {
        Some(splice) => entries::apply(own, splice),
        None => Ok(()),
    }
}

fn written(new: &NewHold) -> String {
    let (key, versions) = match &new.versions {
        HeldVersions::Above(version) => ("above", version.as_str()),
        HeldVersions::Versions(range) => ("versions", range.as_str()),
    };
    let mut parts = vec![(key, scalar::quoted(versions)), ("reason", scalar::quoted(&new.reason))];
    parts.extend(new.by.as_ref().map(|by| ("by", scalar::quoted(by))));
    parts.extend(new.until.map(|until| ("until", until.to_string())));
    let parts: Vec<String> = parts.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", parts.join(", "))
}
