//! `pintle completions`: what a shell needs to complete commands and flags.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::{CommandExit, help};
use super::output::Output;

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = help(
    "source <(pintle completions bash)\npintle completions fish > ~/.config/fish/completions/pintle.fish",
    &[CommandExit::Ok, CommandExit::Usage],
))]
pub(super) struct CompletionsCommand {
    /// Which shell
    shell: Shell,
}

impl CompletionsCommand {
    pub(super) fn run(&self, mut command: Command, output: &mut Output) -> CommandExit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "pintle", &mut script);
        output.write(format_args!("{}", String::from_utf8_lossy(&script)));
        CommandExit::Ok
    }
}
