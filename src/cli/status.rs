//! `pintle status`: what is pinned, what runs, and what it is waiting for.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::{Output, Printing};
use crate::config::Config;

/// Show what is pinned, what runs, and what it is waiting for
#[derive(Debug, Args)]
#[command(after_help = help("pintle status\npintle status checkout --watch", &[Exit::Ok, Exit::Error, Exit::Unhealthy, Exit::Usage]))]
pub struct Status {
    /// Only these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Stay, and follow what happens
    #[arg(short, long)]
    pub watch: bool,
    #[command(flatten)]
    printing: Printing,
}

impl Status {
    pub(super) fn run(&self, _config: &Config, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
