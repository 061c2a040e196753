//! A real Kubernetes control plane for tests: etcd, API server, controllers, scheduler, and KWOK in place of kubelets.
//!
//! `ControlPlane::shared()` is one for the whole run: tests keep apart by namespaces. `ControlPlane::start()` is one of
//! the test's own, which it may pause and break. What becomes of pods is said in `tests/servers/kubernetes/stages.yaml`.

mod part;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kube::api::{GetParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::Request;
use kube::{Api, Client, Config};
use serde_json::json;

pub(crate) use self::part::Part;
use super::folder::Folder;
use super::limit::EMERGENCY;
use super::namespace::Namespace;
use super::server::{Server, programs};

pub(crate) struct ControlPlane {
    // Dropped in this order: the servers die before their folder goes.
    servers: Vec<(Part, Server)>,
    folder: Folder,
    config: Config,
}

impl ControlPlane {
    /// The control plane of the whole test run, started by the first test that asks.
    pub(crate) fn shared() -> &'static Self {
        // Why it did not start is remembered too: one test waits for that, the others do not.
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        SHARED.get_or_init(start_anywhere).as_ref().unwrap_or_else(|why| panic!("{why}"))
    }

    /// A control plane of the caller's own; dropping it ends it.
    pub(crate) fn start() -> Self {
        start_anywhere().unwrap_or_else(|why| panic!("{why}"))
    }

    /// A client on the runtime of the calling test, with every right.
    pub(crate) fn client(&self) -> Client {
        Client::try_from(self.config.clone()).unwrap()
    }

    /// A kubeconfig file with every right that names nothing but itself.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    pub(crate) fn kubeconfig_text(&self) -> String {
        std::fs::read_to_string(self.kubeconfig()).unwrap()
    }

    /// The API server's own metrics, as text.
    pub(crate) async fn metrics(&self) -> String {
        get(&self.client(), "metrics").await.unwrap()
    }

    /// A new namespace whose name begins with `prefix`.
    pub(crate) async fn namespace(&self, prefix: &str) -> Namespace {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Namespace::create(self.client(), name).await
    }

    pub(crate) fn pid(&self, part: Part) -> u32 {
        self.servers.iter().find(|(p, _)| *p == part).map(|(_, server)| server.pid()).unwrap()
    }

    /// Freezes a server with its connections open: requests hang. For a control plane of one's own, as all below.
    pub(crate) fn pause(&mut self, part: Part) {
        self.server(part).signal("STOP");
    }

    pub(crate) fn resume(&mut self, part: Part) {
        self.server(part).signal("CONT");
    }

    /// As `kill -9`: connections break, later ones are refused.
    pub(crate) fn kill(&mut self, part: Part) {
        self.server(part).kill();
    }

    /// Starts a killed server again, where it was, with its data; answers when it does.
    pub(crate) async fn restart(&mut self, part: Part) {
        self.server(part).restart();
        if part == Part::Apiserver {
            let client = self.client();
            ready(&client, self.server(part)).await.unwrap_or_else(|why| panic!("{why}"));
        }
    }

    fn server(&mut self, part: Part) -> &mut Server {
        self.servers.iter_mut().find(|(p, _)| *p == part).map(|(_, server)| server).unwrap()
    }
}

/// Starts one from any thread, async or not: on a thread and a runtime of its own.
fn start_anywhere() -> Result<ControlPlane, String> {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The port was free when it was chosen; another program may have taken it since.
        let mut attempts = 3;
        loop {
            attempts -= 1;
            match runtime.block_on(start()) {
                Err(why) if attempts > 0 && why.contains("address already in use") => {}
                result => return result,
            }
        }
    })
    .join()
    .map_err(|_| "starting the control plane panicked, see above".to_owned())?
}

async fn start() -> Result<ControlPlane, String> {
    let programs = programs("kubernetes")?;
    let folder = Folder::new("pintle-test-servers-");
    std::fs::write(folder.path().join("tokens.csv"), "test,admin,admin,\"system:masters\"\n").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).unwrap().port();
    let run = |part: Part| Server::start(&programs.join(part.program()), folder.path(), &part.flags(port));

    let mut etcd = run(Part::Etcd);
    // The last thing that etcd opens; its key file is whole by then.
    until(&mut etcd, "listens", async || folder.path().join("localhost:7").exists()).await?;

    let mut apiserver = run(Part::Apiserver);
    let certified = || folder.path().join("certificates/apiserver.crt").exists();
    let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    until(&mut apiserver, "listens", async || certified() && listens()).await?;
    let config = write_kubeconfig(folder.path(), port).await;
    let client = Client::try_from(config.clone()).unwrap();
    ready(&client, &mut apiserver).await?;
    create_node(client).await;

    let stages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/kubernetes/stages.yaml");
    std::fs::copy(stages, folder.path().join("stages.yaml")).unwrap();
    let servers = vec![
        (Part::Kwok, run(Part::Kwok)),
        (Part::Scheduler, run(Part::Scheduler)),
        (Part::ControllerManager, run(Part::ControllerManager)),
        (Part::Apiserver, apiserver),
        (Part::Etcd, etcd),
    ];
    Ok(ControlPlane { servers, folder, config })
}

async fn write_kubeconfig(folder: &Path, port: u16) -> Config {
    let authority = k8s_openapi::ByteString(std::fs::read(folder.join("certificates/apiserver.crt")).unwrap());
    let text = serde_json::to_string_pretty(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "clusters": [{"name": "test", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": authority,
        }}],
        "users": [{"name": "admin", "user": {"token": "test"}}],
    }))
    .unwrap();
    std::fs::write(folder.join("kubeconfig"), &text).unwrap();
    let kubeconfig = Kubeconfig::from_yaml(&text).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    // A proxy in the environment is not for loopback.
    config.proxy_url = None;
    config
}

/// The one node, big enough for every test.
async fn create_node(client: Client) {
    let size = json!({"cpu": "100k", "memory": "1Pi", "pods": "20000"});
    let node = json!({
        "metadata": {"name": "node", "annotations": {"kwok.x-k8s.io/node": "fake"}, "labels": {"kubernetes.io/hostname": "node"}},
        "spec": {"podCIDR": "10.128.0.0/9", "podCIDRs": ["10.128.0.0/9"]},
        "status": {"allocatable": size, "capacity": size},
    });
    let nodes: Api<k8s_openapi::api::core::v1::Node> = Api::all(client);
    nodes.create(&PostParams::default(), &serde_json::from_value(node).unwrap()).await.unwrap();
}

/// The answer to `GET /<path>`, as text.
async fn get(client: &Client, path: &str) -> kube::Result<String> {
    client.request_text(Request::new("").get(path, &GetParams::default()).unwrap()).await
}

async fn ready(client: &Client, apiserver: &mut Server) -> Result<(), String> {
    let request = || tokio::time::timeout(Duration::from_secs(20), get(client, "readyz"));
    until(apiserver, "is ready", async || matches!(request().await, Ok(Ok(_)))).await
}

async fn until(server: &mut Server, what: &str, holds: impl AsyncFn() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + EMERGENCY;
    while !holds().await {
        server.may_still_come(what, deadline)?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
