//! `pintle logs`: what a service of the local runtime has written.
#![expect(clippy::disallowed_methods, reason = "a log is followed by looking again")]

use std::time::Duration;

use clap::Args;
use pintle_core::pins::LocalSpec;

use super::exit::{CommandError, CommandExit, help};
use super::host::{load_local, local_paths};
use super::output::Output;
use crate::cli::config::CliConfig;
use crate::cluster::local::{LogFollower, log_path};

/// How often it is looked for more.
const LOG_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Show what a service of the local runtime has written
#[derive(Debug, Args)]
#[command(after_help = help("pintle logs checkout\npintle logs checkout --lines 20 -f", &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage]))]
pub(super) struct LogsCommand {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Stay, and show what is added
    #[arg(short, long)]
    pub follow: bool,
    /// So many lines of its end
    #[arg(short, long, value_name = "N", default_value = "100")]
    pub lines: usize,
}

impl LogsCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let name = &self.service;
        let loaded = load_local(config, "pintle logs", &format!("kubectl logs deployment/{name}"))?;
        let pins = &loaded.revision.reading.pins;
        let place = local_paths(config, &pins.settings)?;
        let log = log_path(&place.state_folder, name);
        let is_pinned = pins.services.keys().chain(pins.broken.keys()).any(|known| known.as_str() == name);
        if !is_pinned && !log.exists() {
            super::words::known_service(name, pins.services.keys())?;
        }
        let service = pins.services.iter().find(|(known, _)| known.as_str() == name).map(|(_, service)| service);
        if let Some(LocalSpec::Commands { .. }) = service.and_then(|service| service.pin.local.as_deref()) {
            let words = format!("something else keeps {name}, its log too");
            return Err(
                CommandError::error(words).hint("ask what its `start` starts it with, as in `docker compose logs`")
            );
        }
        let unread = |error| CommandError::error(format!("{}: {error}", log.display()));
        let (last, mut follow) = LogFollower::open(&log, self.lines).map_err(unread)?;
        output.write(format_args!("{}", String::from_utf8_lossy(&last)));
        while self.follow && !output.is_closed() {
            std::thread::sleep(LOG_POLL_INTERVAL);
            let more = follow.read_new().map_err(unread)?;
            if !more.is_empty() {
                output.write(format_args!("{}", String::from_utf8_lossy(&more)));
            }
        }
        Ok(CommandExit::Ok)
    }
}
