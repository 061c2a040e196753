//! The graph in the languages of Graphviz and of Mermaid.

use std::collections::HashMap;
use std::fmt::Write as _;

use pintle_core::graph::{Link, Links};
use pintle_core::pins::ServiceName;
use pintle_core::version::Version;

/// For Graphviz.
pub(super) fn dot(links: &Links) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = "digraph pins {\n  rankdir=LR\n  node [shape=box, fontname=\"sans-serif\"]\n".to_owned();
    for (name, version) in &links.services {
        let label = quoted(&format!("{name}\n{}", version_of(version.as_ref()))).replace('\n', "\\n");
        let _ = writeln!(text, "  {} [label={label}]", quoted(name.as_str()));
    }
    for link in &links.needs {
        let color = if link.fits == Some(false) { ", color=red, fontcolor=red" } else { "" };
        let [consumer, provider] = [&link.consumer, &link.provider].map(|name| quoted(name.as_str()));
        let _ = writeln!(text, "  {consumer} -> {provider} [label={}{color}]", quoted(&need(link)));
    }
    text + "}\n"
}

/// For Markdown that draws Mermaid. Services are numbered, because some names mean something else there.
pub(super) fn mermaid(links: &Links) -> String {
    // Labels are HTML there, and `#` begins an entity.
    let quoted = |text: &str| {
        let text = text.replace('#', "#35;").replace('&', "&amp;").replace('"', "&quot;");
        format!("\"{}\"", text.replace('<', "&lt;").replace('>', "&gt;"))
    };
    let mut text = "graph LR\n".to_owned();
    let numbers: HashMap<&ServiceName, usize> = links.names().zip(0..).collect();
    for ((name, version), number) in links.services.iter().zip(0..) {
        let label = quoted(&format!("{name} {}", version_of(version.as_ref())));
        let _ = writeln!(text, "  s{number}[{label}]");
    }
    let number = |name: &ServiceName| numbers.get(name).copied().unwrap_or_default();
    for link in &links.needs {
        let (consumer, provider) = (number(&link.consumer), number(&link.provider));
        let _ = writeln!(text, "  s{consumer} -->|{}| s{provider}", quoted(&need(link)));
    }
    let misfits = links.needs.iter().zip(0..).filter(|(link, _)| link.fits == Some(false));
    for (_, number) in misfits {
        let _ = writeln!(text, "  linkStyle {number} stroke:red,color:red");
    }
    text
}

fn version_of(version: Option<&Version>) -> &str {
    version.map_or("has errors", Version::as_str)
}

fn need(link: &Link) -> String {
    let misfit = if link.fits == Some(false) { " does not fit" } else { "" };
    format!("{}{misfit}", link.range)
}
