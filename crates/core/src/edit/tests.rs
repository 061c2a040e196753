//! Edits of unusual files, with the whole output compared; and properties.

mod any;
mod markers;
mod needs;
mod pins;
mod restore;

use std::sync::Arc;

use super::{EarlierRevision, Edit, NewHold, RevisionFiles, apply_edits, in_words};
use crate::git::{FileChange, FileContent, RepoFile, blob_id};
use crate::pins::{HeldVersions, ParsedRevision, ServiceName, parse_revision};

/// The files of a revision with their pins.
pub(super) struct Repo {
    files: Vec<RepoFile>,
    reading: ParsedRevision,
}

impl Repo {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| {
            let bytes: Arc<[u8]> = text.as_bytes().into();
            RepoFile { path: (*path).into(), blob: blob_id(&bytes), content: FileContent::Bytes(bytes) }
        };
        let mut files: Vec<RepoFile> = files.iter().map(file).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let reading = parse_revision("", &files);
        Self { files, reading }
    }

    /// Builds a repository with this file for `checkout`, and two services that it may need.
    pub(super) fn checkout(text: &str) -> Self {
        let other = "version: \"2.0.0\"\nimage: ghcr.io/acme/x\n";
        Self::of(&[
            ("services/checkout.yaml", text),
            ("services/payments.yaml", other),
            ("services/inventory.yaml", other),
        ])
    }

    pub(super) fn said(&self) -> RevisionFiles<'_> {
        RevisionFiles { root: "", files: &self.files, reading: &self.reading, known: None }
    }

    pub(super) fn text(&self, path: &str) -> String {
        let bytes = super::revision::bytes(&self.files, path).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// Returns the edit that restores a service as it is in this repository.
    pub(super) fn restore(&self, name: &str) -> Edit {
        let then = EarlierRevision { root: String::new(), files: self.files.clone(), reading: self.reading.clone() };
        Edit::Restore { as_of: Arc::new(then), name: name.parse_name() }
    }

    /// Returns the texts of the changed files, or the refusal.
    pub(super) fn edit(&self, name: &str, one: Edit) -> Result<Vec<(String, Option<String>)>, String> {
        let edited = apply_edits(&self.said(), &[(name.parse_name(), one)]).map_err(|refusal| {
            let remedy = refusal.remedy.as_ref().map(|remedy| serde_json::to_string(remedy).unwrap());
            format!("{}\n  {}", in_words(&refusal, &self.files), refusal.hint.clone().or(remedy).unwrap_or_default())
        })?;
        let text = |FileChange { path, content }: FileChange| {
            (path.to_string(), content.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
        };
        Ok(edited.files.into_iter().map(text).collect())
    }

    /// Returns the text of the changed files, or the refusal.
    pub(super) fn after(&self, name: &str, one: Edit) -> String {
        match self.edit(name, one) {
            Ok(edited) => edited.into_iter().map(|(_, text)| text.unwrap_or_else(|| "(removed)".to_owned())).collect(),
            Err(refusal) => refusal,
        }
    }
}

pub(super) trait ParseName {
    fn parse_name(&self) -> ServiceName;
}

impl ParseName for str {
    fn parse_name(&self) -> ServiceName {
        ServiceName::new(self).unwrap()
    }
}

pub(super) fn pin(version: &str) -> Edit {
    Edit::Pin { version: version.parse().unwrap(), digest: None, needs: Vec::new() }
}

pub(super) fn need(version: &str, provider: &str, range: &str) -> Edit {
    let needs = vec![(provider.parse_name(), range.parse().unwrap())];
    Edit::Pin { version: version.parse().unwrap(), digest: None, needs }
}

pub(super) fn hold(above: &str) -> Edit {
    Edit::Hold(NewHold {
        versions: HeldVersions::Above(above.parse().unwrap()),
        reason: "it says \"no\"\nand: # not".to_owned(),
        by: Some("Ada".to_owned()),
        until: Some("2026-12-01T00:00:00Z".parse().unwrap()),
    })
}
