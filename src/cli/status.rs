//! `pintle status`: what is pinned, what runs, and what it is waiting for.
#![expect(clippy::disallowed_methods, reason = "ages are told from now")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use pintle_core::git::CommitId;
use pintle_core::graph::Id;
use pintle_core::plan::{HoldReason, Step};
use pintle_core::verify::Word;
use serde::Serialize;
use serde_json::Value;

use super::describe::{Describe, Sentence, health_parts};
use super::exit::{Exit, Failure, help};
use super::load::{load, say_stale};
use super::output::{BAD, BUSY, GOOD, NAME, Output, Printing};
use super::site::{self, OnSite, Sight, Site};
use super::table::{Cell, Head, Table};
use super::words::{how_long, known};
use crate::cli::config::Config;
use crate::cluster::{Cluster, ClusterError, Leader, Observation};
use crate::controller::{Desired, Outcome, Pass, want};

/// Show what is pinned, what runs, and what it is waiting for
#[derive(Debug, Args)]
#[command(after_help = help(
    "pintle status\npintle status checkout --watch\npintle status --exit-code || echo 'not what is pinned'",
    &[Exit::Ok, Exit::Error, Exit::Changes, Exit::Unhealthy, Exit::Refused, Exit::Usage],
))]
pub(super) struct Status {
    /// Only these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Stay, and show it anew whenever it changes
    #[arg(short, long)]
    pub watch: bool,
    /// Exit with 2 where not everything is in sync, also by a hold or a pause of somebody's choice
    #[arg(long, conflicts_with = "watch")]
    pub exit_code: bool,
    #[command(flatten)]
    printing: Printing,
}

/// How everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    /// The one writer, where there is one; none as well where that may not be asked.
    writer: Option<Leader>,
    services: Vec<Row>,
}

/// How one service stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    service: String,
    /// Where it runs; none where its file has errors.
    namespace: Option<String>,
    /// What is pinned: the version, or the image where the version alone does not tell it from what runs; none where its
    /// file has errors.
    pinned: Option<String>,
    runs: String,
    health: Word,
    /// When what runs was verified.
    since: Option<Timestamp>,
    in_sync: bool,
    /// Why not, and what it waits for; also where it is in sync, until when it is paused.
    why: Option<Sentence>,
    /// The same as a code with its parts.
    reason: Option<Value>,
    /// It cannot be written: a namespace that does not exist is in the way of all that it shall hold.
    #[serde(skip)]
    is_obstructed: bool,
}

impl OnSite for Status {
    const CHANGES: Option<&'static str> = None;

    async fn run_on<C: Cluster>(&self, _: &Config, site: Site<C>, output: &mut Output) -> Result<Exit, Failure> {
        for name in &self.services {
            // Of a revision that cannot be used no service is known.
            let known = known(name, site.desired.graph.ids().map(|id| site.desired.graph.name(id)));
            known.or_else(|unknown| site.loaded.at.usable().and(Err(unknown)))?;
        }
        let mut before = None;
        loop {
            let sight = site.see().await?;
            let broken = site.loaded.at.sound().and_then(|()| site.guard_history(&sight, None).map(drop));
            let writer = site.cluster.leader(&site.lease()).await;
            let writer_known = writer.clone().ok().flatten();
            let services = self.rows(&site, sight, writer_known.as_ref());
            let shown = Shown { writer: writer_known, services };
            // A sign of life alone is no news; in place, ages go on all the same.
            if before.as_ref() != Some(&shown.services) || output.is_in_place(self.printing.output) {
                if before.is_some() {
                    output.anew(self.printing.output);
                }
                self.print(&site, &shown, writer.err().as_ref(), output)?;
            }
            if !self.watch || output.is_closed() {
                return broken.map(|()| self.exit(&shown.services));
            }
            if let Some(failure) = broken.err().filter(|_| before.is_none()) {
                output.failure(&failure);
            }
            before = Some(shown.services);
            site.cluster.changed(Duration::from_secs(5)).await?;
        }
    }
}

impl Status {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<Exit, Failure> {
        let loaded = load(config, None)?;
        say_stale(loaded.stale.as_ref(), output);
        loaded.say_uncommitted(output)?;
        site::run(self, config, loaded, output)
    }

