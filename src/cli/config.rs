//! What was typed, and what is meant by it: resolved once, so that no other room asks the environment.
#![expect(clippy::disallowed_methods, reason = "this room reads the environment")]

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice};
use pintle_core::pins::SETTINGS_FILE;

use crate::source::{Access, RepositoryLocation, SourceError, find_root};

/// The flags that every command takes, as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where, for every command")]
pub(super) struct GlobalArgs {
    /// The pin repository [default: the one around the current folder]
    #[arg(long, global = true, value_name = "PATH|URL")]
    pub repo: Option<String>,
    /// The folder of the pins in it [default: the nearest folder upwards with a pintle.yaml, else the repository]
    #[arg(long, global = true, value_name = "DIR")]
    pub path: Option<String>,
    /// The branch that counts [default: the one that HEAD is on]
    #[arg(long, global = true, value_name = "NAME")]
    pub branch: Option<String>,
    /// Fetch from a plain http URL, although whoever is on the way can change what is deployed
    #[arg(long, global = true)]
    pub dangerous_plain_http: bool,
    /// The kubeconfig context [default: the current one]
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// For services that name no namespace [default: the one of pintle.yaml, else of the context]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Where mirrors and indexes are kept.
    #[arg(long, global = true, value_name = "DIR", env = CACHE_DIR_VARIABLE, hide_env_values = true, help = CACHE_DIR_HELP)]
    pub cache_dir: Option<PathBuf>,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help = COLOR_HELP)]
    pub color: ColorChoice,
    /// Log what is done to stderr; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What is meant.
#[derive(Debug, Clone)]
pub(super) struct CliConfig {
    /// Where the pin repository is.
    pub location: RepositoryLocation,
    /// The folder of the pins in it; empty for the repository itself.
    pub pin_folder: String,
    /// The branch; none for the one that HEAD is on.
    pub branch: Option<String>,
    /// How the repository is reached.
    pub access: Access,
    /// The kubeconfig context; none for the current one.
    pub context: Option<String>,
    /// For services that name no namespace.
    pub namespace: Option<String>,
    /// Where the local runtime remembers what it runs; none where no home is known.
    pub state_folder: Option<PathBuf>,
    /// Who typed it, as the system knows them.
    pub user: String,
}

/// Why what was typed means nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Found the repository.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Read `--path`.
    #[error("--path {0:?} does not lie in the repository")]
    PinFolder(String),
    /// Looked for the current folder.
    #[error("the current folder cannot be told: {0}")]
    CurrentFolder(std::io::Error),
    /// Looked for the cache folder.
    #[error("there is no cache folder: none of --cache-dir, {CACHE_DIR_VARIABLE}, XDG_CACHE_HOME and HOME is set")]
    NoCacheFolder,
}

const CACHE_DIR_VARIABLE: &str = "PINTLE_CACHE_DIR";
const CACHE_DIR_HELP: &str =
    "Where mirrors and indexes are kept; it can be deleted [default: $XDG_CACHE_HOME/pintle or ~/.cache/pintle]";
const COLOR_HELP: &str = "When to use colour; auto heeds NO_COLOR and whether stdout is a terminal";

impl CliConfig {
    /// Finds out what is meant.
    ///
    /// # Errors
    /// It means nothing.
    pub(super) fn resolve(typed: &GlobalArgs) -> Result<Self, ConfigError> {
        let GlobalArgs {
            repo,
            path,
            branch,
            dangerous_plain_http,
            context,
            namespace,
            cache_dir,
            color: _,
            verbose: _,
        } = typed;
        let (location, start) = locate(repo.as_deref(), *dangerous_plain_http)?;
        let root = match path {
            Some(path) => inside(path).ok_or_else(|| ConfigError::PinFolder(path.clone()))?,
            None => start.as_deref().and_then(|start| nearest(&location, start)).unwrap_or_default(),
        };
        Ok(Self {
            location,
            pin_folder: root,
            branch: branch.clone(),
            access: Access::new(cache(cache_dir.as_deref())?),
            context: context.clone(),
            namespace: namespace.clone(),
            state_folder: state(),
            user: user(),
        })
    }
}

/// Where the repository is, and for one of this host the folder from which it was found.
fn locate(repo: Option<&str>, plain_http: bool) -> Result<(RepositoryLocation, Option<PathBuf>), ConfigError> {
    let parse = if plain_http { RepositoryLocation::parse_with_plain_http } else { RepositoryLocation::parse };
    let here = || env::current_dir().map_err(ConfigError::CurrentFolder);
    let start = match repo.map(parse).transpose()? {
        Some(RepositoryLocation::Path(path)) => here()?.join(path),
        Some(url) => return Ok((url, None)),
        None => here()?,
    };
    Ok((RepositoryLocation::Path(find_root(&start)?), Some(start)))
}

/// The folder of the nearest `pintle.yaml` from `start` upwards, as a path in the repository.
fn nearest(location: &RepositoryLocation, start: &Path) -> Option<String> {
    let RepositoryLocation::Path(root) = location else { return None };
    let (root, start) = (root.canonicalize().ok()?, start.canonicalize().ok()?);
    let folder = start
        .ancestors()
        .take_while(|folder| folder.starts_with(&root))
        .find(|folder| folder.join(SETTINGS_FILE).is_file());
    inside(folder?.strip_prefix(&root).ok()?.to_str()?)
}

/// A path in the repository, in its normal form.
fn inside(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let refused = path.starts_with('/') || path.contains(char::is_control);
    (!refused && !parts.iter().any(|part| *part == ".." || part.eq_ignore_ascii_case(".git"))).then(|| parts.join("/"))
}

/// Who types, for others who wonder.
fn user() -> String {
    let named = ["USER", "LOGNAME"].iter().filter_map(|name| env::var(name).ok()).find(|name| !name.is_empty());
    named.unwrap_or_else(|| "somebody".to_owned())
}

/// The state folder, as the XDG Base Directory Specification says.
fn state() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || folder("HOME").map(|home| home.join(".local/state"));
    folder("XDG_STATE_HOME").or_else(home).map(|state| state.join("pintle"))
}

/// The cache folder: the flag or its variable, else what the XDG Base Directory Specification says.
fn cache(named: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let folder = |name| env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    if let (Some(named), Some(variable)) = (named, folder(CACHE_DIR_VARIABLE))
        && named != variable
    {
        tracing::info!("--cache-dir {} wins over {CACHE_DIR_VARIABLE} {}", named.display(), variable.display());
    }
    named
        .map(Path::to_owned)
        .or_else(|| folder("XDG_CACHE_HOME").filter(|home| home.is_absolute()).map(|home| home.join("pintle")))
        .or_else(|| folder("HOME").map(|home| home.join(".cache/pintle")))
        .ok_or(ConfigError::NoCacheFolder)
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_path_in_the_repository_has_one_form() {
        for (typed, meant) in [("", ""), (".", ""), ("./envs//prod/", "envs/prod"), ("a.b", "a.b")] {
            assert_eq!(inside(typed).as_deref(), Some(meant));
        }
    }

    #[test]
    fn a_path_out_of_the_repository_is_refused() {
        for typed in ["/etc", "..", "a/../b", ".git", "a/.GIT/hooks", "a\nb"] {
            assert_eq!(inside(typed), None, "{typed}");
        }
    }
}
