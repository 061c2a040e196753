//! Decides which files hold pins.

use std::collections::{HashMap, HashSet};

use super::glob::{GlobMatch, PathGlob};
use super::{PinPattern, SETTINGS_FILE, Settings};

/// The folder of the service files.
pub(super) const SERVICES_FOLDER: &str = "services";

/// The version of the reader. Raise it when the same files would be read differently, so that history indices are
/// rebuilt.
const READER_VERSION: u32 = 1;

/// Decides which files hold pins, from the settings and from the `pin:` keys of service files. It is built once, and
/// asked about every path of every commit.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The folder of the pins. Empty, or ends with `/`.
    root: String,
    patterns: Vec<(PinPattern, PathGlob)>,
    /// Indices into `patterns` of the patterns without wildcards, by path.
    exact: HashMap<String, Vec<usize>>,
    /// All parent folders of these paths.
    above: HashSet<String>,
    /// Indices of the patterns with wildcards.
    globs: Vec<usize>,
}

/// A pattern that matches a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct PatternMatch<'l> {
    pub(super) pattern: &'l PinPattern,
    /// The index of the pattern in the layout. Patterns of the settings come first, in their order.
    pub(super) index: usize,
    /// The text that `{service}` captured in the path.
    pub(super) captured_service: Option<&'l str>,
}

/// Returns the path of the settings. `root` is the folder of the pins in the repository.
pub fn settings_path(root: &str) -> String {
    folder_path(root) + SETTINGS_FILE
}

/// Returns the path of `pintle.yml`, which is not read although users expect it.
pub fn misnamed_settings_path(root: &str) -> String {
    folder_path(root) + "pintle.yml"
}

/// Normalises the path of a folder: the result is empty or ends with `/`.
pub(super) fn folder_path(root: &str) -> String {
    let parts: Vec<_> = root.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() { String::new() } else { parts.join("/") + "/" }
}

/// Two layouts are equal if they read every file the same way.
impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.patterns.iter(), other.patterns.iter());
        self.root == other.root && mine.map(|(pattern, _)| pattern).eq(theirs.map(|(pattern, _)| pattern))
    }
}

impl Layout {
    /// Builds the layout of the pins below `root`. An empty root is the repository itself. `own` are the patterns of
    /// service files ([`Fragment::patterns`](super::Fragment::patterns)). A layout without them serves to read the
    /// service files first.
    pub fn new(root: &str, settings: &Settings, own: impl IntoIterator<Item = PinPattern>) -> Self {
        let patterns = settings.pins.iter().cloned().chain(own);
        // Patterns that do not parse are refused when the settings or the service file are read, so none is lost here.
        let patterns = patterns.filter_map(|pattern| PathGlob::new(&pattern.files).ok().map(|glob| (pattern, glob)));
        let mut layout = Self {
            root: folder_path(root),
            patterns: patterns.collect(),
            exact: HashMap::new(),
            above: HashSet::new(),
            globs: Vec::new(),
        };
        for (index, (pattern, glob)) in layout.patterns.iter().enumerate() {
            if !glob.is_exact() {
                layout.globs.push(index);
                continue;
            }
            layout.exact.entry(pattern.files.clone()).or_default().push(index);
            let slashes = pattern.files.match_indices('/');
            layout.above.extend(slashes.map(|(at, _)| pattern.files[..at].to_owned()));
        }
        layout
    }

    /// Returns whether the file at this path may hold pins. The settings file does not.
    pub fn may_hold_pins(&self, path: &str) -> bool {
        let Some(inner) = self.inner(path) else { return false };
        service_file_name(inner).is_some()
            || self.exact.contains_key(inner)
            || self.globs.iter().any(|&index| self.patterns[index].1.matches(inner).is_some())
    }

