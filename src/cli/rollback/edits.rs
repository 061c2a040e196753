//! The edits of a rollback: the core decides them, and earlier revisions are read from Git.

use std::sync::Arc;

use pintle_core::edit::{self, EarlierRevision, Edit};
use pintle_core::git::{Commit, CommitId, RepoFile};
use pintle_core::pins::{Service, ServiceName};
use pintle_core::rollback::{EarlierFiles, Member, RestoreError, earlier_revision, restores as restored};

use crate::cli::config::CliConfig;
use crate::cli::exit::CommandError;
use crate::cli::load::{LoadedRevision, Revision};
use crate::cli::output::{NAME_STYLE, styled};
use crate::source::{FileScope, SourceError};

/// Says which markers of Flux are muted with the holds.
pub(super) fn muted(config: &CliConfig, loaded: &LoadedRevision, edits: &[(ServiceName, Edit)]) -> Vec<String> {
    let tip = loaded.revision.revision_files(&config.pin_folder);
    let words = |name| format!("  and Flux does not write {} meanwhile: its marker is muted", styled(NAME_STYLE, name));
    edit::muted_services(&tip, edits).into_iter().map(words).collect()
}

/// Returns the edits that restore each member's version-bound keys.
pub(super) fn restores(
    config: &CliConfig,
    loaded: &LoadedRevision,
    members: &[Member],
) -> Result<Vec<(ServiceName, Edit)>, CommandError> {
    let root = config.pin_folder.as_str();
    let whole = |commit: &Arc<Commit>| {
        let settings = Some(&loaded.revision.reading.pins.settings);
        let Revision { files, reading, .. } =
            Revision::read_with(&loaded.source, root, Some(Arc::clone(commit)), settings)?;
        Ok(EarlierRevision { root: root.to_owned(), files, reading })
    };
    let parent = |commit: CommitId| match loaded.source.resolve(&format!("{commit}~1")) {
        Ok(parent) => Ok(Some(parent.id)),
        // A shallow clone may end there.
        Err(SourceError::Revision { .. }) => Ok(None),
        Err(error) => Err(CommandError::from(error)),
    };
    let earlier = EarlierFiles { parent: &parent, files: &|when, paths| files(loaded, when, paths), whole: &whole };
    restored(&loaded.revision.revision_files(root), &loaded.history, members, &earlier).map_err(|error| match error {
        RestoreError::Read(failure) => failure,
        RestoreError::NotFound { service, pin, commit } => {
            let (version, at) = (pin.version, commit.id.short());
            CommandError::error(format!("how {service} {version} was pinned at {at} cannot be read any more"))
                .hint(format!("pin it: pintle pin {service} {version}"))
        }
    })
}

/// Reads what an earlier revision says of some services.
pub(super) fn earlier(
    config: &CliConfig,
    loaded: &LoadedRevision,
    when: CommitId,
    services: &[&Service],
) -> Result<EarlierRevision, CommandError> {
    earlier_revision(&loaded.revision.revision_files(&config.pin_folder), when, services, &|when, paths| {
        files(loaded, when, paths)
    })
}

fn files(loaded: &LoadedRevision, when: CommitId, paths: &[Arc<str>]) -> Result<Vec<RepoFile>, CommandError> {
    Ok(loaded.source.files(when, FileScope::Paths(paths))?.files)
}
