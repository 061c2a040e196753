//! An admission webhook on loopback for all pods of a namespace. Pods of one image wait there, as if their controller were
//! slow.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use super::git_http::Identity;
use super::limit::EMERGENCY;
use super::namespace::Namespace;

pub(crate) struct Late {
    came: mpsc::Receiver<String>,
    holds: Arc<AtomicBool>,
    webhooks: Api<ValidatingWebhookConfiguration>,
    name: String,
}

impl Late {
    /// Installs the webhook and waits until it answers. Returns none if openssl is not installed.
    pub(crate) async fn pods(ns: &Namespace, image: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::new(folder.path())?;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let webhook = json!({
            "name": "late.pintle.test",
            "clientConfig": {"url": url, "caBundle": ByteString(identity.certificate.clone())},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns.name}},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 30,
        });
        let configuration =
            serde_json::from_value(json!({"metadata": {"name": ns.name}, "webhooks": [webhook]})).unwrap();
        let webhooks: Api<ValidatingWebhookConfiguration> = Api::all(ns.client.clone());
        webhooks.create(&PostParams::default(), &configuration).await.unwrap();

        let (tell, came) = mpsc::channel();
        let holds = Arc::new(AtomicBool::new(true));
        let (waits, image) = (Arc::clone(&holds), image.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(stream) = stream.ok().and_then(|stream| identity.accept(stream)) else { continue };
                let (tell, waits, image) = (tell.clone(), Arc::clone(&waits), image.clone());
                std::thread::spawn(move || answer(BufReader::new(stream), &tell, &waits, &image));
            }
        });
        let late = Self { came, holds, webhooks, name: ns.name.clone() };
        late.stands_before(ns).await;
        Some(late)
    }

    /// Waits until a pod of the image arrives.
    pub(crate) async fn comes(&self, image: &str) {
        let deadline = Instant::now() + EMERGENCY;
        while !self.came.try_iter().any(|came| came == image) {
            assert!(Instant::now() < deadline, "no pod of {image} came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets all pods pass.
    pub(crate) async fn end(self) {
        self.holds.store(false, Ordering::Relaxed);
        self.webhooks.delete(&self.name, &DeleteParams::default()).await.unwrap();
    }

    async fn stands_before(&self, ns: &Namespace) {
        let pods: Api<Pod> = Api::namespaced(ns.client.clone(), &ns.name);
        let pod = json!({"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "probe"}]}});
        let pod = serde_json::from_value(pod).unwrap();
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        while self.came.try_recv().is_err() {
            pods.create(&dry, &pod).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Answers the requests of one connection.
fn answer(
    mut stream: BufReader<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>,
    tell: &mpsc::Sender<String>,
    holds: &AtomicBool,
    late: &str,
) -> Option<()> {
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let line = line.trim_end().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let review: Value = serde_json::from_slice(&body).ok()?;
        let image = review["request"]["object"]["spec"]["containers"][0]["image"].as_str()?.to_owned();
        let is_late = image == late;
        tell.send(image).ok()?;
        while is_late && holds.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let response = json!({"uid": review["request"]["uid"], "allowed": true});
        let review = json!({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response});
        let text = review.to_string();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
        write!(stream.get_mut(), "{head}: {}\r\n\r\n{text}", text.len()).ok()?;
        stream.get_mut().flush().ok()?;
    }
}
