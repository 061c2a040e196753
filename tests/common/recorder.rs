//! The API server's own record of a namespace's pods: every event, in its order. From it a test can tell which versions
//! existed at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, ObjectList, PostParams, WatchEvent, WatchParams};
use serde_json::json;
use tokio::task::JoinHandle;

use super::limit::EMERGENCY;
use super::namespace::Namespace;

/// A pod that stands for the end of a recording: whatever happened before it was created comes before it in the watch.
const END: &str = "end-of-recording";

/// A recording under way.
pub(crate) struct Recorder {
    pods: Api<Pod>,
    task: JoinHandle<Recording>,
}

#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub events: Vec<Event>,
    /// How often events are missing and the pods were listed again: a restarted API server does not know the past.
    pub gaps: usize,
}

/// A pod as one event shows it. The pods that were there at the start come first, as if just created.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub what: What,
    pub pod: String,
    /// The value of the label `app`; empty where there is none.
    pub app: String,
    /// Of init containers too.
    pub images: BTreeSet<String>,
    pub phase: String,
    pub ready: bool,
    /// Whether its deletion has been asked for.
    pub terminating: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Created,
    Changed,
    Gone,
}

/// Per app the images of the pods that exist, terminating ones too.
pub(crate) type Moment = BTreeMap<String, BTreeSet<String>>;

impl Recorder {
    pub(crate) async fn start(namespace: &Namespace) -> Self {
        let pods: Api<Pod> = Api::namespaced(namespace.client.clone(), &namespace.name);
        let mut recording = Recording::default();
        let from = recording.catch_up(pods.list(&ListParams::default()).await.unwrap());
        let task = tokio::spawn(record(pods.clone(), from, recording));
        Self { pods, task }
    }

    /// Everything up to now.
    pub(crate) async fn finish(self) -> Recording {
        // No scheduler takes it, so it never runs.
        let spec = json!({"schedulerName": "none", "containers": [{"name": "end", "image": "end"}]});
        let end = serde_json::from_value(json!({"metadata": {"name": END}, "spec": spec})).unwrap();
        self.pods.create(&PostParams::default(), &end).await.unwrap();
        let recording = tokio::time::timeout(EMERGENCY, self.task).await;
        self.pods.delete(END, &DeleteParams::default()).await.unwrap();
        recording.expect("the watch shows the end in time").unwrap()
    }
}

impl Recording {
    /// What existed at once: nothing, then the state after each event that changed it.
    pub(crate) fn moments(&self) -> Vec<Moment> {
        let mut moments = vec![Moment::new()];
        let mut pods = BTreeMap::new();
        for event in &self.events {
            event.replay(&mut pods);
            let mut moment = Moment::new();
            for event in pods.values() {
                moment.entry(event.app.clone()).or_default().extend(event.images.iter().cloned());
            }
            if moments.last() != Some(&moment) {
                moments.push(moment);
            }
        }
        moments
    }

    /// The place of the event that shows an image for the first time.
    #[track_caller]
    pub(crate) fn first(&self, image: &str) -> usize {
        let first = self.events.iter().position(|event| event.images.contains(image));
        first.unwrap_or_else(|| panic!("no pod ran {image}"))
    }

    /// The place of the event by which the last pod of an image was gone.
    #[track_caller]
    pub(crate) fn gone(&self, image: &str) -> usize {
        let last = self.events.iter().rposition(|event| event.images.contains(image));
        let last = last.unwrap_or_else(|| panic!("no pod ran {image}"));
        assert_eq!(self.events[last].what, What::Gone, "{image} still runs");
        last
    }

    /// No pod ran this image.
    pub(crate) fn never(&self, image: &str) -> bool {
        !self.events.iter().any(|event| event.images.contains(image))
    }

    /// Takes a list for the events that led to it, and gives the version from which to watch on.
    fn catch_up(&mut self, list: ObjectList<Pod>) -> String {
        let mut before = BTreeMap::new();
        self.events.iter().for_each(|event| event.replay(&mut before));
        let mut events = Vec::new();
        for pod in &list.items {
            let what = if before.remove(pod.name_any().as_str()).is_some() { What::Changed } else { What::Created };
            events.push(Event::new(what, pod));
        }
        let gone = before.into_values().map(|event| Event { what: What::Gone, ..event.clone() });
        events.extend(gone);
        self.events.append(&mut events);
        list.metadata.resource_version.unwrap()
    }

    /// Whether the recording has come to its end, which is no part of it.
    fn ended(&mut self) -> bool {
        let end = self.events.iter().position(|event| event.pod == END);
        self.events.truncate(end.unwrap_or(usize::MAX));
        end.is_some()
    }
}

impl Event {
    fn new(what: What, pod: &Pod) -> Self {
        let spec = pod.spec.as_ref().unwrap();
        let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let status = pod.status.clone().unwrap_or_default();
        Self {
            what,
            pod: pod.name_any(),
            app: pod.labels().get("app").cloned().unwrap_or_default(),
            images: containers.filter_map(|container| container.image.clone()).collect(),
            phase: status.phase.unwrap_or_default(),
            ready: status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True"),
            terminating: pod.metadata.deletion_timestamp.is_some(),
        }
    }

    fn replay<'a>(&'a self, pods: &mut BTreeMap<&'a str, &'a Self>) {
        match self.what {
            What::Gone => pods.remove(self.pod.as_str()),
            What::Created | What::Changed => pods.insert(&self.pod, self),
        };
    }
}

/// Reads the raw watch up to [`END`]. Where it breaks (a watch has an end, a server may be killed) it goes on where it was.
async fn record(pods: Api<Pod>, mut from: String, mut recording: Recording) -> Recording {
    loop {
        let Ok(stream) = pods.watch(&WatchParams::default(), &from).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        pin_mut!(stream);
        while let Some(Ok(event)) = stream.next().await {
            let (what, pod) = match event {
                WatchEvent::Added(pod) => (What::Created, pod),
                WatchEvent::Modified(pod) => (What::Changed, pod),
                WatchEvent::Deleted(pod) => (What::Gone, pod),
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(status) => {
                    assert_eq!(status.code, 410, "{}", status.message);
                    recording.gaps += 1;
                    from = recording.catch_up(pods.list(&ListParams::default()).await.unwrap());
                    break;
                }
            };
            from = pod.resource_version().unwrap();
            recording.events.push(Event::new(what, &pod));
            if pod.name_any() == END {
                break;
            }
        }
        if recording.ended() {
            return recording;
        }
    }
}
