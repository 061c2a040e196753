//! `pintle apply`: the plan, carried out.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;
use crate::config::Config;

/// Carry the plan out to its end, then stop
#[derive(Debug, Args)]
#[command(after_help = help("pintle apply\npintle apply payments --yes", &[Exit::Ok, Exit::Error, Exit::Unhealthy, Exit::Refused, Exit::Usage]))]
pub struct Apply {
    /// Only these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Go on although the branch was rewritten from OLD to NEW
    #[arg(long, value_name = "OLD..NEW")]
    pub accept_rewrite: Option<String>,
}

impl Apply {
    pub(super) fn run(&self, _config: &Config, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
