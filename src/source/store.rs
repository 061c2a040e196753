//! The index on disk: written whole and moved into place, checked when it is read, and never trusted.
#![expect(clippy::disallowed_methods, reason = "this room keeps the cache")]

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::Result;
use super::tree::Leaf;
use super::{Commit, History, Location, Record, Source, SourceError, content_id};
use crate::image::Image;
use crate::pins::{DependsOn, Layout, Local, Pin, ServiceName, Verify};
use crate::version::Version;

/// An index written by another version of Pintle is built anew.
const FORMAT: &str = concat!("pintle-index 2 ", env!("CARGO_PKG_VERSION"));

/// So many indexes of one repository are kept: one for each branch and layout in use, with room for trying others.
const KEPT: usize = 16;

/// A wanted file: its path, what stands there, and the services it speaks of.
pub(super) type KnownFile = (Arc<str>, Leaf, Vec<ServiceName>);

/// The position of a record among the moves, and its pin.
type StoredRecord = (u32, Option<StoredPin>);

/// What is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    tip: Arc<Commit>,
    moves: Vec<Arc<Commit>>,
    /// What versions need; most versions of a service need the same.
    needs: Vec<Arc<DependsOn>>,
    services: Vec<(ServiceName, Vec<StoredRecord>)>,
    files: Vec<KnownFile>,
}

/// A pin; what it needs as its place among [`Stored::needs`].
#[derive(Serialize, Deserialize)]
struct StoredPin {
    version: Version,
    image: Image,
    needs: usize,
    #[serde(default, skip_serializing_if = "is_default")]
    verify: Verify,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local: Option<Arc<Local>>,
}

fn is_default(verify: &Verify) -> bool {
    *verify == Verify::default()
}

/// Where the index of a branch is kept. All that changes what it holds is part of its name.
pub(super) fn path(source: &Source, branch: &str, layout: &Layout) -> PathBuf {
    let place = match source.location() {
        Location::Path(path) => {
            Location::Path(source.repo().common_dir().canonicalize().unwrap_or_else(|_| path.clone()))
        }
        url @ Location::Url(_) => url.clone(),
    };
    // A shallow clone that is deepened has a longer history.
    let cut = source.repo().shallow_commits().ok().flatten();
    let cut: Vec<String> = cut.iter().flat_map(|cut| cut.iter()).map(ToString::to_string).collect();
    let key = format!("{branch}\0{}{}", layout.fingerprint(), cut.join(" "));
    source.access.cache.join("index").join(place.slug()).join(content_id(key.as_bytes()).to_hex() + ".json")
}

/// The index, unless there is none, or it is broken or foreign.
pub(super) fn load(path: &Path) -> Option<Stored> {
    let text = std::fs::read(path).ok()?;
    let stored = parse(&text);
    if stored.is_none() {
        tracing::debug!(path = %path.display(), "the index cannot be used and is built anew");
    }
    stored
}

/// Writes the index beside its place and moves it there, so that a reader finds the old one or the new one.
pub(super) fn save(path: &Path, history: &History, files: Vec<KnownFile>) -> Result<()> {
    let Some(tip) = history.tip() else { return Ok(()) };
    let (mut needs, mut places) = (Vec::new(), HashMap::new());
    let mut pin = |pin: &Arc<Pin>| {
        let Pin { version, image, depends_on, verify, local } = Pin::clone(pin);
        let place = *places.entry(Arc::as_ptr(&depends_on)).or_insert(needs.len());
        if place == needs.len() {
            needs.push(depends_on);
        }
        StoredPin { version, image, needs: place, verify, local }
    };
    let mut records = |records: &[Record]| {
        records.iter().map(|record| (record.position, record.pin.as_ref().map(&mut pin))).collect::<Vec<_>>()
    };
    let services = history.services().map(|(name, line)| (name.clone(), records(line))).collect();
    let stored = Stored { tip: Arc::clone(tip), moves: history.moves().to_vec(), needs, services, files };
    let fail = |error| SourceError::File { attempt: "write the index", path: path.to_owned(), error };
    let body = serde_json::to_vec(&stored).map_err(|error| fail(error.into()))?;
    let mut text = format!("{FORMAT} {:016x}\n", checksum(&body)).into_bytes();
    text.extend_from_slice(&body);
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(fail)?;
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(fail)?;
    sweep(folder);
    Ok(())
}

impl Stored {
    pub(super) fn restore(self) -> (History, Vec<KnownFile>) {
        let (moves, all_needs) = (&self.moves, &self.needs);
        let pin = |StoredPin { version, image, needs, verify, local }: StoredPin| {
            let depends_on = Arc::clone(all_needs.get(needs)?);
            Some(Arc::new(Pin { version, image, depends_on, verify, local }))
        };
        let record = |(position, stored): (u32, Option<StoredPin>)| {
            let commit = Arc::clone(moves.get(usize::try_from(position).ok()?)?);
            let pin = match stored {
                Some(stored) => Some(pin(stored)?),
                None => None,
            };
            Some(Record { commit, position, pin })
        };
        let services =
            self.services.into_iter().map(|(name, line)| (name, line.into_iter().filter_map(record).collect()));
        let mut history = History::restore(moves.clone(), services);
        history.reach(self.tip);
        (history, self.files)
    }
}

fn parse(text: &[u8]) -> Option<Stored> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let (head, body) = (std::str::from_utf8(&text[..end]).ok()?, &text[end + 1..]);
    let sum = head.strip_prefix(FORMAT)?.trim();
    if sum != format!("{:016x}", checksum(body)) {
        return None;
    }
    serde_json::from_slice(body).ok()
}

/// Guards against a torn file, not against a forger: who may write the cache may as well write the mirror.
fn checksum(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

/// Removes the oldest indexes, and what processes that were killed have left.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> =
        entries.flatten().filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    files.sort_by(|a, b| b.cmp(a));
    for (_, old) in files.into_iter().skip(KEPT) {
        let _ = std::fs::remove_file(old);
    }
}
