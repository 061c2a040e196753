//! From the files of a repository to a proposal: 1,000 manifests, each of which names two other services.
//!
//! `cargo bench --bench init`.

mod common;

use common::measure;
use pintle_core::git::{FileContent, RepoFile, blob_id};
use pintle_core::init::{InitOptions, propose};

const SERVICES: usize = 1000;

fn main() {
    let files: Vec<RepoFile> = (0..SERVICES).map(manifest).collect();
    measure("init: 1,000 manifests, 2,000 edges, read to proposal", 10, || {
        let proposal = propose(&files, &InitOptions::default()).expect("one environment");
        assert_eq!((proposal.services.len(), proposal.patterns.len()), (SERVICES, 1), "all is found by one pattern");
        proposal.all_edges.len()
    });
}

fn manifest(at: usize) -> RepoFile {
    let (next, other) = ((at + 1) % SERVICES, (at + 7) % SERVICES);
    let text = format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: service-{at}, namespace: shop}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: service-{at}}}}}
  template:
    metadata: {{labels: {{app: service-{at}}}}}
    spec:
      containers:
      - name: service-{at}
        image: ghcr.io/acme/service-{at}:1.{at}.0
        env:
        - {{name: NEXT_ADDR, value: \"http://service-{next}:8080\"}}
        - {{name: OTHER_ADDR, value: \"service-{other}.shop.svc.cluster.local:8080\"}}
---
apiVersion: v1
kind: Service
metadata: {{name: service-{at}, namespace: shop}}
spec:
  selector: {{app: service-{at}}}
  ports: [{{port: 8080}}]
"
    );
    let bytes: std::sync::Arc<[u8]> = text.into_bytes().into();
    let path = format!("apps/service-{at}/deployment.yaml").into();
    RepoFile { path, blob: blob_id(&bytes), content: FileContent::Bytes(bytes) }
}
