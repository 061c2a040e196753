//! `pintle check`: everything that is wrong with the pins.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;
use crate::config::Config;

/// Report everything that is wrong with the pins
#[derive(Debug, Args)]
#[command(after_help = help("pintle check\npintle check --rev origin/main", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub struct Check {
    /// Check this revision instead of the working tree
    #[arg(long)]
    rev: Option<String>,
}

impl Check {
    pub(super) fn run(&self, _config: &Config, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
