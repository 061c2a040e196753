//! The stored index: replaced atomically, verified when read, and never trusted.
#![expect(clippy::disallowed_methods, reason = "this room keeps the cache")]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pintle_core::git::blob_id;
use pintle_core::history::{History, StoredHistory};
use pintle_core::pins::{Layout, ServiceName};
use serde::{Deserialize, Serialize};

use super::error::SourceResult;
use super::tree::TreeEntry;
use super::{RepositoryLocation, Source, SourceError};

/// The header of an index file. An index of another Pintle version is rebuilt.
const INDEX_FORMAT: &str = concat!("pintle-index 3 ", env!("CARGO_PKG_VERSION"));

/// The number of indexes kept per repository: one for each branch and layout in use, and some to experiment.
const MAX_KEPT_INDEXES: usize = 16;

/// A pin file: its path, its object, and the services it mentions.
pub(super) type StoredFile = (Arc<str>, TreeEntry, Vec<ServiceName>);

/// The content of an index file.
#[derive(Serialize, Deserialize)]
struct StoredIndex {
    history: StoredHistory,
    files: Vec<StoredFile>,
}

/// Returns the file of a branch's index. Everything that affects the content is part of its name.
pub(super) fn path(source: &Source, branch: &str, layout: &Layout) -> PathBuf {
    let place = match source.location() {
        RepositoryLocation::Path(path) => {
            RepositoryLocation::Path(source.repo().common_dir().canonicalize().unwrap_or_else(|_| path.clone()))
        }
        url @ RepositoryLocation::Url(_) => url.clone(),
    };
    // Unshallowing a clone makes its history longer.
    let cut = source.repo().shallow_commits().ok().flatten();
    let cut: Vec<String> = cut.iter().flat_map(|cut| cut.iter()).map(ToString::to_string).collect();
    let key = format!("{branch}\0{}{}", layout.fingerprint(), cut.join(" "));
    source.access.cache.join("index").join(place.cache_folder_name()).join(blob_id(key.as_bytes()).to_hex() + ".json")
}

/// Loads the index; none if it is missing, damaged or of another version.
pub(super) fn load(path: &Path) -> Option<(History, Vec<StoredFile>)> {
    let text = std::fs::read(path).ok()?;
    let stored = parse(&text);
    if stored.is_none() {
        tracing::debug!(path = %path.display(), "the index cannot be used and is built anew");
    }
    stored.map(|StoredIndex { history, files }| (history.restore(), files))
}

/// Writes the index atomically, so that readers find either the old one or the new one.
pub(super) fn save(path: &Path, history: &History, files: Vec<StoredFile>) -> SourceResult<()> {
    let Some(history) = StoredHistory::of(history) else { return Ok(()) };
    let stored = StoredIndex { history, files };
    let fail = |error| SourceError::File { attempt: "write the index", path: path.to_owned(), error };
    let body = serde_json::to_vec(&stored).map_err(|error| fail(error.into()))?;
    let mut text = format!("{INDEX_FORMAT} {:016x}\n", checksum(&body)).into_bytes();
    text.extend_from_slice(&body);
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(fail)?;
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(fail)?;
    sweep(folder);
    Ok(())
}

fn parse(text: &[u8]) -> Option<StoredIndex> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let (head, body) = (std::str::from_utf8(&text[..end]).ok()?, &text[end + 1..]);
    let sum = head.strip_prefix(INDEX_FORMAT)?.trim();
    if sum != format!("{:016x}", checksum(body)) {
        return None;
    }
    serde_json::from_slice(body).ok()
}

/// Detects a torn file, not a forged one: anyone who can write the cache can also write the mirror.
fn checksum(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

/// Removes the oldest indexes and the temporary files of killed processes.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> =
        entries.flatten().filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    files.sort_by(|a, b| b.cmp(a));
    for (_, old) in files.into_iter().skip(MAX_KEPT_INDEXES) {
        let _ = std::fs::remove_file(old);
    }
}
