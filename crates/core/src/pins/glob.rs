//! Matches paths against the `files:` of a pattern. `{service}` captures a name, and `*` matches any part of a file
//! name.

use super::keypath::SERVICE_PLACEHOLDER;
use crate::printable::show;

/// A parsed path pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathGlob {
    parts: Vec<Vec<GlobPiece>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum GlobPiece {
    Text(String),
    Star,
    Service,
}

/// A successful match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GlobMatch<'p> {
    /// The text that `{service}` captured. None if the pattern has no `{service}`.
    pub(super) service: Option<&'p str>,
}

/// The most wildcards in one part of a path. More would make matching slow, and have no use.
const MAX_WILDCARDS_PER_NAME: usize = 2;

/// Ends of file names in formats that this version does not read.
const UNSUPPORTED_FORMATS: [&str; 6] = ["pom.xml", ".toml", ".properties", ".lockfile", ".gradle", ".gradle.kts"];

/// Checks that a path may stand in a pattern or a `pin:`.
///
/// # Errors
/// The path leaves the repository, or names a file of a format that is not read. The hint comes second.
pub(super) fn check_path(path: &str) -> Result<(), (String, &'static str)> {
    let shown = show(path);
    if path.starts_with('/') || path.contains('\\') || path.contains(':') {
        return Err((
            format!("`{shown}` is not a path below the pin repository's folder"),
            "write it as in apps/web/values.yaml",
        ));
    }
    if let Some(part) =
        path.split('/').find(|part| matches!(*part, "" | "." | ".." | ".git") || part.contains(char::is_control))
    {
        return Err((
            format!("`{}` cannot be a part of the path `{shown}`", show(part)),
            "write it as in apps/web/values.yaml",
        ));
    }
    if path == super::SETTINGS_FILE {
        return Err((format!("`{path}` holds settings, not pins"), "name another file"));
    }
    if UNSUPPORTED_FORMATS.iter().any(|end| path.ends_with(end)) {
        return Err((
            format!("this version of Pintle reads pins from YAML, not from `{shown}`"),
            "keep `version:` in services/NAME.yaml for now",
        ));
    }
    Ok(())
}

impl PathGlob {
    /// Parses a pattern that [`check_path`] accepts.
    ///
    /// # Errors
    /// The pattern has a wildcard that is not supported, or too many of them.
    pub(super) fn new(files: &str) -> Result<Self, String> {
        let parts = files.split('/').map(pieces).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { parts })
    }

    /// Returns whether the pattern has `{service}`.
    pub(super) fn captures(&self) -> bool {
        self.parts.iter().flatten().any(|piece| *piece == GlobPiece::Service)
    }

    /// Returns whether the pattern has no wildcards, and so names one path only.
    pub(super) fn is_exact(&self) -> bool {
        self.parts.iter().flatten().all(|piece| matches!(piece, GlobPiece::Text(_)))
    }

    pub(super) fn matches<'p>(&self, path: &'p str) -> Option<GlobMatch<'p>> {
        let mut service = None;
        let mut names = path.split('/');
        for part in &self.parts {
            if !part_matches(part, names.next()?, &mut service) {
                return None;
            }
        }
        names.next().is_none().then_some(GlobMatch { service })
    }

    /// Returns whether a path below this folder may match.
    pub(super) fn may_match_below(&self, folder: &str) -> bool {
        let mut service = None;
        let mut parts = self.parts[..self.parts.len() - 1].iter();
        folder.split('/').all(|name| parts.next().is_some_and(|part| part_matches(part, name, &mut service)))
    }
}

fn pieces(part: &str) -> Result<Vec<GlobPiece>, String> {
    let mut pieces = Vec::new();
    let mut rest = part;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(SERVICE_PLACEHOLDER) {
            pieces.push(GlobPiece::Service);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('*') {
            pieces.push(GlobPiece::Star);
            rest = after;
        } else {
            let length =
                [rest.find(SERVICE_PLACEHOLDER), rest.find('*')].into_iter().flatten().min().unwrap_or(rest.len());
            let (text, after) = rest.split_at(length);
            if text.contains(['{', '}', '[', ']', '?']) {
                return Err(format!("`{}` is not understood: `{SERVICE_PLACEHOLDER}` and `*` are", show(part)));
            }
            pieces.push(GlobPiece::Text(text.to_owned()));
            rest = after;
        }
    }
    if part.contains("**") {
        return Err("`**` is not understood: `*` stands for one name, write one for each folder".to_owned());
    }
    if pieces.iter().filter(|piece| !matches!(piece, GlobPiece::Text(_))).count() > MAX_WILDCARDS_PER_NAME {
        return Err(format!("`{}` has more than {MAX_WILDCARDS_PER_NAME} wildcards", show(part)));
    }
    Ok(pieces)
}

