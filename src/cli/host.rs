//! The local runtime of a repository, and where its state is.

use std::path::PathBuf;

use pintle_core::desired::DesiredState;
use pintle_core::pins::{Runtime, Settings};

use super::exit::Failure;
use super::load::{Loaded, load};
use crate::cli::config::Config;
use crate::cluster::ClusterError;
use crate::cluster::local::{LocalHost, Place};
use crate::controller::local_services;
use crate::source::Location;

/// Opens the local runtime. `changes`: what others are told who would change something at the same time; none where
/// nothing is changed.
pub(super) fn host(config: &Config, desired: &DesiredState, changes: Option<&str>) -> Result<LocalHost, ClusterError> {
    let place =
        place(config, &desired.pins.settings).map_err(|failure: Failure| ClusterError::Config(failure.message))?;
    match changes {
        Some(command) => LocalHost::change(place, local_services(desired), command),
        None => LocalHost::look(place, local_services(desired)),
    }
}

/// The revision that a command of the local runtime alone begins with. `instead` is what to type on Kubernetes.
pub(super) fn load_local(config: &Config, what: &str, instead: &str) -> Result<Loaded, Failure> {
    let loaded = load(config, None)?;
    match loaded.at.reading.pins.settings.runtime {
        Runtime::Local => Ok(loaded),
        Runtime::Kubernetes => {
            let words = format!("{what} is for `runtime: local`, and pintle.yaml does not say that");
            Err(Failure::usage(words).hint(instead))
        }
    }
}

/// Where the local runtime of a repository is. Clones of a repository share an instance that has a name; without one,
/// each has its own.
pub(super) fn place(config: &Config, settings: &Settings) -> Result<Place, Failure> {
    let nowhere = || Failure::usage("there is no state folder: neither XDG_STATE_HOME nor HOME is set");
    let state = config.state.clone().ok_or_else(nowhere)?;
    let repository = match &config.location {
        Location::Path(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
        Location::Url(_) => PathBuf::new(),
    };
    let folder = state.join(&settings.instance);
    let folder = if settings.instance == Settings::default().instance {
        let location = match &config.location {
            Location::Path(_) => Location::Path(repository.join(&config.root)),
            url @ Location::Url(_) => url.clone(),
        };
        folder.join(location.slug())
    } else {
        folder
    };
    let home = match &config.location {
        Location::Path(_) => repository.join(&config.root),
        Location::Url(_) => state,
    };
    let shim =
        std::env::current_exe().map_err(|error| Failure::error(format!("this program is not found: {error}")))?;
    Ok(Place { folder, home, shim })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Access;

    fn folder(repository: &str, root: &str, instance: &str) -> PathBuf {
        let config = Config {
            location: Location::Path(repository.into()),
            root: root.to_owned(),
            branch: None,
            access: Access::new("/cache"),
            context: None,
            namespace: None,
            state: Some("/state".into()),
            user: "ada".to_owned(),
        };
        place(&config, &Settings { instance: instance.to_owned(), ..Settings::default() }).unwrap().folder
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
