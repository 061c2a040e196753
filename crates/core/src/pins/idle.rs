//! Warns of patterns in `pintle.yaml` that match nothing. A typo in a pattern would otherwise drop its services
//! silently.

use super::found::{PatternSearch, UnresolvedKey};
use super::glob::PathGlob;
use super::suggest::suggest_instead;
use super::{Fragment, PinPattern, Settings};
use crate::problem::Problem;

/// The most folders that are searched for the intended name.
const MAX_SEARCHED_FOLDERS: usize = 16;

/// Lists the names in a folder, relative to the folder of the pins. The list is empty if the folder does not exist.
pub type FolderNames<'n> = dyn Fn(&str) -> Vec<String> + 'n;

/// Returns a warning for each pattern of the settings that matches no file or no value.
pub(super) fn unmatched_pattern_problems(
    settings: &Settings,
    fragments: &[&Fragment],
    names: &FolderNames<'_>,
) -> Vec<Problem> {
    let mut searches: Vec<Vec<&PatternSearch>> = vec![Vec::new(); settings.pins.len()];
    for search in fragments.iter().flat_map(|fragment| &fragment.searches) {
        if let Some(of_pattern) = searches.get_mut(search.pattern) {
            of_pattern.push(search);
        }
    }
    settings.pins.iter().zip(searches).flat_map(|(pattern, searches)| of_one(pattern, &searches, names)).collect()
}

fn of_one(pattern: &PinPattern, searches: &[&PatternSearch], names: &FolderNames<'_>) -> Vec<Problem> {
    let missed: Vec<&UnresolvedKey> = searches.iter().filter_map(|search| search.unresolved.as_ref()).collect();
    match (searches.len(), missed.as_slice()) {
        (0, _) => vec![no_file(pattern, names)],
        (files, [first, ..]) if missed.len() == files => vec![no_key(pattern, files, first)],
        // Where the path names the service, the service is held, and the problem of its file gives the reason.
        _ if pattern.files.contains(super::keypath::SERVICE_PLACEHOLDER) => Vec::new(),
        _ => missed.iter().map(|missed| not_here(pattern, missed)).collect(),
    }
}

fn no_file(pattern: &PinPattern, names: &FolderNames<'_>) -> Problem {
    let message = format!("this pattern pins nothing: no file matches `{}`", pattern.files);
    let hint = meant(&pattern.files, names).unwrap_or_else(|| "correct `files`, or remove the pattern".to_owned());
    Problem::warning(message, pattern.files_at.clone()).hint(hint)
}

fn no_key(pattern: &PinPattern, files: usize, first: &UnresolvedKey) -> Problem {
    let files = match files {
        1 => first.at.path.to_string(),
        more => format!("any of the {more} files that match"),
    };
    let message = format!("this pattern pins nothing: `{}` leads to nothing in {files}", pattern.key);
    let problem = Problem::warning(message, pattern.key_at.clone()).also(first.at.clone(), first.missing.clone());
    problem.hint(first.suggestion.as_deref().unwrap_or("correct the key, or narrow `files`"))
}

fn not_here(pattern: &PinPattern, missed: &UnresolvedKey) -> Problem {
    let hint = missed.suggestion.as_deref().unwrap_or("correct the key, or narrow `files` in pintle.yaml");
    Problem::warning(missed.message(&pattern.key), missed.at.clone()).hint(hint)
}

/// Follows a path pattern to its first part without a match, and suggests a name that exists there.
fn meant(files: &str, names: &FolderNames<'_>) -> Option<String> {
    let mut folders = vec![String::new()];
    for part in files.split('/') {
        let glob = PathGlob::new(part).ok()?;
        let inside = |folder: &String| {
            let shown = names(folder).into_iter().filter(|name| !name.starts_with('.') || part.starts_with('.'));
            shown.map(|name| (folder.clone(), name)).collect::<Vec<_>>()
        };
        let mut all: Vec<(String, String)> = folders.iter().flat_map(inside).collect();
        all.sort();
        let path =
            |folder: &str, name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let matching = all.iter().filter(|(_, name)| glob.matches(name).is_some()).take(MAX_SEARCHED_FOLDERS);
        let next: Vec<String> = matching.map(|(folder, name)| path(folder, name)).collect();
        if next.is_empty() {
            let absent = path(folders.first()?, part);
            let instead = suggest_instead(part, all.iter().map(|(_, name)| name.as_str()));
            return Some(match instead {
                Some(instead) => format!("there is no `{absent}`; {instead}"),
                None => format!("there is no `{absent}`"),
            });
        }
        folders = next;
    }
    None
}
