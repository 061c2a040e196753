//! `pintle down`: ends what the local runtime runs.

use std::collections::BTreeMap;

use clap::Args;
use pintle_core::graph::{Graph, ServiceId};
use serde::Serialize;

use super::exit::{CommandError, CommandExit, help};
use super::host::{load_local, local_paths};
use super::output::{Output, OutputArgs, counted};
use super::progress::ProgressNote;
use super::session::block_on;
use crate::cli::config::CliConfig;
use crate::cluster::local::LocalRuntime;

/// Stop everything that the local runtime has started
///
/// Consumers end before what they need, and services that are pinned no more with the first. What ignores SIGTERM for 10 s
/// is killed. The next `pintle apply` starts everything again.
#[derive(Debug, Args)]
#[command(after_help = help("pintle down", &[CommandExit::Ok, CommandExit::Error, CommandExit::Usage]))]
pub(super) struct DownCommand {
    #[command(flatten)]
    printing: OutputArgs,
}

/// What became of a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StoppedServiceJson {
    service: String,
    /// Why it still runs.
    error: Option<String>,
}

impl DownCommand {
    pub(super) fn run(&self, config: &CliConfig, output: &mut Output) -> Result<CommandExit, CommandError> {
        let loaded = load_local(config, "pintle down", "kubectl scale or kubectl delete ends a workload")?;
        let pins = &loaded.revision.reading.pins;
        let graph = Graph::from_pins(pins, &loaded.history);
        let names = |wave: Vec<ServiceId>| wave.into_iter().map(|id| graph.name(id).to_string()).collect();
        let order: Vec<Vec<String>> = graph.consumers_first().into_iter().map(names).collect();
        let place = local_paths(config, &pins.settings)?;
        let stopped = block_on(async {
            let host = LocalRuntime::open_locked(place, BTreeMap::new(), "pintle down")?;
            let _stopping = ProgressNote::of("stopping services");
            Ok::<_, CommandError>(host.stop_all(&order).await)
        })??;
        let stopped = stopped.into_iter().map(|(service, done)| StoppedServiceJson { service, error: done.err() });
        let stopped: Vec<StoppedServiceJson> = stopped.collect();
        output.result(self.printing.output, &stopped, |output| {
            for it in &stopped {
                match &it.error {
                    None => output.line(format_args!("{} stopped", it.service)),
                    Some(why) => output.line(format_args!("{} not stopped: {why}", it.service)),
                }
            }
            let done = stopped.iter().filter(|it| it.error.is_none()).count();
            output.line(if stopped.is_empty() {
                "Nothing runs.".to_owned()
            } else {
                counted(done, "service") + " stopped."
            });
        })?;
        Ok(if stopped.iter().any(|it| it.error.is_some()) { CommandExit::Error } else { CommandExit::Ok })
    }
}
