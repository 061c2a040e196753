//! Judges what was observed of one workload: its health in Argo CD's words, what that means for a change, and which
//! images it runs. Pure.
//!
//! The rules are kstatus' with four corrections: pods that are still ending count, a broken pod of the new template
//! fails at once, what only a human can move waits for the human, and what the cluster lacks is nobody's failure.

mod live;
mod pods;
mod rollout;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::friendly::SpanPrinter;
pub use live::{NoContainer, Runs, containers_of, live, of_pods};
pub use rollout::settled;
use serde::Serialize;

use self::pods::Sight;
use self::rollout::{Rollout, Stop, count};
use crate::workload::{Pod, Workload, WorkloadId};

/// How long pods may be unready where a service does not say how long its changes may take: as long as a Deployment may
/// take to get on, by Kubernetes' own default.
const PATIENCE: Duration = Duration::from_secs(600);

/// The health of one workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Argo CD's word for it.
    pub word: Word,
    /// What is so, in words.
    pub message: String,
    /// Every pod runs the specification and none is ending: the image of the specification is all that runs. A missing
    /// workload is not settled.
    pub settled: bool,
    /// What it means for a change.
    pub verdict: Verdict,
}

/// Argo CD's words for health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Word {
    /// All is well.
    Healthy,
    /// On its way.
    Progressing,
    /// Failed, or stuck on something broken.
    Degraded,
    /// There is no such workload.
    Missing,
    /// At rest because somebody said so: scaled to 0, paused, waiting for an operator.
    Suspended,
    /// Cannot be told.
    Unknown,
}

/// What the health of a workload means for a change to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It has arrived. Where the word is not Healthy (scaled to 0), nothing has been proven by it.
    Pass,
    /// Not there yet.
    Wait {
        /// For what.
        why: String,
        /// The command that only a human should type, where nothing else gets it going.
        what_to_type: Option<String>,
    },
    /// It has failed, for certain, with the service's own words.
    Fail(String),
    /// It has not arrived, and that says nothing about the version.
    Inconclusive(String),
}

/// The change that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// When it was written, by the API server's clock; none where nothing was.
    pub written: Option<Timestamp>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// The time of judgement.
    pub now: Timestamp,
}

/// The health of a workload; `pods` are none where they were not looked at.
pub fn health(id: &WorkloadId, workload: Option<&Workload>, pods: Option<&[Arc<Pod>]>, change: &Change) -> Health {
    let Some(workload) = workload else {
        return Health::waits(Word::Missing, format!("{id} does not exist; Pintle creates none"));
    };
    if workload.deleting {
        return Health::waits(Word::Progressing, "is being deleted");
    }
    let kind = id.workload.kind;
    match rollout::of(kind, workload) {
        Rollout::Garbled(why) => {
            Health { word: Word::Unknown, message: why.clone(), settled: false, verdict: Verdict::Inconclusive(why) }
        }
        Rollout::Unseen => unseen(change),
        Rollout::Done => match rollout::ending(kind, workload, pods) {
            Some(why) => Health::waits(Word::Progressing, why),
            None => done(id, workload),
        },
        Rollout::Going(why) => going(id, workload, pods, change, Going { why, stop: None }),
        Rollout::Stopped(why, stop) => going(id, workload, pods, change, Going { why, stop: Some(stop) }),
    }
}

/// A rollout that has not arrived.
struct Going {
    why: String,
    stop: Option<Stop>,
}

/// Its controller has not seen the last change: what it reports, and the pods there are, say nothing about that.
fn unseen(change: &Change) -> Health {
    let why = "its controller has not seen the last change yet";
    if change.overdue() {
        return Health::inconclusive(Word::Progressing, change.too_long(why));
    }
    Health::waits(Word::Progressing, why)
}

fn done(id: &WorkloadId, workload: &Workload) -> Health {
    let pods = rollout::wanted(id.workload.kind, workload);
    let (word, message) = match pods {
        0 => (Word::Suspended, "scaled to 0: nothing runs".to_owned()),
        _ if workload.paused => (Word::Suspended, format!("paused; {} of this template, available", count(pods))),
        _ => (Word::Healthy, format!("{}, available", count(pods))),
    };
    Health { word, message, settled: true, verdict: Verdict::Pass }
}

