//! `pintle graph`: who needs whom, and which versions, at one revision.

mod drawn;
mod tree;

use clap::{Args, ValueEnum};
use pintle_core::graph::Links;

use super::exit::{CommandError, CommandExit, help};
use super::load::load;
use super::output::{Output, OutputArgs, OutputFormat};
use super::words::known_service;
use crate::cli::config::CliConfig;

/// Show who needs whom, and which versions
///
/// A tree reads downwards: a service, then what it needs, each with its pinned version and the range that is needed. What
/// has been drawn above is not drawn again. With a service: what it needs, then what needs it.
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle graph\npintle graph checkout --rev HEAD~1\npintle graph --format dot | dot -Tsvg > graph.svg",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage],
))]
pub(super) struct GraphCommand {
    /// Only this service, what it needs and what needs it
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
    /// The graph at this revision instead of the tip of the branch
    #[arg(long)]
    rev: Option<String>,
    /// How it is drawn
    #[arg(long, default_value = "tree", conflicts_with = "output")]
    format: GraphFormat,
    #[command(flatten)]
    printing: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// Lines of text.
    Tree,
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
}

impl GraphCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let loaded = load(config, self.rev.as_deref())?;
        loaded.warn_if_outdated(output);
        let links = Links::of(&loaded.revision.reading.pins, &loaded.history);
        let from = self.service.as_ref().map(|typed| known_service(typed, links.names())).transpose()?;
        let links = match &from {
            Some(service) => links.around(service),
            None => links,
        };
        match (self.printing.output, self.format) {
            (OutputFormat::Table, GraphFormat::Tree) => {
                for line in tree::tree_lines(&links, from.as_ref()) {
                    output.line(line);
                }
            }
            (OutputFormat::Table, GraphFormat::Dot) => output.write(format_args!("{}", drawn::dot(&links))),
            (OutputFormat::Table, GraphFormat::Mermaid) => output.write(format_args!("{}", drawn::mermaid(&links))),
            (format, _) => output.result(format, &links, |_| {})?,
        }
        Ok(CommandExit::Ok)
    }
}
