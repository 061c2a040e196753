//! What befalls the story, and where.

use std::time::Duration;

use crate::common::proxy::fault::Fault::{self, Event};
use crate::common::proxy::fault::Kind::{self, Any, Lease, Patch, Pods, Question, Workloads};
use crate::common::proxy::fault::{
    CONFLICT, EXPIRED, FORBIDDEN, HTML, PORTAL, TIMEOUT, TORN, Twist, UNAUTHORIZED, UNAVAILABLE, busy,
};

/// A fault, and the points at which it is tried.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub id: &'static str,
    pub says: &'static str,
    pub kind: Kind,
    /// How many, evenly among the calls of this kind.
    pub points: usize,
    pub fault: Fault,
    pub lasts: Duration,
    pub looks_anew: bool,
}

const fn row(id: &'static str, says: &'static str, kind: Kind, points: usize, fault: Fault) -> Row {
    Row { id, says, kind, points, fault, lasts: Duration::ZERO, looks_anew: false }
}

const fn lasting(seconds: u64, row: Row) -> Row {
    Row { lasts: Duration::from_secs(seconds), ..row }
}

const fn looking_anew(row: Row) -> Row {
    Row { looks_anew: true, ..row }
}

/// Slow rows first: stories go on beside each other.
#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row("S3", "the watch of workloads falls silent", Workloads, 1, Event(6, Twist::Silence)),
    row("A4", "403 to an apply", Patch, 2, FORBIDDEN),
    looking_anew(row("S3", "an event of workloads is lost: early", Workloads, 1, Event(2, Twist::Drop))),
    looking_anew(row("S3", "an event of workloads is lost: in mid-rollout", Workloads, 1, Event(9, Twist::Drop))),
    looking_anew(row("S3", "an event of workloads is lost: late", Workloads, 1, Event(17, Twist::Drop))),
    row("S3", "a watch of pods falls silent", Pods, 2, Event(1, Twist::Silence)),
    row("S3", "an event of pods is lost", Pods, 2, Event(2, Twist::Drop)),
    lasting(12, row("A2", "nothing is answered for 12 s", Any, 3, Fault::Silence)),
    lasting(6, row("A7", "503 to everything for 6 s", Any, 3, UNAVAILABLE)),
    lasting(6, row("A4", "401 to everything for 6 s: the token has expired", Any, 3, UNAUTHORIZED)),
    row("A4", "403 to the watch of workloads", Workloads, 1, FORBIDDEN),
    row("A2", "an apply is not answered, and the server does not have it", Patch, 2, Fault::Silence),
    row("A2", "a question is not answered", Question, 1, Fault::Silence),
    row("A2", "a watch of workloads is not answered", Workloads, 1, Fault::Silence),
    row("A2", "a watch of pods is not answered", Pods, 1, Fault::Silence),
    row("A2", "the lease is not answered", Lease, 3, Fault::Silence),
    row("P1", "killed before an apply", Patch, 7, Fault::KillBefore),
    row("P1", "killed after an apply, before it knows", Patch, 7, Fault::KillAfter),
    row("P1", "killed before a question", Question, 2, Fault::KillBefore),
    row("P1", "killed before a call for the lease", Lease, 3, Fault::KillBefore),
    row("P1", "killed after a call for the lease", Lease, 2, Fault::KillAfter),
    row("P1", "killed before a watch of pods", Pods, 3, Fault::KillBefore),
    row("P1", "killed before the watch of workloads", Workloads, 1, Fault::KillBefore),
    row("A3", "the answer to an apply is lost", Patch, 7, Fault::CutAfter),
    row("A3", "the answer to the lease is lost", Lease, 3, Fault::CutAfter),
    row("A3", "the answer to an apply is cut in its midst", Patch, 2, Fault::Truncate),
    row("A2", "the connection is cut before an apply", Patch, 2, Fault::CutBefore),
    row("A2", "the connection is cut before a question", Question, 1, Fault::CutBefore),
    row("A2", "the connection is cut before a watch of pods", Pods, 1, Fault::CutBefore),
    row("A2", "the connection is cut before the watch of workloads", Workloads, 1, Fault::CutBefore),
    row("A2", "an apply is late by 3 s", Patch, 2, Fault::Late(Duration::from_secs(3))),
    lasting(20, row("A2", "answers come in drops for 20 s", Any, 1, Fault::Trickle)),
    row("A2", "429 to an apply, Retry-After: 0", Patch, 1, busy("Retry-After: 0")),
    row("A2", "429 to an apply, Retry-After: 1", Patch, 1, busy("Retry-After: 1")),
    row("A2", "429 to an apply, Retry-After: 3600", Patch, 2, busy("Retry-After: 3600")),
    row("A2", "429 to an apply, Retry-After: soon", Patch, 1, busy("Retry-After: soon")),
    row("A2", "429 to a watch, Retry-After: 3600", Workloads, 1, busy("Retry-After: 3600")),
    row("A2", "429 to the lease, Retry-After: 3600", Lease, 2, busy("Retry-After: 3600")),
    lasting(5, row("A2", "429 to every apply for 5 s", Patch, 2, busy("Retry-After: 1"))),
    row("A2", "500 and a page to an apply", Patch, 2, HTML),
    row("A2", "500 and a page to a question", Question, 1, HTML),
    row("A2", "500 and a page to the lease", Lease, 2, HTML),
    row("A2", "200 and a page to a watch", Workloads, 1, PORTAL),
    row("A2", "200 and a page to an apply", Patch, 1, PORTAL),
    row("A2", "200 and torn JSON to an apply", Patch, 1, TORN),
    row("A2", "200 and torn JSON to a question", Question, 1, TORN),
    row("A2", "504 to an apply", Patch, 2, TIMEOUT),
    row("A1", "409 to an apply: the object has changed", Patch, 3, CONFLICT),
    row("A1", "409 to the lease", Lease, 3, CONFLICT),
    row("S3", "an event of workloads comes twice", Workloads, 1, Event(4, Twist::Double)),
    row("S3", "the watch of workloads is cut", Workloads, 1, Event(5, Twist::Cut)),
    row("S3", "a watch of pods is cut", Pods, 2, Event(1, Twist::Cut)),
    row("S5", "410 in the watch of workloads", Workloads, 1, Event(5, Twist::Gone)),
    row("S5", "410 in a watch of pods", Pods, 1, Event(1, Twist::Gone)),
    row("S5", "410 to a watch of pods", Pods, 1, EXPIRED),
    row("S1", "410, and a list that lags behind: early", Workloads, 1, Event(5, Twist::Back)),
    row("S1", "410, and a list that lags behind: late", Workloads, 1, Event(15, Twist::Back)),
];
