//! Renders the files to write.

use std::fmt::Write as _;

use super::edges::ProposedEdge;
use crate::pins::WorkloadRef;

/// An entry of `pins:`, as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proposed {
    /// Path pattern of the files.
    pub files: String,
    /// Key path of the value in each file.
    pub key: String,
    /// The image repository, if it is not beside the version.
    pub image: Option<String>,
    /// Whether the value is an image reference.
    pub as_image: bool,
}

/// Renders `pintle.yaml`.
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

/// Renders an entry of `pins:`.
pub(super) fn pattern_line(pattern: &Proposed) -> String {
    entry("files", pattern)
}

fn entry(files: &str, pattern: &Proposed) -> String {
    let Proposed { files: path, key, image, as_image } = pattern;
    let image = image.as_ref().map(|image| format!(", image: {}", quoted(image))).unwrap_or_default();
    let kind = if *as_image { ", as: image" } else { "" };
    format!("{{{files}: {}, key: {}{image}{kind}}}", quoted(path), quoted(key))
}

/// The content of a service's own file.
#[derive(Debug, Clone, Default)]
pub(super) struct ProposedServiceFile<'f> {
    /// The place of the version, if no pattern finds it.
    pub(super) pin: Option<Proposed>,
    /// Version and image that run, if Git has none.
    pub(super) running_pin: Option<(String, String)>,
    pub(super) workloads: Vec<WorkloadRef>,
    pub(super) namespace: Option<&'f str>,
    pub(super) edges: &'f [ProposedEdge],
}

impl ProposedServiceFile<'_> {
    /// Returns whether the file would be empty.
    pub(super) fn is_empty(&self) -> bool {
        let Self { pin, running_pin: runs, workloads, namespace, edges } = self;
        pin.is_none() && runs.is_none() && workloads.is_empty() && namespace.is_none() && edges.is_empty()
    }

    /// Renders `services/NAME.yaml`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some((version, image)) = &self.running_pin {
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

/// Renders `dependsOn`, with the origin of each need as a comment.
pub(super) fn depends_on(edges: &[ProposedEdge]) -> String {
    match edges {
        [] => String::new(),
        [edge] => format!("dependsOn: [{}]  # {}\n", quoted(edge.provider.as_str()), comment(&edge.seen_in)),
        edges => {
            let width = edges.iter().map(|edge| quoted(edge.provider.as_str()).len()).max().unwrap_or_default();
            let line = |edge: &ProposedEdge| {
                format!("- {:width$}  # {}\n", quoted(edge.provider.as_str()), comment(&edge.seen_in))
            };
            "dependsOn:\n".to_owned() + &edges.iter().map(line).collect::<String>()
        }
    }
}

/// Renders any text as a comment of one line.
fn comment(text: &str) -> String {
    crate::printable::display_safe(text, 100)
}

/// Quotes a text if a YAML parser might read it as anything else.
fn quoted(text: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.' | '/');
    let word = text.chars().all(plain) && text.chars().any(|sign| sign.is_ascii_alphabetic());
    // Words that YAML 1.1 reads as booleans or null.
    let known = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"].contains(&text.to_lowercase().as_str());
    let first = text.chars().next().is_some_and(|sign| sign.is_ascii_alphabetic());
    if word && first && !known { text.to_owned() } else { always_quoted(text) }
}

fn always_quoted(text: &str) -> String {
    // JSON strings are valid in YAML.
    serde_json::Value::from(text).to_string()
}
