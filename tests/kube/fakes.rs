//! Faults that a real API server cannot be made to show: a loopback server answers instead, as each test scripts it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pintle::cluster::{Cluster, ClusterError, KubeCluster, Observation};
use pintle_core::pins::{WorkloadKind, WorkloadRef};
use pintle_core::workload::WorkloadId;
use serde_json::{Value, json};

use super::{impatient, patient, scope};
use crate::common::limit::EMERGENCY;

enum Reply {
    /// A status and a whole body.
    Answer(u16, String),
    /// Watch events, and then silence.
    Stream(Vec<Value>),
    /// Watch events, then these bytes, and the connection breaks within a chunk.
    Broken(Vec<Value>, &'static str),
}

/// Serves until the test process ends.
struct Fake {
    kubeconfig: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fake {
    fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::of_version("35", reply)
    }

    fn of_version(minor: &'static str, reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let reply = move |target: &str| if target == "/version" { version(minor) } else { reply(target) };
        let reply = std::sync::Arc::new(reply);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let reply = reply.clone();
                std::thread::spawn(move || serve(stream, &*reply));
            }
        });
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "clusters": [{"name": "fake", "cluster": {"server": server}}],
            "users": [{"name": "fake", "user": {}}],
        });
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        Self { kubeconfig, _folder: folder }
    }

    async fn connect(&self) -> KubeCluster {
        let kube = KubeCluster::connect(&patient(self.kubeconfig.clone())).await.unwrap();
        kube.watch_workloads(&scope(&[id("a"), id("b")]));
        kube
    }
}

fn serve(mut stream: TcpStream, reply: &dyn Fn(&str) -> Reply) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    lines.find(String::is_empty);
    let target = first.split(' ').nth(1).unwrap();
    // Whoever asked may be gone; then nobody minds.
    drop(answer(&mut stream, reply(target)));
}

fn answer(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    let (events, broken) = match reply {
        Reply::Answer(status, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
            return write!(stream, "{head}{body}");
        }
        Reply::Stream(events) => (events, None),
        Reply::Broken(events, bytes) => (events, Some(bytes)),
    };
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    for event in events {
        let line = format!("{event}\n");
        write!(stream, "{:x}\r\n{line}\r\n", line.len())?;
    }
    if let Some(bytes) = broken {
        return write!(stream, "ffff\r\n{bytes}");
    }
    std::thread::sleep(EMERGENCY);
    Ok(())
}

fn version(minor: &str) -> Reply {
    let version = json!({
        "major": "1", "minor": minor, "gitVersion": "", "gitCommit": "", "gitTreeState": "", "buildDate": "",
        "goVersion": "", "compiler": "", "platform": "",
    });
    Reply::Answer(200, version.to_string())
}

fn id(name: &str) -> WorkloadId {
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, name: name.to_owned() };
    WorkloadId { namespace: "default".to_owned(), workload }
}

/// A settled Deployment; its version and the tag of its image.
fn deployment(name: &str, version: u32, tag: &str) -> Value {
    let conditions = json!([
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": name, "namespace": "default", "uid": name, "generation": 1, "resourceVersion": version.to_string(),
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": {"containers": [{"name": "app", "image": format!("test/{name}:{tag}")}]}},
        },
        "status": {
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "terminatingReplicas": 0, "conditions": conditions,
        },
    })
}

fn event(what: &str, object: &Value) -> Value {
    json!({"type": what, "object": object})
}

fn end_of_list(version: u32) -> Value {
    let metadata =
        json!({"resourceVersion": version.to_string(), "annotations": {"k8s.io/initial-events-end": "true"}});
    event("BOOKMARK", &json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}))
}

fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message,
        "details": {"retryAfterSeconds": 1},
    })
}

fn page(objects: &[Value], next: &str) -> Reply {
    let metadata = json!({"resourceVersion": "9", "continue": next});
    let list = json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": metadata, "items": objects});
    Reply::Answer(200, list.to_string())
}

/// The images that are seen.
fn images(seen: &Observation) -> String {
    seen.workloads.values().map(|workload| workload.containers[0].written_image.as_str()).collect::<Vec<_>>().join(" ")
}

