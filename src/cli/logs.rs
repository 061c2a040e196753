//! `pintle logs`: what a service of the local runtime has written.
#![expect(clippy::disallowed_methods, reason = "a log is followed by looking again")]

use std::time::Duration;

use clap::Args;
use pintle_core::pins::Local;

use super::exit::{Exit, Failure, help};
use super::host::{load_local, place};
use super::output::Output;
use crate::cli::config::Config;
use crate::cluster::local::{Follow, log_of};

/// How often it is looked for more.
const LOOK: Duration = Duration::from_millis(100);

/// Show what a service of the local runtime has written
#[derive(Debug, Args)]
#[command(after_help = help("pintle logs checkout\npintle logs checkout --lines 20 -f", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub(super) struct Logs {
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

impl Logs {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let name = &self.service;
        let loaded = load_local(config, "pintle logs", &format!("kubectl logs deployment/{name}"))?;
        let pins = &loaded.at.reading.pins;
        let place = place(config, &pins.settings)?;
        let log = log_of(&place.folder, name);
        let is_pinned = pins.services.keys().chain(pins.broken.keys()).any(|known| known.as_str() == name);
        if !is_pinned && !log.exists() {
            super::words::known(name, pins.services.keys())?;
        }
        let service = pins.services.iter().find(|(known, _)| known.as_str() == name).map(|(_, service)| service);
        if let Some(Local::Commands { .. }) = service.and_then(|service| service.pin.local.as_deref()) {
            let words = format!("something else keeps {name}, its log too");
            return Err(Failure::error(words).hint("ask what its `start` starts it with, as in `docker compose logs`"));
        }
        let unread = |error| Failure::error(format!("{}: {error}", log.display()));
        let (last, mut follow) = Follow::from(&log, self.lines).map_err(unread)?;
        output.write(format_args!("{}", String::from_utf8_lossy(&last)));
        while self.follow && !output.is_closed() {
            std::thread::sleep(LOOK);
            let more = follow.more().map_err(unread)?;
            if !more.is_empty() {
                output.write(format_args!("{}", String::from_utf8_lossy(&more)));
            }
        }
        Ok(Exit::Ok)
    }
}