/// What is certain comes first, then what waits for a human, then what lacks time.
fn going(id: &WorkloadId, workload: &Workload, pods: Option<&[Arc<Pod>]>, change: &Change, going: Going) -> Health {
    let sight = Sight::of(id.workload.kind, workload, pods.unwrap_or_default(), change.now);
    if let Some(words) = sight.broken() {
        return Health::fails(words);
    }
    if let Some(stop) = going.stop {
        return stopped(id, &going.why, stop, &sight);
    }
    if let Some(pod) = sight.stuck() {
        let why = format!("a StatefulSet replaces a broken pod only when it is deleted: {}", pods::words(pod));
        let verdict = Verdict::Wait { why: why.clone(), what_to_type: Some(delete(id, pod)) };
        return Health { word: Word::Degraded, message: why, settled: false, verdict };
    }
    let lack = rollout::lack(workload).or_else(|| sight.lack());
    let why = match lack.clone().or_else(|| sight.trouble()) {
        Some(words) => format!("{}: {words}", going.why),
        None => going.why,
    };
    if rollout::gave_up(workload, change.written) {
        return over(format!("Kubernetes gave up waiting: {why}"), lack.is_some());
    }
    if pods.is_some() && change.overdue() {
        return over(change.too_long(&why), lack.is_some());
    }
    let patience = change.timeout.unwrap_or(PATIENCE);
    if sight.is_down_for(patience) {
        let patience = SpanPrinter::new().unsigned_duration_to_string(&patience);
        return over(format!("no pod has been ready for {patience}: {why}"), lack.is_some());
    }
    Health::waits(Word::Progressing, why)
}

/// Time is up: the version's failure, unless the cluster lacked something.
fn over(why: String, lack: bool) -> Health {
    if lack { Health::inconclusive(Word::Degraded, why) } else { Health::fails(why) }
}

fn stopped(id: &WorkloadId, why: &str, stop: Stop, sight: &Sight<'_>) -> Health {
    let namespace = &id.namespace;
    let what_to_type = match stop {
        Stop::Paused => Some(format!("kubectl rollout resume {} -n {namespace}", id.workload)),
        Stop::OnDelete => sight.oldest().map(|pod| delete(id, pod)),
        Stop::Partition => Some(format!(
            "kubectl patch {} -n {namespace} -p '{{\"spec\":{{\"updateStrategy\":{{\"rollingUpdate\":{{\"partition\":0}}}}}}}}'",
            id.workload
        )),
    };
    let verdict = Verdict::Wait { why: why.to_owned(), what_to_type };
    Health { word: Word::Suspended, message: why.to_owned(), settled: false, verdict }
}

fn delete(id: &WorkloadId, pod: &Pod) -> String {
    format!("kubectl delete pod {} -n {}", pod.name, id.namespace)
}

impl Word {
    /// Returns how bad it is: the health of a service is the worst of its workloads.
    pub fn severity(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Suspended => 1,
            Self::Progressing => 2,
            Self::Unknown => 3,
            Self::Missing => 4,
            Self::Degraded => 5,
        }
    }
}

impl Change {
    /// No change: health alone is asked for.
    pub fn none(now: Timestamp) -> Self {
        Self { written: None, timeout: None, now }
    }

    fn overdue(&self) -> bool {
        let (Some(written), Some(timeout)) = (self.written, self.timeout) else { return false };
        Duration::try_from(self.now.duration_since(written)).is_ok_and(|passed| passed > timeout)
    }

    fn too_long(&self, why: &str) -> String {
        format!("{} after the write: {why}", SpanPrinter::new().duration_to_string(&self.passed()))
    }

    fn passed(&self) -> jiff::SignedDuration {
        let written = self.written.unwrap_or(self.now);
        jiff::SignedDuration::from_secs(self.now.duration_since(written).as_secs())
    }
}

impl Health {
    /// Nothing runs of it until it is written.
    pub fn idle(why: impl Into<String>) -> Self {
        Self::waits(Word::Missing, why)
    }

    fn waits(word: Word, why: impl Into<String>) -> Self {
        let why = why.into();
        let verdict = Verdict::Wait { why: why.clone(), what_to_type: None };
        Self { word, message: why, settled: false, verdict }
    }

    fn fails(words: String) -> Self {
        Self { word: Word::Degraded, message: words.clone(), settled: false, verdict: Verdict::Fail(words) }
    }

    fn inconclusive(word: Word, why: String) -> Self {
        Self { word, message: why.clone(), settled: false, verdict: Verdict::Inconclusive(why) }
    }
}
