//! `pintle schema`: the JSON Schemas of the files, for editors.

use clap::{Args, ValueEnum};
use pintle_core::pins::{service_schema, settings_schema};

use super::exit::{Exit, help};
use super::output::Output;

/// Print the JSON Schema of a kind of file, for editors
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle schema service > service.schema.json\n\
     # then, in the first line of services/checkout.yaml:\n\
     # yaml-language-server: $schema=../service.schema.json",
    &[Exit::Ok, Exit::Usage],
))]
pub(super) struct Schema {
    /// Which file
    #[arg(value_name = "FILE")]
    file: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// pintle.yaml
    Settings,
    /// services/NAME.yaml
    Service,
}

impl Schema {
    pub(super) fn run(&self, output: &mut Output) -> Exit {
        let schema = match self.file {
            Kind::Settings => settings_schema(),
            Kind::Service => service_schema(),
        };
        output.line(schema.trim_end());
        Exit::Ok
    }
}
