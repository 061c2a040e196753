//! What the pods of an unsettled workload say.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::reason::{Obstruction, UnreadyPod};
use crate::image::Image;
use crate::pins::WorkloadKind;
use crate::workload::{Pod, PodIssue, Workload};

/// A pod of an older revision that is not ready for so long will not become ready by itself.
const STUCK_AFTER_SECONDS: i64 = 60;

/// What ends a pod's hopes for certain; kubelet tries on, but with the same image and configuration.
const FATAL_REASONS: &[&str] = &[
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// What a registry says when it will say the same next time; else the first `ErrImagePull` may be a hiccup, and
/// `ImagePullBackOff` follows within seconds.
const FATAL_PULL_MESSAGES: &[&str] =
    &["not found", "manifest unknown", "denied", "unauthorized", "forbidden", "no match for"];

/// The pods of a workload that is not settled, told apart.
pub(super) struct PodGenerations<'p> {
    kind: WorkloadKind,
    /// Of the newest template, and not ending.
    new_pods: Vec<&'p Pod>,
    /// Of another template, and not ending.
    old_pods: Vec<&'p Pod>,
    now: Timestamp,
}

impl<'p> PodGenerations<'p> {
    /// Tells new pods from old ones: by the revision where it is reported, else by the images. Several templates may
    /// have the same images; then the newest pod shows the newest one.
    pub(super) fn of(kind: WorkloadKind, workload: &Workload, pods: &'p [Arc<Pod>], now: Timestamp) -> Self {
        let staying = pods.iter().map(Arc::as_ref).filter(|pod| pod.is_running() && !pod.terminating);
        let (mut new_pods, mut old_pods): (Vec<_>, Vec<_>) = match &workload.status.update_revision {
            Some(revision) => staying.partition(|pod| pod.template.as_ref() == Some(revision)),
            None => staying.partition(|pod| has_images_of(pod, workload)),
        };
        let newest = new_pods.iter().max_by_key(|pod| pod.created).and_then(|pod| pod.template.clone());
        let (newest, others) = new_pods.iter().partition::<Vec<&Pod>, _>(|pod| pod.template == newest);
        old_pods.extend(others);
        new_pods = newest;
        Self { kind, new_pods, old_pods, now }
    }

    /// A new pod that has failed for certain.
    pub(super) fn broken(&self) -> Option<UnreadyPod> {
        self.new_pods.iter().find(|pod| pod.issues.iter().any(is_certain)).map(|pod| self.unready(pod))
    }

    /// No pod of the newest template has been ready for so long. It may never crash, and yet nobody is served by it.
    pub(super) fn is_down_for(&self, patience: Duration) -> bool {
        let for_long =
            |since: Timestamp| Duration::try_from(self.now.duration_since(since)).is_ok_and(|it| it > patience);
        !self.new_pods.is_empty() && self.new_pods.iter().all(|pod| pod.unready_since.is_some_and(for_long))
    }

    /// An old pod for which a StatefulSet waits in vain.
    pub(super) fn stuck(&self) -> Option<&'p Pod> {
        if self.kind != WorkloadKind::StatefulSet {
            return None;
        }
        let for_long = |pod: &Pod| {
            pod.created.is_some_and(|created| self.now.duration_since(created).as_secs() > STUCK_AFTER_SECONDS)
        };
        let hopeless = |pod: &&&Pod| !pod.ready && (pod.issues.iter().any(is_certain) || for_long(pod));
        self.old_pods.iter().find(hopeless).copied()
    }

    /// What the cluster lacks for the new pods, where that is what they wait for.
    pub(super) fn lack(&self) -> Option<Obstruction> {
        let mut unready = self.new_pods.iter().filter(|pod| !pod.ready).peekable();
        unready.peek()?;
        if unready.clone().all(|pod| pod.issues.iter().any(|trouble| trouble.container.is_none())) {
            return unready.next().map(|pod| Obstruction::Pod(self.unready(pod)));
        }
        None
    }

    /// What keeps a new pod from being ready, for certain or not.
    pub(super) fn trouble(&self) -> Option<Obstruction> {
        self.new_pods.iter().find(|pod| !pod.issues.is_empty()).map(|pod| Obstruction::Pod(self.unready(pod)))
    }

    /// Returns a pod with its worst issue.
    pub(super) fn unready(&self, pod: &Pod) -> UnreadyPod {
        let is_process = self.kind == WorkloadKind::Process;
        UnreadyPod { name: pod.name.clone(), is_process, issue: pod.issues.first().cloned() }
    }

    /// The pod to delete next where an operator deletes them: of the highest ordinal, as a StatefulSet goes.
    pub(super) fn oldest(&self) -> Option<&'p Pod> {
        self.old_pods.iter().max_by_key(|pod| (pod.name.len(), &pod.name)).copied()
    }
}

fn is_certain(trouble: &PodIssue) -> bool {
    let message = trouble.message.to_lowercase();
    FATAL_REASONS.contains(&trouble.reason.as_str())
        || trouble.reason == "ErrImagePull" && FATAL_PULL_MESSAGES.iter().any(|words| message.contains(words))
}

fn has_images_of(pod: &Pod, workload: &Workload) -> bool {
    workload.containers.iter().all(|wanted| {
        pod.containers.iter().any(|container| {
            container.name == wanted.name
                && match (&container.image, &wanted.image) {
                    (Some(found), Some(wanted)) => same(found, wanted),
                    _ => container.written_image == wanted.written_image,
                }
        })
    })
}

/// The same, or the same from a mirror: admission may change the registry of a pod's image.
fn same(found: &Image, wanted: &Image) -> bool {
    found == wanted || found.tag().is_some() && found.tag() == wanted.tag() && found.digest() == wanted.digest()
}