    /// Returns whether a file with pins may lie below this folder. A tree walk asks before it descends.
    pub fn may_hold_pins_below(&self, folder: &str) -> bool {
        if self.root.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || folder.is_empty()) {
            return true;
        }
        let Some(inner) = folder.strip_prefix(&self.root) else { return false };
        inner.is_empty()
            || inner == SERVICES_FOLDER
            || self.above.contains(inner)
            || self.globs.iter().any(|&index| self.patterns[index].1.may_match_below(inner))
    }

    /// Returns a text that changes whenever the same files would be read differently. A history index stores it, and is
    /// rebuilt after a change.
    pub fn fingerprint(&self) -> String {
        let mut text = format!("{READER_VERSION}\0{}", self.root);
        let said =
            |(PinPattern { files, key, image, value, service, files_at: _, key_at: _ }, _): &(PinPattern, PathGlob)| {
                format!("\0{files:?} {key:?} {image:?} {value:?} {service:?}")
            };
        let mut patterns: Vec<String> = self.patterns.iter().map(said).collect();
        patterns.sort();
        text.extend(patterns);
        text
    }

    /// Returns the path below the root. None for the settings file, although a pattern may match it.
    fn inner<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&self.root).filter(|inner| *inner != SETTINGS_FILE)
    }

    /// Returns the name of the service whose own file this is, unchecked.
    pub(super) fn service_file_name<'p>(&self, path: &'p str) -> Option<&'p str> {
        service_file_name(self.inner(path)?)
    }

    /// Returns the patterns that match a path.
    pub(super) fn pattern_matches<'l>(&'l self, path: &'l str) -> Vec<PatternMatch<'l>> {
        let Some(inner) = self.inner(path) else { return Vec::new() };
        let exact = self.exact.get(inner).into_iter().flatten().map(|&index| (index, GlobMatch { service: None }));
        let globs = self.globs.iter().filter_map(|&index| Some((index, self.patterns[index].1.matches(inner)?)));
        exact
            .chain(globs)
            .map(|(index, found)| PatternMatch {
                pattern: &self.patterns[index].0,
                index,
                captured_service: found.service,
            })
            .collect()
    }
}

/// Returns the NAME of `services/NAME.yaml`. `.yml` matches too, so that it is refused instead of silently ignored.
fn service_file_name(inner: &str) -> Option<&str> {
    let name = inner.strip_prefix(SERVICES_FOLDER)?.strip_prefix('/')?;
    let name = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    (!name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::ValueKind;
    use super::*;
    use crate::problem::FilePlace;

    fn layout(root: &str, files: &[&str]) -> Layout {
        let pattern = |files: &&str| PinPattern {
            files: (*files).to_owned(),
            key: "{service}.tag".parse().unwrap(),
            image: None,
            value: ValueKind::Version,
            service: None,
            files_at: FilePlace::whole_file(&SETTINGS_FILE.into()),
            key_at: FilePlace::whole_file(&SETTINGS_FILE.into()),
        };
        Layout::new(root, &Settings { pins: files.iter().map(pattern).collect(), ..Settings::default() }, [])
    }

    #[test]
    fn service_files_and_files_of_patterns_are_wanted() {
        let layout = layout("", &["apps/{service}/values.yaml", "compose.yaml", "{service}.yaml"]);
        for (path, wanted) in [
            ("services/web.yaml", true),
            ("services/web.yml", true),
            ("services/README.md", false),
            ("services/a/web.yaml", false),
            ("apps/web/values.yaml", true),
            ("apps/web/values-dev.yaml", false),
            ("compose.yaml", true),
            ("pintle.yaml", false),
        ] {
            assert_eq!(layout.may_hold_pins(path), wanted, "{path}");
        }
    }

    #[test]
    fn everything_lies_below_the_root() {
        let layout = layout("./envs/prod/", &["apps/{service}/values.yaml"]);
        assert_eq!(settings_path("envs/prod"), "envs/prod/pintle.yaml");
        assert!(
            layout.may_hold_pins("envs/prod/services/web.yaml")
                && layout.may_hold_pins("envs/prod/apps/web/values.yaml")
        );
        assert!(!layout.may_hold_pins("services/web.yaml") && !layout.may_hold_pins("apps/web/values.yaml"));
    }

    #[test]
    fn walks_enter_only_what_may_hold_pins() {
        let layout = layout("envs/prod", &["apps/{service}/values.yaml", "deploy/all/compose.yaml"]);
        for (folder, enters) in [
            ("", true),
            ("envs", true),
            ("envs/prod", true),
            ("envs/prod/services", true),
            ("envs/prod/apps/web", true),
            ("envs/prod/deploy/all", true),
            ("envs/prod/deploy/one", false),
            ("envs/production", false),
            ("envs/dev", false),
            ("src", false),
        ] {
            assert_eq!(layout.may_hold_pins_below(folder), enters, "{folder}");
        }
    }

    #[test]
    fn the_fingerprint_follows_what_is_read() {
        let one = layout("", &["a/{service}.yaml"]).fingerprint();
        assert_eq!(one, layout("./", &["a/{service}.yaml"]).fingerprint());
        for other in [layout("x", &["a/{service}.yaml"]), layout("", &["b/{service}.yaml"]), layout("", &[])] {
            assert_ne!(one, other.fingerprint());
        }
    }
}
