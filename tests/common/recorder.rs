//! The API server's own record of a namespace's pods: every event, in its order, none left out. From it a test can tell
//! which versions existed at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, PostParams, WatchEvent, WatchParams};
use serde_json::json;
use tokio::task::JoinHandle;

use super::namespace::Namespace;

/// A pod that stands for the end of a recording: whatever happened before it was created comes before it in the watch.
const END: &str = "end-of-recording";

/// A recording under way.
pub struct Recorder {
    pods: Api<Pod>,
    task: JoinHandle<Recording>,
}

#[derive(Debug, Default)]
pub struct Recording {
    pub events: Vec<Event>,
}

/// A pod as one event shows it. The pods that were there at the start come first, as if just created.
#[derive(Clone, Debug)]
pub struct Event {
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
pub enum What {
    Created,
    Changed,
    Gone,
}

/// Per app the images of the pods that exist, terminating ones too.
pub type Moment = BTreeMap<String, BTreeSet<String>>;

impl Recorder {
    pub async fn start(namespace: &Namespace) -> Self {
        let pods: Api<Pod> = Api::namespaced(namespace.client.clone(), &namespace.name);
        let list = pods.list(&ListParams::default()).await.unwrap();
        let from = list.metadata.resource_version.unwrap();
        let events = list.items.iter().map(|pod| Event::new(What::Created, pod)).collect();
        let task = tokio::spawn(record(pods.clone(), from, Recording { events }));
        Self { pods, task }
    }

    /// Everything up to now.
    pub async fn finish(self) -> Recording {
        // No scheduler takes it, so it never runs.
        let spec = json!({"schedulerName": "none", "containers": [{"name": "end", "image": "end"}]});
        let end = serde_json::from_value(json!({"metadata": {"name": END}, "spec": spec})).unwrap();
        self.pods.create(&PostParams::default(), &end).await.unwrap();
        let recording = tokio::time::timeout(Duration::from_secs(30), self.task).await;
        self.pods.delete(END, &DeleteParams::default()).await.unwrap();
        recording.expect("the watch shows the end within 30 s").unwrap()
    }
}

impl Recording {
    /// What existed at once: the state at the start and after each event that changed it.
    pub fn moments(&self) -> Vec<Moment> {
        let mut pods = BTreeMap::new();
        let mut moments = vec![Moment::new()];
        for event in &self.events {
            match event.what {
                What::Gone => pods.remove(&event.pod),
                What::Created | What::Changed => pods.insert(&event.pod, event),
            };
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
}

/// Reads the raw watch up to [`END`], and where it breaks (a watch has an end, a server may be killed) goes on where it was.
async fn record(pods: Api<Pod>, mut from: String, mut recording: Recording) -> Recording {
    loop {
        if let Ok(stream) = pods.watch(&WatchParams::default(), &from).await {
            pin_mut!(stream);
            while let Some(Ok(event)) = stream.next().await {
                let (what, pod) = match event {
                    WatchEvent::Added(pod) => (What::Created, pod),
                    WatchEvent::Modified(pod) => (What::Changed, pod),
                    WatchEvent::Deleted(pod) => (What::Gone, pod),
                    WatchEvent::Bookmark(_) => continue,
                    WatchEvent::Error(status) => panic!("the recording has a gap: {}", status.message),
                };
                from = pod.resource_version().unwrap();
                if pod.name_any() == END {
                    return recording;
                }
                recording.events.push(Event::new(what, &pod));
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
