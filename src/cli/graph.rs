//! `pintle graph`: who needs whom.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;
use crate::config::Config;

/// Show who needs whom, and which versions
#[derive(Debug, Args)]
#[command(after_help = help("pintle graph checkout\npintle graph --format dot | dot -Tsvg > graph.svg", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub struct Graph {
    /// Start from this service
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
}

impl Graph {
    pub(super) fn run(&self, _config: &Config, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
