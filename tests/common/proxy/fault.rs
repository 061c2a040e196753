//! What can befall a call, and which one.

use std::time::Duration;

use super::Call;

/// Which call, what befalls it, and for how long the same befalls those after it that are alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub kind: Kind,
    /// The place of the first call, from zero, among those of its kind.
    pub number: usize,
    pub fault: Fault,
    /// Zero for that one call alone.
    pub lasts: Duration,
}

/// Calls that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Any,
    /// Whatever changes something, leases too.
    Write,
    /// An apply to a workload.
    Patch,
    /// An apply to a workload whose name starts so.
    PatchOf(&'static str),
    /// An apply that is only asked about.
    Question,
    Lease,
    /// The watch of all Deployments.
    Workloads,
    /// A watch of the pods of one workload.
    Pods,
}

impl Kind {
    pub(crate) fn takes(self, call: &Call) -> bool {
        let is_patch = call.method == "PATCH";
        match self {
            Self::Any => true,
            Self::Write => call.is_write(),
            Self::Patch => is_patch && !call.dry_run,
            Self::PatchOf(start) => is_patch && !call.dry_run && call.path.contains(&format!("/{start}")),
            Self::Question => call.dry_run,
            Self::Lease => call.is_lease(),
            Self::Workloads => call.method == "GET" && call.path.ends_with("/deployments"),
            Self::Pods => call.path.ends_with("/pods"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Kills the caller; the server does not have the call.
    KillBefore,
    /// Kills the caller when the server has answered, and before the caller knows.
    KillAfter,
    /// Ends the connection; the server does not have the call.
    CutBefore,
    /// Ends the connection instead of giving the answer.
    CutAfter,
    /// Breaks off within the answer's body.
    Truncate,
    /// Takes the call, and that is all; the server does not have it.
    Silence,
    /// Hands the call on later.
    Late(Duration),
    /// Hands the call on when the rule is taken away.
    Kept,
    /// Hands on a few bytes of the answer at a time.
    Trickle,
    /// Answers in the server's place: code, headers, body.
    Answer(u16, &'static str, &'static str),
    /// Changes what a watch says after its list, from the event of this number on.
    Event(usize, Twist),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Twist {
    /// One is lost.
    Drop,
    /// One comes twice.
    Double,
    /// The connection ends before it.
    Cut,
    /// Neither it nor any other comes, and the connection stays open.
    Silence,
    /// The server says instead that it has forgotten.
    Gone,
    /// The same; and the list that is asked for then comes from a server that lags behind: it is the first one once more.
    Back,
}

/// As the API server says it of itself.
pub(crate) const TOO_MANY: &str = "Too many requests, please try again later.\n";
/// As a proxy says it.
pub(crate) const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>";

pub(crate) const UNAUTHORIZED: Fault = Fault::Answer(
    401,
    JSON,
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#,
);
pub(crate) const FORBIDDEN: Fault = Fault::Answer(
    403,
    JSON,
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"deployments.apps \"left\" is forbidden: User \"pintle\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"shop\"","reason":"Forbidden","code":403}"#,
);
pub(crate) const CONFLICT: Fault = Fault::Answer(
    409,
    JSON,
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again","reason":"Conflict","code":409}"#,
);
pub(crate) const EXPIRED: Fault = Fault::Answer(
    410,
    JSON,
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}"#,
);
pub(crate) const UNAVAILABLE: Fault = Fault::Answer(
    503,
    JSON,
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"apiserver is shutting down","reason":"ServiceUnavailable","code":503}"#,
);
pub(crate) const TIMEOUT: Fault = Fault::Answer(
    504,
    JSON,
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","code":504}"#,
);
pub(crate) const TORN: Fault = Fault::Answer(200, JSON, r#"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"na"#);
pub(crate) const HTML: Fault = Fault::Answer(500, "Content-Type: text/html", PAGE);
/// A login page in place of any answer.
pub(crate) const PORTAL: Fault = Fault::Answer(200, "Content-Type: text/html", PAGE);

const JSON: &str = "Content-Type: application/json";

/// With this `Retry-After`.
pub(crate) const fn busy(header: &'static str) -> Fault {
    Fault::Answer(429, header, TOO_MANY)
}
