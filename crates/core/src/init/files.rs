//! The files to write, as text.

use std::fmt::Write as _;

use super::edges::Edge;
use crate::pins::WorkloadRef;

/// An entry of `pins:`, as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proposed {
    /// Which files.
    pub files: String,
    /// Which value of each.
    pub key: String,
    /// The repository, where it does not stand beside the version.
    pub image: Option<String>,
    /// Whether the value is an image.
    pub as_image: bool,
}

/// `pintle.yaml`.
pub(super) fn settings(namespace: Option<&str>, patterns: &[String]) -> String {
    let mut text = "apiVersion: pintle.dev/v1alpha1\n".to_owned();
    if let Some(namespace) = namespace {
        let _ = writeln!(text, "namespace: {}", quoted(namespace));
    }
    if !patterns.is_empty() {
        text.push_str("pins:\n");
        for pattern in patterns {
            let _ = writeln!(text, "- {pattern}");
        }
    }
    text
}

/// An entry of `pins:`.
pub(super) fn pattern_line(pattern: &Proposed) -> String {
    entry("files", pattern)
}

fn entry(files: &str, pattern: &Proposed) -> String {
    let Proposed { files: path, key, image, as_image } = pattern;
    let image = image.as_ref().map(|image| format!(", image: {}", quoted(image))).unwrap_or_default();
    let kind = if *as_image { ", as: image" } else { "" };
    format!("{{{files}: {}, key: {}{image}{kind}}}", quoted(path), quoted(key))
}

/// What stands in the file of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct ServiceFile<'f> {
    /// Where its version stands, where no pattern finds it.
    pub(super) pin: Option<Proposed>,
    /// Version and image as they run, where Git has none.
    pub(super) runs: Option<(String, String)>,
    pub(super) workloads: Vec<WorkloadRef>,
    pub(super) namespace: Option<&'f str>,
    pub(super) edges: &'f [Edge],
}

impl ServiceFile<'_> {
    /// Whether there is nothing to say.
    pub(super) fn is_empty(&self) -> bool {
        let Self { pin, runs, workloads, namespace, edges } = self;
        pin.is_none() && runs.is_none() && workloads.is_empty() && namespace.is_none() && edges.is_empty()
    }

    /// `services/NAME.yaml`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some((version, image)) = &self.runs {
            let _ = writeln!(text, "version: {}  # as it runs", always_quoted(version));
            let _ = writeln!(text, "image: {}", quoted(image));
        }
        if let Some(pin) = &self.pin {
            let _ = writeln!(text, "pin: {}", entry("file", pin));
        }
        if !self.workloads.is_empty() {
            let workloads: Vec<String> = self.workloads.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "workloads: [{}]", workloads.join(", "));
        }
        if let Some(namespace) = self.namespace {
            let _ = writeln!(text, "namespace: {}", quoted(namespace));
        }
        text + &depends_on(self.edges)
    }
}

/// `dependsOn`, each with where it was seen.
pub(super) fn depends_on(edges: &[Edge]) -> String {
    match edges {
        [] => String::new(),
        [edge] => format!("dependsOn: [{}]  # {}\n", quoted(edge.provider.as_str()), comment(&edge.seen)),
        edges => {
            let width = edges.iter().map(|edge| quoted(edge.provider.as_str()).len()).max().unwrap_or_default();
            let line =
                |edge: &Edge| format!("- {:width$}  # {}\n", quoted(edge.provider.as_str()), comment(&edge.seen));
            "dependsOn:\n".to_owned() + &edges.iter().map(line).collect::<String>()
        }
    }
}

/// A comment is one line, whatever stands in it.
fn comment(text: &str) -> String {
    crate::printable::display_safe(text, 100)
}

/// Text that every YAML parser reads as this text.
fn quoted(text: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.' | '/');
    let word = text.chars().all(plain) && text.chars().any(|sign| sign.is_ascii_alphabetic());
    // `1e3`, `on`, `null` and their kin.
    let known = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"].contains(&text.to_lowercase().as_str());
    let first = text.chars().next().is_some_and(|sign| sign.is_ascii_alphabetic());
    if word && first && !known { text.to_owned() } else { always_quoted(text) }
}

fn always_quoted(text: &str) -> String {
    // JSON's strings are YAML's.
    serde_json::Value::from(text).to_string()
}