async fn until(kube: &KubeCluster, expected: &str) {
    let deadline = Instant::now() + EMERGENCY;
    loop {
        let seen = kube.observe().await.unwrap();
        if images(&seen) == expected {
            return;
        }
        assert!(Instant::now() < deadline, "not {expected}: {seen:#?}");
        kube.wait_for_change(Duration::from_millis(500)).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_streams_no_lists_is_asked_for_pages_and_a_part_is_never_shown() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::start(move |target| {
        if target.contains("sendInitialEvents") {
            let message =
                "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature";
            return Reply::Answer(422, failure(422, "Invalid", message).to_string());
        }
        match target {
            it if it.contains("watch=true") => Reply::Stream(vec![event("MODIFIED", &deployment("a", 10, "2"))]),
            // The first list breaks off; begun again, its token has expired; begun again, it is whole.
            it if it.contains("continue") => match asked.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::Answer(500, failure(500, "InternalError", "etcd is away").to_string()),
                1 => Reply::Answer(410, failure(410, "Expired", "too old").to_string()),
                _ => page(&[deployment("b", 8, "1")], ""),
            },
            _ => page(&[deployment("a", 7, "1")], "token"),
        }
    });
    let kube = fake.connect().await;
    let first = images(&kube.observe().await.unwrap());
    assert!(first == "test/a:1 test/b:1" || first == "test/a:2 test/b:1", "{first}");
    until(&kube, "test/a:2 test/b:1").await;
}

#[tokio::test]
async fn a_watch_that_breaks_or_talks_nonsense_goes_on_where_it_was() {
    let fake = Fake::start(|target| match target {
        it if it.contains("sendInitialEvents") => {
            let list = vec![event("ADDED", &deployment("a", 3, "1")), end_of_list(5)];
            Reply::Broken(list, "{\"type\":\"MODIFIED\",\"object\":{\"metadata\"")
        }
        it if it.contains("resourceVersion=5") => {
            Reply::Broken(vec![event("MODIFIED", &deployment("a", 6, "2"))], "<html>a proxy was here</html>\n")
        }
        it if it.contains("resourceVersion=6") => {
            Reply::Stream(vec![event("ADDED", &deployment("b", 7, "1")), json!({"type": "BOOKMARK"})])
        }
        it => Reply::Answer(400, format!("unexpected {it}")),
    });
    let kube = fake.connect().await;
    until(&kube, "test/a:2 test/b:1").await;
}

#[tokio::test]
async fn a_server_that_has_forgotten_is_asked_for_all_again_and_older_news_is_no_news() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::start(move |target| {
        if !target.contains("sendInitialEvents") {
            return Reply::Answer(400, "unexpected".to_owned());
        }
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let gone = event("ERROR", &failure(410, "Expired", "too old resource version"));
            let list = [deployment("a", 3, "1"), deployment("b", 4, "1")].map(|object| event("ADDED", &object));
            let more = [end_of_list(5), event("MODIFIED", &deployment("a", 9, "2")), gone];
            return Reply::Stream(list.into_iter().chain(more).collect());
        }
        // A server that lags behind: `a` as it was, and `b` was deleted.
        Reply::Stream(vec![event("ADDED", &deployment("a", 3, "1")), end_of_list(8)])
    });
    let kube = fake.connect().await;
    until(&kube, "test/a:2").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    until(&kube, "test/a:2").await;
}

