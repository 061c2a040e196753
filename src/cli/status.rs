//! `pintle status`: what is pinned, what runs, and what it is waiting for.
#![expect(clippy::disallowed_methods, reason = "ages are told from now")]

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::exit::{Exit, Failure, help};
use super::output::{BAD, BUSY, Format, GOOD, NAME, Output, Printing, styled};
use super::plan::text::duration;
use super::plan::warn_of;
use super::site::{self, OnSite, Sight, Site};
use crate::cluster::Cluster;
use crate::config::Config;
use crate::graph::Id;
use crate::plan::{Next, Step};
use crate::reconcile::{Outcome, Seen, Words, want};
use crate::verify::Word;

/// Show what is pinned, what runs, and what it is waiting for
#[derive(Debug, Args)]
#[command(after_help = help("pintle status\npintle status checkout --watch", &[Exit::Ok, Exit::Error, Exit::Unhealthy, Exit::Refused, Exit::Usage]))]
pub struct Status {
    /// Only these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Stay, and show it anew whenever it changes
    #[arg(short, long)]
    pub watch: bool,
    #[command(flatten)]
    printing: Printing,
}

/// How one service stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    service: String,
    /// The pinned version; none where its file has errors.
    pinned: Option<String>,
    runs: String,
    health: Word,
    /// When what runs was verified.
    since: Option<Timestamp>,
    in_sync: bool,
    /// Why not, and what it waits for.
    why: Option<String>,
}

impl OnSite for Status {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(&self, site: Site<C>, output: &mut Output) -> Result<Exit, Failure> {
        warn_of(&site.loaded, output);
        self.known(&site)?;
        let mut before = None;
        loop {
            let sight = site.see().await?;
            let rewritten = site.guard_history(&sight, None).err();
            let rows = self.rows(&site, sight);
            if before.as_ref() != Some(&rows) {
                self.print(&rows, output)?;
            }
            if let Some(failure) = rewritten.as_ref().filter(|_| before.is_none()) {
                output.failure(failure);
            }
            if !self.watch {
                return Ok(if rewritten.is_some() { Exit::Refused } else { exit(&rows) });
            }
            before = Some(rows);
            site.cluster.changed(Duration::from_secs(5)).await?;
        }
    }
}

impl Status {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        site::run(self, config, None, output)
    }

    fn known(&self, site: &Site<impl Cluster>) -> Result<(), Failure> {
        let unknown =
            |name: &&String| !site.desired.graph.ids().any(|id| site.desired.graph.name(id).as_str() == **name);
        match self.services.iter().find(unknown) {
            Some(name) => {
                Err(Failure::usage(format!("no service is called {name:?}")).hint("pintle status shows them all"))
            }
            None => Ok(()),
        }
    }

    fn rows(&self, site: &Site<impl Cluster>, sight: Sight) -> Vec<Row> {
        let wanted = want(&site.desired, &sight.look);
        let pass = Outcome::still(&site.desired, sight.look, wanted).last;
        let shown = |id: &Id| {
            self.services.is_empty() || self.services.iter().any(|name| name == site.desired.graph.name(*id).as_str())
        };
        let row =
            |id: Id| row(site, id, &pass.next, &pass.look.services[id.index()], &pass.look.live[id.index()].running);
        site.desired.graph.ids().filter(shown).map(row).collect()
    }

    fn print(&self, rows: &[Row], output: &mut Output) -> Result<(), Failure> {
        if self.printing.output != Format::Table {
            return output.result(self.printing.output, &rows, |_| ());
        }
        let now = Timestamp::now();
        let cells = rows.iter().map(|row| {
            let age = row.since.map(|since| duration(now.duration_since(since).as_secs_f64().max(0.0)) + " ago");
            let pinned = row.pinned.clone().unwrap_or_else(|| "?".to_owned());
            [
                row.service.clone(),
                pinned,
                row.runs.clone(),
                format!("{:?}", row.health),
                age.unwrap_or_else(|| "-".to_owned()),
            ]
        });
        let cells: Vec<[String; 5]> = cells.collect();
        let titles = ["SERVICE", "PINNED", "RUNS", "HEALTH", "VERIFIED"];
        let width =
            |column: usize| cells.iter().map(|row| row[column].len()).chain([titles[column].len()]).max().unwrap_or(0);
        let widths: Vec<usize> = (0..titles.len()).map(width).collect();
        let line = |row: &[&str]| {
            let padded = row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        output.line(styled(NAME, line(&titles)));
        for (row, cells) in rows.iter().zip(&cells) {
            let style = match (row.in_sync, row.health) {
                (_, Word::Degraded | Word::Missing) => BAD,
                (true, Word::Healthy) => GOOD,
                _ => BUSY,
            };
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            output.line(styled(style, line(&cells)));
            if let Some(why) = &row.why {
                output.line(format_args!("    {why}"));
            }
        }
        let in_sync = rows.iter().filter(|row| row.in_sync).count();
        output.line(format_args!("{in_sync} of {} in sync", rows.len()));
        Ok(())
    }
}

fn row(site: &Site<impl Cluster>, id: Id, next: &Next, seen: &Seen, running: &[crate::plan::Running]) -> Row {
    let words = Words::new(&site.desired);
    let worst = seen.workloads.iter().map(|it| &it.health).max_by_key(|health| severity(health.word));
    let health = worst.map_or(Word::Unknown, |health| health.word);
    let step = next.of(id);
    let reason = worst.filter(|health| health.word != Word::Healthy).map(|health| health.message.clone());
    let why = match step {
        Some(Step::UnderWay) => Some(format!("under way: {}", reason.clone().unwrap_or_default())),
        Some(Step::Start(_)) => {
            let missing = worst.filter(|health| health.word == Word::Missing);
            let why = missing.map(|health| format!("{}; ", health.message)).unwrap_or_default();
            Some(why + "starts at the next apply")
        }
        Some(step) => Some(words.step(id, step)),
        None => reason.clone(),
    };
    let states = || seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    Row {
        service: words.name(id).to_owned(),
        pinned: site.desired.service(id).map(|service| service.pin.version.to_string()),
        runs: words.all(id, running),
        health,
        since: states()
            .filter_map(|state| state.proven.first())
            .filter(|_| step.is_none())
            .map(|proven| proven.at)
            .max(),
        in_sync: step.is_none(),
        why,
    }
}

fn severity(word: Word) -> u8 {
    match word {
        Word::Healthy => 0,
        Word::Suspended => 1,
        Word::Progressing => 2,
        Word::Unknown => 3,
        Word::Missing => 4,
        Word::Degraded => 5,
    }
}

fn exit(rows: &[Row]) -> Exit {
    let unwell = |row: &Row| matches!(row.health, Word::Degraded | Word::Missing);
    if rows.iter().any(unwell) { Exit::Unhealthy } else { Exit::Ok }
}
