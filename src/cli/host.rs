//! The local runtime of a repository, and where its state is.

use std::path::PathBuf;

use pintle_core::desired::DesiredState;
use pintle_core::pins::{Runtime, Settings};

use super::exit::CommandError;
use super::load::{LoadedRevision, load};
use crate::cli::config::CliConfig;
use crate::cluster::ClusterError;
use crate::cluster::local::{LocalPaths, LocalRuntime};
use crate::controller::local_services;
use crate::source::RepositoryLocation;

/// Opens the local runtime. `changes`: what others are told who would change something at the same time; none where
/// nothing is changed.
pub(super) fn open_local_runtime(
    config: &CliConfig,
    desired: &DesiredState,
    changes: Option<&str>,
) -> Result<LocalRuntime, ClusterError> {
    let place = local_paths(config, &desired.pins.settings)
        .map_err(|failure: CommandError| ClusterError::ConnectionConfig(failure.message))?;
    match changes {
        Some(command) => LocalRuntime::open_locked(place, local_services(desired), command),
        None => LocalRuntime::open_read_only(place, local_services(desired)),
    }
}

/// The revision that a command of the local runtime alone begins with. `instead` is what to type on Kubernetes.
pub(super) fn load_local(config: &CliConfig, what: &str, instead: &str) -> Result<LoadedRevision, CommandError> {
    let loaded = load(config, None)?;
    match loaded.revision.reading.pins.settings.runtime {
        Runtime::Local => Ok(loaded),
        Runtime::Kubernetes => {
            let words = format!("{what} is for `runtime: local`, and pintle.yaml does not say that");
            Err(CommandError::usage(words).hint(instead))
        }
    }
}

/// Where the local runtime of a repository is. Clones of a repository share an instance that has a name; without one,
/// each has its own.
pub(super) fn local_paths(config: &CliConfig, settings: &Settings) -> Result<LocalPaths, CommandError> {
    let nowhere = || CommandError::usage("there is no state folder: neither XDG_STATE_HOME nor HOME is set");
    let state = config.state_folder.clone().ok_or_else(nowhere)?;
    let repository = match &config.location {
        RepositoryLocation::Path(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
        RepositoryLocation::Url(_) => PathBuf::new(),
    };
    let folder = state.join(&settings.instance);
    let folder = if settings.instance == Settings::default().instance {
        let location = match &config.location {
            RepositoryLocation::Path(_) => RepositoryLocation::Path(repository.join(&config.pin_folder)),
            url @ RepositoryLocation::Url(_) => url.clone(),
        };
        folder.join(location.cache_folder_name())
    } else {
        folder
    };
    let home = match &config.location {
        RepositoryLocation::Path(_) => repository.join(&config.pin_folder),
        RepositoryLocation::Url(_) => state,
    };
    let shim =
        std::env::current_exe().map_err(|error| CommandError::error(format!("this program is not found: {error}")))?;
    Ok(LocalPaths { state_folder: folder, working_folder: home, shim })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Access;

    fn folder(repository: &str, root: &str, instance: &str) -> PathBuf {
        let config = CliConfig {
            location: RepositoryLocation::Path(repository.into()),
            pin_folder: root.to_owned(),
            branch: None,
            access: Access::new("/cache"),
            context: None,
            namespace: None,
            state_folder: Some("/state".into()),
            user: "ada".to_owned(),
        };
        local_paths(&config, &Settings { instance: instance.to_owned(), ..Settings::default() }).unwrap().state_folder
    }

    #[test]
    fn clones_share_an_instance_that_has_a_name_and_nothing_without_one() {
        assert_eq!(folder("/a", "", "prod"), PathBuf::from("/state/prod"));
        assert_eq!(folder("/a", "", "prod"), folder("/b", "x", "prod"));
        let unnamed = |repository, root| folder(repository, root, &Settings::default().instance);
        assert_eq!(unnamed("/a", ""), unnamed("/a", ""));
        assert_ne!(unnamed("/a", ""), unnamed("/b", ""));
        assert_ne!(unnamed("/a", ""), unnamed("/a", "x"));
    }
}
