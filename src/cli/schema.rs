//! `pintle schema`: the JSON Schemas of the files, for editors.

use clap::{Args, ValueEnum};
use pintle_core::pins::{service_schema, settings_schema};

use super::exit::{CommandExit, help};
use super::output::Output;

/// Print the JSON Schema of a kind of file, for editors
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle schema service > service.schema.json\n\
     # then, in the first line of services/checkout.yaml:\n\
     # yaml-language-server: $schema=../service.schema.json",
    &[CommandExit::Ok, CommandExit::Usage],
))]
pub(super) struct SchemaCommand {
    /// Which file
    #[arg(value_name = "FILE")]
    file: SchemaKind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaKind {
    /// pintle.yaml
    Settings,
    /// services/NAME.yaml
    Service,
}

impl SchemaCommand {
    pub(super) fn run(&self, output: &mut Output) -> CommandExit {
        let schema = match self.file {
            SchemaKind::Settings => settings_schema(),
            SchemaKind::Service => service_schema(),
        };
        output.line(schema.trim_end());
        CommandExit::Ok
    }
}
