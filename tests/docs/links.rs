use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use super::{Page, page, pages, root};

/// The lines of a page outside of fenced blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut is_fenced = false;
    let outside = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fenced && !is_fence
    };
    text.lines().filter(outside).collect()
}

/// The targets of a page's links and pictures, in Markdown and in HTML.
fn targets(text: &str) -> Vec<&str> {
    let after = |line: &'_ str, start: &str, end: char| {
        let parts: Vec<(usize, usize)> = line
            .match_indices(start)
            .filter_map(|(at, _)| {
                let from = at + start.len();
                Some((from, from + line[from..].find(end)?))
            })
            .collect();
        parts
    };
    let of = |line| {
        let line: &str = line;
        let marks = [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"'), ("href=\"", '"')];
        marks.into_iter().flat_map(move |(start, end)| after(line, start, end)).map(move |(from, to)| &line[from..to])
    };
    prose(text).into_iter().flat_map(of).collect()
}

/// The anchors of a page, by the rules of GitHub.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let headings = prose(text).into_iter().filter_map(|line| {
        let rest = line.trim_start_matches('#');
        (rest.len() < line.len()).then(|| rest.strip_prefix(' ')).flatten()
    });
    let anchor = |heading: &str| {
        let kept = heading.trim().chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
        let slug = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let before = taken.entry(slug.clone()).or_default();
        *before += 1;
        if *before == 1 { slug } else { format!("{slug}-{}", *before - 1) }
    };
    headings.map(anchor).collect()
}

/// The path that a relative link means, from the root of the repository.
fn resolved(from: &str, target: &str) -> PathBuf {
    let joined = Path::new(from).parent().unwrap().join(target);
    let mut path = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{from}: {target} leaves the repository"),
            part => path.push(part),
        }
    }
    path
}

/// What is wrong with a link; none where it leads to what it says, or to another host.
fn fault(from: &Page, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { PathBuf::from(&from.path) } else { resolved(&from.path, file) };
    if !root().join(&path).exists() {
        return Some(format!("{}: {target} leads to no file", from.path));
    }
    let there = |path: &Path| anchors(&page(path.to_str().unwrap()).text);
    (!anchor.is_empty() && !there(&path).contains(anchor))
        .then(|| format!("{}: {target} leads to no heading", from.path))
}

#[test]
fn every_link_and_every_anchor_leads_somewhere() {
    let pages = pages();
    let faults: Vec<String> = pages
        .iter()
        .flat_map(|page| targets(&page.text).into_iter().filter_map(|target| fault(page, target)))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_readme_leads_to_every_page() {
    let pages = pages();
    let linked: BTreeMap<&str, Vec<PathBuf>> = pages
        .iter()
        .map(|page| {
            let files = targets(&page.text).into_iter().filter(|target| !target.contains("://"));
            let files = files.filter_map(|target| target.split('#').next()).filter(|file| !file.is_empty());
            (page.path.as_str(), files.map(|file| resolved(&page.path, file)).collect())
        })
        .collect();
    for page in &pages[1..] {
        assert!(linked["README.md"].contains(&PathBuf::from(&page.path)), "the README does not lead to {}", page.path);
    }
}

#[test]
fn every_path_that_the_architecture_names_exists() {
    let text = page("ARCHITECTURE.md").text;
    let spans = prose(&text).into_iter().flat_map(|line| line.split('`').skip(1).step_by(2)).collect::<Vec<_>>();
    let is_path = |span: &&str| {
        let first = span.split('/').next().unwrap();
        span.contains('/') && first.chars().all(|it| it.is_ascii_lowercase()) && !span.contains([' ', ':', '…'])
    };
    let exists = |path: &str| ["", "src", "crates/core/src"].iter().any(|at| root().join(at).join(path).exists());
    let missing: Vec<&str> = spans.into_iter().filter(is_path).filter(|path| !exists(path)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names {missing:?}");
}

#[test]
fn anchors_are_those_of_github() {
    let text = "# One pass, and `two`!\n```\n# not a heading\n```\n## pintle hold\n## pintle hold\n#hash\n";
    let expected = ["one-pass-and-two", "pintle-hold", "pintle-hold-1"].map(str::to_owned);
    assert_eq!(anchors(text), BTreeSet::from(expected));
    assert_eq!(targets("[a](b.md#c) <img src=\"d.svg\"> ![e](f.png)"), ["b.md#c", "f.png", "d.svg"]);
}
