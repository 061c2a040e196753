//! The command reference of the documents, from the definitions that `--help` prints.

use std::fmt::Write as _;

use clap::builder::PossibleValue;
use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// Returns the command reference as Markdown: every command and flag that `--help` shows.
pub fn reference() -> String {
    let mut pintle = Cli::command();
    pintle.build();
    let mut text = String::from(
        "# Command reference\n\nThis page lists every command, its flags, examples and exit codes.\n\
         `pintle --help` and `pintle COMMAND --help` print the same text; `make docs` writes this page from it.\n\n",
    );
    let commands: Vec<&Command> = pintle.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    text.push_str("| command | what it does |\n|---|---|\n");
    for command in &commands {
        let name = command.get_name();
        let _ = writeln!(text, "| [`{name}`](#pintle-{name}) | {} |", cell(&about(command)));
    }
    text.push_str("\n## Flags of every command\n\n");
    flags(&mut text, pintle.get_arguments().filter(|flag| flag.is_global_set()));
    fenced(&mut text, &pintle);
    for command in commands {
        section(&mut text, command);
    }
    text
}

/// Appends one command: what it does, its usage, its flags, its examples and exit codes.
fn section(text: &mut String, command: &Command) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = writeln!(text, "\n## pintle {}\n\n{}.\n\n```text\n{usage}\n```", command.get_name(), about(command));
    let own = |flag: &&Arg| !flag.is_global_set() && !matches!(flag.get_id().as_str(), "help" | "version");
    if command.get_arguments().any(|flag| own(&flag)) {
        text.push('\n');
        flags(text, command.get_arguments().filter(own));
    }
    fenced(text, command);
}

fn flags<'a>(text: &mut String, flags: impl Iterator<Item = &'a Arg>) {
    text.push_str("| argument | meaning |\n|---|---|\n");
    for flag in flags.filter(|flag| !flag.is_hide_set()) {
        let short = flag.get_short().map(|letter| format!("-{letter}, ")).unwrap_or_default();
        let _ = writeln!(text, "| `{short}{}` | {} |", cell(&flag.to_string()), cell(&meaning(flag)));
    }
}

/// The help of a flag with its default and its possible values, as `--help` adds them.
fn meaning(flag: &Arg) -> String {
    let mut text = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = flag.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let takes_value = flag.get_action().takes_values();
    if takes_value && !defaults.is_empty() {
        let _ = write!(text, " [default: {}]", defaults.join(", "));
    }
    let values = flag.get_possible_values();
    let values: Vec<_> = values.iter().filter(|value| !value.is_hide_set()).map(PossibleValue::get_name).collect();
    if takes_value && !values.is_empty() {
        let _ = write!(text, " [possible values: {}]", values.join(", "));
    }
    text
}

/// Appends the examples and exit codes.
fn fenced(text: &mut String, command: &Command) {
    if let Some(rest) = command.get_after_help() {
        let _ = writeln!(text, "\n```text\n{}\n```", rest.to_string().trim_end());
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Returns text that stays inside its table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
