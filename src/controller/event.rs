//! What happens, as one enum: the log, the live view and the history are its readers. Nothing decides by events.

use std::time::Duration;

use pintle_core::pins::ServiceName;
use serde::{Serialize, Serializer};

/// Something that happened to a service, or to the whole run. Versions and images are given as people read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// What shall run differs from what runs.
    TargetFound {
        /// The service.
        service: ServiceName,
        /// What runs.
        from: String,
        /// What shall run.
        to: String,
    },
    /// It starts when something else has passed.
    Waits {
        /// The service.
        service: ServiceName,
        /// For what, and why.
        why: Vec<String>,
    },
    /// The write was accepted: the new version starts.
    NewStarting {
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
    },
    /// Pods of the old version are ending.
    OldStopping {
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
    },
    /// The last pod of the old version is gone.
    OldGone {
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
    },
    /// All its workloads are settled and healthy.
    Verified {
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
        /// Since the write; none where it was written by somebody else. As a number: seconds.
        #[serde(serialize_with = "seconds")]
        took: Option<Duration>,
    },
    /// It ran what is pinned, and none of its pods is ready any more.
    Down {
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
        /// Why, as far as that is seen.
        why: String,
    },
    /// It was down, and a pod of it is ready again.
    Back {
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
    },
    /// Others waited for it and need not any more.
    DependenciesUpdated {
        /// The service.
        service: ServiceName,
        /// Who waited for it.
        released: Vec<ServiceName>,
    },
    /// It has failed, for certain.
    Failed {
        /// The service.
        service: ServiceName,
        /// The version.
        version: String,
        /// The pod's own words.
        words: String,
        /// What was not started because of it.
        not_started: Vec<ServiceName>,
    },
    /// Only a human can move it.
    NeedsYou {
        /// The service.
        service: ServiceName,
        /// What it waits for.
        why: String,
        /// What to type.
        command: String,
    },
    /// It is not written.
    Held {
        /// The service.
        service: ServiceName,
        /// Why, and the way out.
        why: String,
    },
    /// No order exists.
    Refused {
        /// The service.
        service: ServiceName,
        /// The circle of waits, and the way out.
        why: String,
    },
    /// The cluster does not answer. Everything is held until it does.
    Unreachable {
        /// What it said.
        why: String,
    },
    /// The cluster answers again.
    Reachable,
    /// Nothing is written at all.
    HeldAll {
        /// Why, and the way out.
        why: String,
    },
    /// What held everything has passed.
    HeldNoMore,
    /// Everything runs what is pinned.
    InSync {
        /// How many services that are.
        services: usize,
    },
    /// Another revision is kept from now on.
    Revision {
        /// The first line of its message.
        subject: String,
    },
    /// The repository does not answer. What was pinned last is kept.
    NoGit {
        /// What it said.
        why: String,
    },
    /// The repository answers again.
    Git,
    /// This process is the one writer from now on.
    Leads,
    /// Another process is the one writer.
    StandsBy {
        /// Its name, where it is known, or why nothing is.
        why: String,
    },
    /// It was told to end.
    Stopping,
}

#[expect(clippy::ref_option, reason = "what serde gives")]
fn seconds<S: Serializer>(took: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    took.map(|took| took.as_secs_f64()).serialize(to)
}
