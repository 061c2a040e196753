//! The command line: a file per command, each with its flags and its `run`.

mod apply;
mod best_effort;
mod check;
mod completions;
mod config;
mod deepen;
pub(crate) mod describe;
mod diff;
mod down;
mod evidence;
mod exit;
mod graph;
mod history;
mod hold;
mod holds;
mod host;
mod init;
mod land;
mod live;
mod load;
mod logs;
mod output;
mod pause;
mod pin;
mod plan;
mod progress;
mod reapply;
mod reference;
mod refused_history;
mod rollback;
mod run;
mod schema;
mod session;
mod shim;
mod shown;
mod status;
mod suspects;
mod table;
mod tracing;
mod wait;
mod words;

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser, Subcommand};
pub use describe::remedy_command;
pub use exit::{CommandError, CommandExit};
pub use output::Output;
pub use reference::reference;

use crate::cli::config::{CliConfig, GlobalArgs};

/// Steers what runs by what Git pins: every step compatible, in both directions.
#[derive(Debug, Parser)]
#[command(name = "pintle", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = exit::help(
    "pintle check\npintle plan --from HEAD~1\npintle apply",
    &[CommandExit::Ok, CommandExit::Error, CommandExit::Changes, CommandExit::Unhealthy, CommandExit::Refused, CommandExit::Usage],
))]
pub struct Cli {
    #[command(flatten)]
    typed: GlobalArgs,
    #[command(subcommand)]
    command: PintleCommand,
}

#[derive(Debug, Subcommand)]
enum PintleCommand {
    Init(init::InitCommand),
    Check(check::CheckCommand),
    Plan(plan::PlanCommand),
    Apply(apply::ApplyCommand),
    Run(run::RunArgs),
    Status(status::StatusCommand),
    Pause(pause::PauseCommand),
    Resume(pause::ResumeCommand),
    Graph(graph::GraphCommand),
    History(history::HistoryCommand),
    Diff(diff::DiffCommand),
    Pin(pin::PinCommand),
    Hold(hold::HoldCommand),
    Release(hold::ReleaseCommand),
    Holds(holds::HoldsCommand),
    Rollback(rollback::Rollback),
    Reapply(reapply::ReapplyCommand),
    Suspects(suspects::SuspectsCommand),
    Logs(logs::LogsCommand),
    Down(down::DownCommand),
    #[command(hide = true)]
    Shim(shim::Shim),
    Schema(schema::SchemaCommand),
    Completions(completions::CompletionsCommand),
}

/// Reads what was typed.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(arguments)
}

/// Says what was wrong with what was typed, or the help that was asked for.
pub fn refuse(refused: &clap::Error) -> CommandExit {
    // Nobody may be there to read it.
    let _ = refused.print();
    if refused.use_stderr() { CommandExit::Usage } else { CommandExit::Ok }
}

/// Carries it out.
pub fn run(cli: &Cli) -> CommandExit {
    tracing::start_logging(cli.typed.verbose, cli.typed.color);
    let mut output = Output::new(cli.typed.color);
    let done = cli.command.run(&cli.typed, &mut output);
    let written = output.take_stdout_error();
    done.and_then(|exit| written.map(|()| exit)).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    })
}

impl PintleCommand {
    fn run(&self, typed: &GlobalArgs, output: &mut Output) -> Result<CommandExit, CommandError> {
        let config = || CliConfig::resolve(typed);
        match self {
            Self::Init(init) => init.run(&config()?, output),
            Self::Check(check) => check.run(&config()?, output),
            Self::Plan(plan) => plan.run(&config()?, output),
            Self::Apply(apply) => apply.run(&config()?, output),
            Self::Run(run) => run.run(&config()?, output),
            Self::Status(status) => status.run(&config()?, output),
            Self::Pause(pause) => pause.run(&config()?, output),
            Self::Resume(resume) => resume.run(&config()?, output),
            Self::Graph(graph) => graph.run(&config()?, output),
            Self::History(history) => history.run(&config()?, output),
            Self::Diff(diff) => diff.run(&config()?, output),
            Self::Pin(pin) => pin.run(&config()?, output),
            Self::Hold(hold) => hold.run(&config()?, output),
            Self::Release(release) => release.run(&config()?, output),
            Self::Holds(holds) => holds.run(&config()?, output),
            Self::Rollback(rollback) => rollback.run(&config()?, output),
            Self::Reapply(reapply) => reapply.run(&config()?, output),
            Self::Suspects(suspects) => suspects.run(&config()?, output),
            Self::Logs(logs) => logs.run(&config()?, output),
            Self::Down(down) => down.run(&config()?, output),
            Self::Shim(shim) => shim.run(),
            Self::Schema(schema) => Ok(schema.run(output)),
            Self::Completions(completions) => Ok(completions.run(Cli::command(), output)),
        }
    }
}
