//! `pintle completions`: what a shell needs to complete commands and flags.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::{Exit, help};
use super::output::Output;

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = help(
    "source <(pintle completions bash)\npintle completions fish > ~/.config/fish/completions/pintle.fish",
    &[Exit::Ok, Exit::Usage],
))]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, mut command: Command, output: &mut Output) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "pintle", &mut script);
        output.write(format_args!("{}", String::from_utf8_lossy(&script)));
        Exit::Ok
    }
}