    fn rows(&self, site: &Site<impl Cluster>, sight: Sight, writer: Option<&Leader>) -> Vec<Row> {
        let when = if writer.is_some() { "in a moment" } else { "at the next apply" };
        let Sight { observed, look } = sight;
        let wanted = want(&site.desired, &look);
        let pass = Outcome::still(&site.desired, look, wanted).last;
        let shown = |id: &Id| {
            self.services.is_empty() || self.services.iter().any(|name| name == site.desired.graph.name(*id).as_str())
        };
        let row = |id: Id| {
            let row = row(site, id, &pass, when);
            if is_nowhere(&site.desired, id, &observed) { row.of_nothing() } else { row }
        };
        site.desired.graph.ids().filter(shown).map(row).collect()
    }

    fn exit(&self, rows: &[Row]) -> Exit {
        let unwell = |row: &Row| matches!(row.health, Word::Degraded | Word::Missing);
        match () {
            () if rows.iter().any(unwell) => Exit::Unhealthy,
            () if self.exit_code && !rows.iter().all(|row| row.in_sync) => Exit::Changes,
            () => Exit::Ok,
        }
    }

    fn print(
        &self,
        site: &Site<impl Cluster>,
        shown: &Shown,
        unknown: Option<&ClusterError>,
        output: &mut Output,
    ) -> Result<(), Failure> {
        output.result(self.printing.output, shown, |output| {
            let (rows, now) = (&shown.services, Timestamp::now());
            let shared = shared(rows);
            table(rows, &shared, now).print(output);
            for (why, services) in &shared {
                output.line(format_args!("{}: {}", services.join(", "), why));
            }
            let in_sync = rows.iter().filter(|row| row.in_sync).count();
            output.line(format_args!("{in_sync} of {} in sync", rows.len()));
            let writer = match unknown {
                Some(why) => format!("Whether a pintle run is at work is not known: {why}"),
                None => writer_words(shown.writer.as_ref(), site.commit.id, now),
            };
            output.line(writer);
        })
    }
}

/// The namespace that it shall run in does not exist: then nothing of it does.
fn is_nowhere(desired: &Desired, id: Id, observed: &Observation) -> bool {
    let workloads = desired.service(id).map(|service| desired.workloads(service)).unwrap_or_default();
    let mut unknown = workloads.iter().filter_map(|id| observed.unknown.get(id));
    unknown.any(|why| matches!(why, ClusterError::NoNamespace(_)))
}

impl Row {
    fn of_nothing(self) -> Self {
        Self { runs: "nothing".to_owned(), health: Word::Missing, ..self }
    }
}

/// What is in the way of several services: it is told once, for all of them.
fn shared(rows: &[Row]) -> BTreeMap<&str, Vec<&str>> {
    let mut shared: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_obstructed) {
        shared.entry(row.why.as_ref().map_or("", |why| &why.brief)).or_default().push(&row.service);
    }
    shared.retain(|_, services| services.len() > 1);
    shared
}

fn table(rows: &[Row], shared: &BTreeMap<&str, Vec<&str>>, now: Timestamp) -> Table {
    let namespaces: BTreeSet<_> = rows.iter().filter_map(|row| row.namespace.as_ref()).collect();
    let several = namespaces.len() > 1;
    let mut heads = vec![Head::whole("SERVICE")];
    heads.extend(several.then_some(Head::whole("NAMESPACE")));
    heads.extend(["PINNED", "RUNS", "HEALTH", "VERIFIED"].map(Head::whole));
    let mut table = Table::new(heads);
    for row in rows {
        let style = match (row.in_sync, row.health) {
            (_, Word::Degraded | Word::Missing) => BAD,
            (true, Word::Healthy) => GOOD,
            _ => BUSY,
        };
        let age = row.since.map(|since| how_long(now.duration_since(since)) + " ago");
        let or = |text: Option<&str>, otherwise: &str| text.unwrap_or(otherwise).to_owned();
        let mut cells = vec![Cell::new(NAME, row.service.as_str())];
        cells.extend(several.then(|| Cell::from(or(row.namespace.as_deref(), "?"))));
        cells.extend([or(row.pinned.as_deref(), "?").into(), Cell::new(style, row.runs.as_str())]);
        cells.extend([Cell::new(style, format!("{:?}", row.health)), or(age.as_deref(), "-").into()]);
        table.row(cells);
        if let Some(why) = row.why.as_ref().filter(|why| !shared.contains_key(why.brief.as_str())) {
            table.note(&why.brief);
        }
    }
    table
}

