//! `pintle shim`: what the local runtime starts for each process. It is for nobody to type.

use std::path::PathBuf;

use clap::Args;

use super::exit::{CommandError, CommandExit};
use crate::cluster::local;

/// Start a process, and note how it ends
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Shim {
    /// The log of the process
    log: PathBuf,
    /// The program and its arguments
    #[arg(required = true, last = true)]
    run: Vec<String>,
}

impl Shim {
    pub(super) fn run(&self) -> Result<CommandExit, CommandError> {
        local::run_shim(&self.log, &self.run)
            .map_err(|error| CommandError::error(format!("it cannot be kept: {error}")))?;
        Ok(CommandExit::Ok)
    }
}
