//! `pintle completions`: x.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;

/// X
#[derive(Debug, Args)]
#[command(after_help = help("pintle completions", &[Exit::Ok, Exit::Usage]))]
pub struct Completions {}

impl Completions {
    pub(super) fn run(&self, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
