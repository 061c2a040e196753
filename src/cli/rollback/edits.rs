//! The edits of a rollback: the core decides them, and earlier revisions are read from Git.

use std::sync::Arc;

use pintle_core::edit::{self, EarlierRevision, Edit};
use pintle_core::git::{Commit, CommitId, File};
use pintle_core::pins::{Service, ServiceName};
use pintle_core::rollback::{EarlierFiles, Member, RestoreError, earlier_revision, restores as restored};

use crate::cli::config::Config;
use crate::cli::exit::Failure;
use crate::cli::load::{Loaded, Revision};
use crate::cli::output::{NAME, styled};
use crate::source::{Scope, SourceError};

/// Says which markers of Flux are muted with the holds.
pub(super) fn muted(config: &Config, loaded: &Loaded, edits: &[(ServiceName, Edit)]) -> Vec<String> {
    let tip = loaded.at.said(&config.root);
    let words = |name| format!("  and Flux does not write {} meanwhile: its marker is muted", styled(NAME, name));
    edit::muted(&tip, edits).into_iter().map(words).collect()
}

/// Returns the edits that restore each member's version-bound keys.
pub(super) fn restores(
    config: &Config,
    loaded: &Loaded,
    members: &[Member],
) -> Result<Vec<(ServiceName, Edit)>, Failure> {
    let root = config.root.as_str();
    let whole = |commit: &Arc<Commit>| {
        let settings = Some(&loaded.at.reading.pins.settings);
        let Revision { files, reading, .. } =
            Revision::read_with(&loaded.source, root, Some(Arc::clone(commit)), settings)?;
        Ok(EarlierRevision { root: root.to_owned(), files, reading })
    };
    let parent = |commit: CommitId| match loaded.source.resolve(&format!("{commit}~1")) {
        Ok(parent) => Ok(Some(parent.id)),
        // A shallow clone may end there.
        Err(SourceError::Revision { .. }) => Ok(None),
        Err(error) => Err(Failure::from(error)),
    };
    let earlier = EarlierFiles { parent: &parent, files: &|when, paths| files(loaded, when, paths), whole: &whole };
    restored(&loaded.at.said(root), &loaded.history, members, &earlier).map_err(|error| match error {
        RestoreError::Read(failure) => failure,
        RestoreError::NotFound { service, pin, commit } => {
            let (version, at) = (pin.version, commit.id.short());
            Failure::error(format!("how {service} {version} was pinned at {at} cannot be read any more"))
                .hint(format!("pin it: pintle pin {service} {version}"))
        }
    })
}

/// Reads what an earlier revision says of some services.
pub(super) fn earlier(
    config: &Config,
    loaded: &Loaded,
    when: CommitId,
    services: &[&Service],
) -> Result<EarlierRevision, Failure> {
    earlier_revision(&loaded.at.said(&config.root), when, services, &|when, paths| files(loaded, when, paths))
}

fn files(loaded: &Loaded, when: CommitId, paths: &[Arc<str>]) -> Result<Vec<File>, Failure> {
    Ok(loaded.source.files(when, Scope::Paths(paths))?.files)
}
