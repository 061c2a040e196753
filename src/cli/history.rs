//! `pintle history`: the pins that services had.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;
use crate::config::Config;

/// Show the pins that services had
#[derive(Debug, Args)]
#[command(after_help = help("pintle history checkout", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub struct History {
    /// The service; without one, the last commits that moved pins
    #[arg(value_name = "SERVICE")]
    service: Option<String>,
}

impl History {
    pub(super) fn run(&self, _config: &Config, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
