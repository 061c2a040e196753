//! `pintle graph`: who needs whom, and which versions, at one revision.

mod drawn;
mod tree;

use clap::{Args, ValueEnum};
use pintle_core::graph::Links;

use super::exit::{Exit, Failure, help};
use super::load::load;
use super::output::{Format, Output, Printing};
use super::words::known;
use crate::cli::config::Config;

/// Show who needs whom, and which versions
///
/// A tree reads downwards: a service, then what it needs, each with its pinned version and the range that is needed. What
/// has been drawn above is not drawn again. With a service: what it needs, then what needs it.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle graph\npintle graph checkout --rev HEAD~1\npintle graph --format dot | dot -Tsvg > graph.svg",
    &[Exit::Ok, Exit::Error, Exit::Usage],
))]
pub(super) struct Graph {
    /// Only this service, what it needs and what needs it
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
    /// The graph at this revision instead of the tip of the branch
    #[arg(long)]
    rev: Option<String>,
    /// How it is drawn
    #[arg(long, default_value = "tree", conflicts_with = "output")]
    format: Drawing,
    #[command(flatten)]
    printing: Printing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Drawing {
    /// Lines of text.
    Tree,
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
}

impl Graph {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let loaded = load(config, self.rev.as_deref())?;
        loaded.warn(output);
        let links = Links::of(&loaded.at.reading.pins, &loaded.history);
        let from = self.service.as_ref().map(|typed| known(typed, links.names())).transpose()?;
        let links = match &from {
            Some(service) => links.around(service),
            None => links,
        };
        match (self.printing.output, self.format) {
            (Format::Table, Drawing::Tree) => {
                for line in tree::lines(&links, from.as_ref()) {
                    output.line(line);
                }
            }
            (Format::Table, Drawing::Dot) => output.write(format_args!("{}", drawn::dot(&links))),
            (Format::Table, Drawing::Mermaid) => output.write(format_args!("{}", drawn::mermaid(&links))),
            (format, _) => output.result(format, &links, |_| {})?,
        }
        Ok(Exit::Ok)
    }
}
