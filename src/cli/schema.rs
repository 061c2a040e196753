//! `pintle schema`: x.

use clap::Args;

use super::exit::{Exit, Failure, help};
use super::output::Output;

/// X
#[derive(Debug, Args)]
#[command(after_help = help("pintle schema", &[Exit::Ok, Exit::Usage]))]
pub struct Schema {}

impl Schema {
    pub(super) fn run(&self, _output: &mut Output) -> Result<Exit, Failure> {
        Err(Failure::error("this command is not built yet"))
    }
}
