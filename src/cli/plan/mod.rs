//! `pintle plan`: what would be done, in which order, and why.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;
use crate::config::Config;

/// Show what would be done, in which order, and why
#[derive(Debug, Args)]
#[command(after_help = help("pintle plan\npintle plan --from origin/main --output markdown", &[Exit::Ok, Exit::Error, Exit::Changes, Exit::Usage]))]
pub struct Plan {
    /// Plan this revision instead of the tip of the branch
    #[arg(long)]
    pub rev: Option<String>,
    /// Take the pins at this revision as what runs; needs no cluster
    #[arg(long, value_name = "REV")]
    pub from: Option<String>,
    /// Exit with 2 where there are changes
    #[arg(long)]
    pub exit_code: bool,
}

impl Plan {
    pub(super) fn run(&self, _config: &Config, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
