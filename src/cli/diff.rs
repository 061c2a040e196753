//! `pintle diff`: what moved between two revisions.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;
use crate::config::Config;

/// Show what moved between two revisions
#[derive(Debug, Args)]
#[command(after_help = help("pintle diff HEAD~1", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub struct Diff {
    /// From which revision
    from: String,
}

impl Diff {
    pub(super) fn run(&self, _config: &Config, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