/// Who keeps it so, and how old its sight is.
fn writer_words(writer: Option<&Leader>, tip: CommitId, now: Timestamp) -> String {
    let Some(Leader { holder, says, .. }) = writer else {
        return "No pintle run is at work: nothing is corrected until the next pintle apply".to_owned();
    };
    let ago = |time: Timestamp| how_long(now.duration_since(time)) + " ago";
    if let Some(renewed) = writer.and_then(|writer| writer.silent_since(now)) {
        return format!("{holder} has given no sign of life since {}: nothing is corrected", ago(renewed));
    }
    let Some(says) = says else { return format!("{holder} is the one writer") };
    let mut words = match says.revision {
        Some(revision) if revision == tip => format!("{holder} keeps it so, at {}", revision.short()),
        Some(revision) => format!("{holder} is at {}, this is {}", revision.short(), tip.short()),
        None => format!("{holder} begins"),
    };
    words.extend(match (&says.silent, says.asked) {
        (Some(why), Some(asked)) => Some(format!("; the repository last answered it {}: {why}", ago(asked))),
        (Some(why), None) => Some(format!("; the repository does not answer it: {why}")),
        (None, asked) => asked.map(|asked| format!("; it asked the repository {}", ago(asked))),
    });
    words.extend(says.held.as_ref().map(|why| format!("; it holds everything: {why}")));
    for (service, why) in &says.refused {
        let _ = write!(words, "\n{service} was refused to it: {why}");
    }
    words
}

fn row(site: &Site<impl Cluster>, id: Id, pass: &Pass, when: &str) -> Row {
    let describe = Describe::new(&site.desired, pass.look.at);
    let (seen, running) = (&pass.look.services[id.index()], pass.look.live[id.index()].running.as_slice());
    let worst = seen.workloads.iter().map(|it| &it.health).max_by_key(|health| severity(health.word));
    let health = worst.map_or(Word::Unknown, |health| health.word);
    let step = pass.next.of(id);
    let reason = worst.filter(|health| health.word != Word::Healthy).map(|health| &health.reason);
    let stay = seen.stay.as_ref().filter(|_| seen.pause.is_some());
    let health_of = |it: Describe<'_>| reason.map(|reason| it.health(reason)).unwrap_or_default();
    let why = match step {
        Some(Step::UnderWay) => Some(describe.both(|it| format!("under way: {}", health_of(it)))),
        Some(Step::Start(_)) => {
            let missing = worst.filter(|health| health.word == Word::Missing);
            let why = |it: Describe<'_>| missing.map(|health| it.health(&health.reason) + "; ").unwrap_or_default();
            Some(describe.both(|it| why(it) + "starts " + when))
        }
        Some(step) => Some(describe.both(|it| it.step(id, step))),
        None => match stay {
            Some(stay) => Some(describe.both(|it| it.suppressed(id, stay))),
            None => reason.is_some().then(|| describe.both(health_of)),
        },
    };
    let parts = match (step, stay) {
        (Some(Step::Held(_) | Step::Failed(_) | Step::Waits(_) | Step::Refused(_)), _) => {
            step.map(|step| describe.step_parts(step))
        }
        (None, Some(stay)) => Some(describe.hold_parts(&HoldReason::Suppressed(stay.clone()))),
        _ => reason.map(health_parts),
    };
    let states = || seen.workloads.iter().filter_map(|it| it.workload.as_deref()?.state.as_ref());
    Row {
        service: describe.name(id).to_owned(),
        namespace: describe.namespace(id),
        pinned: site.desired.service(id).map(|_| describe.beside(id, running)),
        runs: describe.all(id, running),
        health,
        since: states()
            .filter_map(|state| state.proven.first())
            .filter(|_| step.is_none())
            .map(|proven| proven.at)
            .max(),
        in_sync: step.is_none(),
        why,
        reason: parts,
        is_obstructed: seen.obstacle.is_some(),
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
