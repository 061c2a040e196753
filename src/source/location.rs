//! The location of the pin repository: a path, or a normalised URL without credentials.

use std::fmt;
use std::path::PathBuf;

use super::error::SourceResult;
use super::{RemoteUrl, SourceError, url};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RepositoryLocation {
    /// A repository on this host, read in place.
    Path(PathBuf),
    /// A remote, mirrored in the cache.
    Url(RemoteUrl),
}

impl RepositoryLocation {
    /// Parses a location typed by the user. Plain http is refused, because anyone on the path could change what is
    /// deployed.
    pub fn parse(text: &str) -> SourceResult<Self> {
        Self::read(text, false)
    }

    /// Parses a location and accepts plain http.
    pub fn parse_with_plain_http(text: &str) -> SourceResult<Self> {
        Self::read(text, true)
    }

    fn read(text: &str, plain_http: bool) -> SourceResult<Self> {
        let refuse = |(why, hint)| SourceError::Location { typed: redact(text), why, hint };
        if text.is_empty() {
            return Err(refuse(("it is empty", url::LOCATION_FORMS)));
        }
        if text.starts_with('-') {
            return Err(refuse(("it begins with a dash, like an option", "write ./-name for such a folder")));
        }
        if text.chars().any(char::is_control) {
            return Err(refuse(("it has control characters", url::LOCATION_FORMS)));
        }
        let colon = text.find(':').filter(|colon| !text[..*colon].contains(['/', '\\']));
        match (text.split_once("://"), colon) {
            (Some((scheme, rest)), _) => url::url(scheme, rest, plain_http).map(Self::Url).map_err(refuse),
            (None, Some(colon)) if text[colon..].starts_with("::") => {
                Err(refuse(("transport helpers run programs", url::LOCATION_FORMS)))
            }
            // On Windows, a single letter is a drive, not a host.
            (None, Some(colon)) if !(cfg!(windows) && colon == 1) => {
                url::scp(&text[..colon], &text[colon + 1..]).map(Self::Url).map_err(refuse)
            }
            _ => Ok(Self::Path(PathBuf::from(text))),
        }
    }

    /// Returns the name of the location's cache folder, unique and readable.
    pub fn cache_folder_name(&self) -> String {
        let normal = self.to_normal();
        let readable: String = normal
            .rsplit_once("://")
            .map_or(normal.as_str(), |(_, rest)| rest)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let tail: String = readable.chars().skip(readable.len().saturating_sub(40)).collect();
        format!("{}-{}", &pintle_core::git::blob_id(normal.as_bytes()).to_hex()[..16], tail.trim_matches('-'))
    }

    fn to_normal(&self) -> String {
        match self {
            Self::Path(path) => path.to_string_lossy().into_owned(),
            Self::Url(url) => url.normal.clone(),
        }
    }
}

impl fmt::Display for RepositoryLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// Removes potential secrets: everything before an `@`, and everything after `?` or `#`.
fn redact(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let scheme = text.find("://").map_or("", |colon| &text[..colon + 3]);
    let shown = match text.rsplit_once('@') {
        Some((before, after)) if before != format!("{scheme}git") => format!("{scheme}…@{after}"),
        _ => text.to_owned(),
    };
    pintle_core::problem::display_safe(&shown, 200)
}

#[cfg(test)]
mod tests {
    use super::RepositoryLocation;

    fn normal(text: &str) -> String {
        RepositoryLocation::parse(text).unwrap().to_normal()
    }

    #[test]
    fn paths_stay_as_they_are() {
        for path in ["pins", "./a:b", "/srv/pins.git", "../x", "a/b:c", "."] {
            assert_eq!(RepositoryLocation::parse(path).unwrap(), RepositoryLocation::Path(path.into()), "{path}");
        }
    }

    #[test]
    fn spellings_of_one_remote_have_one_normal_form() {
        let https = "https://git.example.com/acme/Pins";
        for text in [https, "HTTPS://Git.Example.COM:443/acme/Pins.git", "https://git.example.com/acme/Pins/"] {
            assert_eq!(normal(text), https);
        }
        let ssh = "ssh://git@git.example.com/acme/pins";
        for text in [ssh, "git@git.example.com:acme/pins.git", "ssh://git@GIT.example.com:22/acme/pins.git/"] {
            assert_eq!(normal(text), ssh);
        }
        assert_eq!(normal("ssh://git@[::1]:2222/pins"), "ssh://git@[::1]:2222/pins");
        assert_eq!(normal("file:///srv/pins.git"), "file:///srv/pins");
    }

    #[test]
    fn a_slug_is_readable_and_tells_remotes_apart() {
        let slug = |text| RepositoryLocation::parse(text).unwrap().cache_folder_name();
        assert!(slug("https://git.example.com/acme/pins").ends_with("-git-example-com-acme-pins"));
        assert_ne!(slug("https://a/b-c"), slug("https://a/b/c"));
        assert_eq!(slug("https://a/b"), slug("https://A/b.git"));
    }

    #[test]
    fn bad_locations_are_refused_and_secrets_not_repeated() {
        let bad = [
            "",
            "-u",
            "--upload-pack=x",
            "ext::sh -c x",
            "ssh://-oProxyCommand=x/y",
            "http://a/b",
            "ftp://a/b",
            "https:///x",
            "https://a",
            "https://a/",
            "https://a/.git",
            "file:///",
            "file://host/x",
            "https://bücher/x",
            "https://a:0/x",
            "https://a:99999/x",
            "https://a:b/x",
            "https://a/../x",
            "https://a\\@b/x",
            "ssh://-x@a/b",
            "https://a/x\n",
            "git@-a:b",
            "git@a:-b",
            "a:",
            "git@a:b c",
            "https://[::1/x",
            "https://.a/x",
        ];
        for text in bad {
            assert!(RepositoryLocation::parse(text).is_err(), "{text}");
        }
        let secret = [
            "https://u:hunter2@a/x",
            "https://hunter2@a/x",
            "ssh://u:hunter2@a/x",
            "u:hunter2@a:x",
            "https://a/x?token=hunter2",
            "https://a/x#hunter2",
            "https://u:hunter2@b@a/x",
            "hunter2@@a:x",
        ];
        for text in secret {
            let error = RepositoryLocation::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("hunter2"), "{text}: {error}");
        }
        assert!(RepositoryLocation::parse_with_plain_http("http://a/b").is_ok());
    }
}