#[tokio::test]
async fn what_a_watch_has_lost_is_found_by_the_next_list() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::start(move |target| {
        if !target.contains("sendInitialEvents") {
            return Reply::Stream(Vec::new());
        }
        let (version, tag) = if asked.fetch_add(1, Ordering::SeqCst) == 0 { (3, "1") } else { (4, "2") };
        Reply::Stream(vec![event("ADDED", &deployment("a", version, tag)), end_of_list(5)])
    });
    let mut to = patient(fake.kubeconfig.clone());
    to.timeouts.resync_interval = Duration::from_millis(500);
    let kube = KubeCluster::connect(&to).await.unwrap();
    kube.watch_workloads(&scope(&[id("a")]));
    until(&kube, "test/a:1").await;
    until(&kube, "test/a:2").await;
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Answer(429, failure(429, "TooManyRequests", "too many requests").to_string()),
        _ => Reply::Stream(vec![event("ADDED", &deployment("a", 3, "1")), end_of_list(5)]),
    });
    let kube = fake.connect().await;
    let began = Instant::now();
    until(&kube, "test/a:1").await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_proxys_error_page_is_told_by_its_first_line() {
    let fake = Fake::start(|_| Reply::Answer(502, "<html><h1>Bad Gateway</h1>\n<p>more</p></html>".to_owned()));
    let kube = KubeCluster::connect(&impatient(fake.kubeconfig.clone())).await.unwrap();
    kube.watch_workloads(&scope(&[id("a"), id("b")]));
    let error = kube.observe().await.unwrap_err();
    let ClusterError::Unreachable(words) = error else { panic!("{error}") };
    assert!(words.contains("): status 502: <html><h1>Bad Gateway</h1>, since 20"), "{words}");
}

#[tokio::test]
async fn where_ending_pods_are_not_reported_pods_are_looked_at_once() {
    let looked = std::sync::Arc::new(AtomicUsize::new(0));
    let count = looked.clone();
    let old = |version, tag| {
        let mut object = deployment("a", version, tag);
        object["status"].as_object_mut().unwrap().remove("terminatingReplicas");
        object
    };
    let fake = Fake::start(move |target| {
        if target.contains("/pods?") {
            count.fetch_add(1, Ordering::SeqCst);
            assert!(target.contains("labelSelector=app%3Da"), "{target}");
            return Reply::Stream(vec![end_of_list(6)]);
        }
        let mut later = old(8, "1");
        later["status"]["conditions"][0]["message"] = json!("said later");
        let list = vec![event("ADDED", &old(3, "1")), end_of_list(5)];
        if target.contains("sendInitialEvents") {
            Reply::Stream(list)
        } else {
            Reply::Stream(vec![event("MODIFIED", &later)])
        }
    });
    let kube = fake.connect().await;
    until(&kube, "test/a:1").await;
    let deadline = Instant::now() + EMERGENCY;
    let settled = |seen: &Observation| super::health(seen, &id("a")).settled;
    while !kube.observe().await.is_ok_and(|seen| settled(&seen)) {
        assert!(Instant::now() < deadline);
        kube.wait_for_change(Duration::from_millis(100)).await.unwrap();
    }
    // The first watch is silent, so it ends; the next brings a change of the same generation.
    let said = |seen: &Observation| seen.workloads[&id("a")].resource_version == "8";
    while !kube.observe().await.is_ok_and(|seen| said(&seen)) {
        assert!(Instant::now() < deadline);
        kube.wait_for_change(Duration::from_millis(100)).await.unwrap();
    }
    assert!(settled(&kube.observe().await.unwrap()));
    assert_eq!(looked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_kubeconfig_without_the_context_and_a_server_that_is_gone_are_named() {
    let fake = Fake::start(|_| version("35"));
    let mut to = patient(fake.kubeconfig.clone());
    to.context = Some("prod".to_owned());
    let error = KubeCluster::connect(&to).await.map(drop).unwrap_err();
    assert_eq!(error, ClusterError::ConnectionConfig("the kubeconfig has no context `prod`; it has fake".to_owned()));

    let text = std::fs::read_to_string(&fake.kubeconfig).unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["clusters"][0]["cluster"]["server"] = json!(format!("http://{gone}"));
    std::fs::write(&fake.kubeconfig, config.to_string()).unwrap();
    let error = KubeCluster::connect(&patient(fake.kubeconfig.clone())).await.map(drop).unwrap_err();
    let expected =
        format!("the API server does not answer: context fake (http://{gone}): Connection refused (os error 111)");
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_server_that_is_too_old_is_told_so() {
    let fake = Fake::of_version("28+", |_| version("28+"));
    let error = KubeCluster::connect(&patient(fake.kubeconfig.clone())).await.map(drop).unwrap_err().to_string();
    assert!(error.ends_with(") is Kubernetes 1.28+; Pintle needs 1.33 or newer"), "{error}");
}