/// Matches one part of a path. `{service}` captures as much as it can, and the same text wherever it occurs.
fn part_matches<'p>(pieces: &[GlobPiece], name: &'p str, service: &mut Option<&'p str>) -> bool {
    let Some((piece, rest)) = pieces.split_first() else { return name.is_empty() };
    match piece {
        GlobPiece::Text(text) => name.strip_prefix(text.as_str()).is_some_and(|name| part_matches(rest, name, service)),
        GlobPiece::Star => splits(name).any(|(_, after)| part_matches(rest, after, service)),
        GlobPiece::Service => splits(name).any(|(taken, after)| {
            let before = *service;
            if taken.is_empty() || before.is_some_and(|earlier| earlier != taken) {
                return false;
            }
            *service = Some(taken);
            let matches = part_matches(rest, after, service);
            if !matches {
                *service = before;
            }
            matches
        }),
    }
}

/// Returns all ways to split a text in two, the longest first part first.
fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = text.char_indices().map(|(at, _)| at).rev();
    std::iter::once(text.len()).chain(ends).map(|at| text.split_at(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capture<'p>(files: &str, path: &'p str) -> Option<GlobMatch<'p>> {
        PathGlob::new(files).unwrap().matches(path)
    }

    #[test]
    fn service_captures_and_star_does_not() {
        for (files, path, service) in [
            ("apps/{service}/prod/k.yaml", "apps/web/prod/k.yaml", Some("web")),
            ("*/{service}-values.yaml", "eu/web-api-values.yaml", Some("web-api")),
            ("{service}-*.yaml", "cart-api-prod.yaml", Some("cart-api")),
            ("{service}/{service}.yaml", "web/web.yaml", Some("web")),
            ("compose.yaml", "compose.yaml", None),
        ] {
            assert_eq!(capture(files, path), Some(GlobMatch { service }), "{files}");
        }
        for (files, path) in [
            ("apps/{service}/prod/k.yaml", "apps/web/x/prod/k.yaml"),
            ("{service}/{service}.yaml", "web/db.yaml"),
            ("compose.yaml", "compose.yaml/x"),
            ("{service}.yaml", ".yaml"),
        ] {
            assert_eq!(capture(files, path), None, "{files}");
        }
    }

    #[test]
    fn folders_that_cannot_hold_a_match_are_not_entered() {
        let glob = PathGlob::new("apps/{service}/prod/k.yaml").unwrap();
        for (folder, enters) in
            [("apps", true), ("apps/web", true), ("apps/web/prod", true), ("apps/web/dev", false), ("charts", false)]
        {
            assert_eq!(glob.may_match_below(folder), enters, "{folder}");
        }
        assert!(!glob.may_match_below("apps/web/prod/k.yaml"), "a file is no folder");
    }

    #[test]
    fn paths_stay_inside_the_repository() {
        for path in
            ["/etc/x.yaml", "../x.yaml", "a/../x.yaml", ".git/x.yaml", "a//x.yaml", "a\\x.yaml", "C:/x.yaml", ""]
        {
            assert!(check_path(path).is_err(), "{path}");
        }
        assert_eq!(check_path("apps/web/values-prod.yaml"), Ok(()));
        let (message, _) = check_path("web/pom.xml").unwrap_err();
        assert_eq!(message, "this version of Pintle reads pins from YAML, not from `web/pom.xml`");
        assert_eq!(check_path("image-tags/production/web"), Ok(()), "YAML needs no ending");
    }

    #[test]
    fn wildcards_that_mean_nothing_here_are_refused() {
        for files in ["apps/**/x.yaml", "{name}.yaml", "a?.yaml", "*-*-*.yaml"] {
            assert!(PathGlob::new(files).is_err(), "{files}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_and_path_panic(files in r"([a*/é]|\{service\}){0,8}", path in "[aé/]{0,12}") {
            if let Ok(glob) = PathGlob::new(&files) {
                let _ = (glob.matches(&path), glob.may_match_below(&path));
            }
        }
    }
}
