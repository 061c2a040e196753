//! `pintle down`: ends what the local runtime runs.

use std::collections::BTreeMap;

use clap::Args;
use pintle_core::graph::{Graph, Id};
use serde::Serialize;

use super::exit::{Exit, Failure, help};
use super::host::{load_local, place};
use super::output::{Output, Printing, counted};
use super::progress::Progress;
use super::session::block_on;
use crate::cli::config::Config;
use crate::cluster::local::LocalHost;

/// Stop everything that the local runtime has started
///
/// Consumers end before what they need, and services that are pinned no more with the first. What ignores SIGTERM for 10 s
/// is killed. The next `pintle apply` starts everything again.
#[derive(Debug, Args)]
#[command(after_help = help("pintle down", &[Exit::Ok, Exit::Error, Exit::Usage]))]
pub(super) struct Down {
    #[command(flatten)]
    printing: Printing,
}

/// What became of a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped {
    service: String,
    /// Why it still runs.
    error: Option<String>,
}

impl Down {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let loaded = load_local(config, "pintle down", "kubectl scale or kubectl delete ends a workload")?;
        let pins = &loaded.at.reading.pins;
        let graph = Graph::of(pins, &loaded.history);
        let names = |wave: Vec<Id>| wave.into_iter().map(|id| graph.name(id).to_string()).collect();
        let order: Vec<Vec<String>> = graph.consumers_first().into_iter().map(names).collect();
        let place = place(config, &pins.settings)?;
        let stopped = block_on(async {
            let host = LocalHost::change(place, BTreeMap::new(), "pintle down")?;
            let _stopping = Progress::of("stopping services");
            Ok::<_, Failure>(host.down(&order).await)
        })??;
        let stopped = stopped.into_iter().map(|(service, done)| Stopped { service, error: done.err() });
        let stopped: Vec<Stopped> = stopped.collect();
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
        Ok(if stopped.iter().any(|it| it.error.is_some()) { Exit::Error } else { Exit::Ok })
    }
}
