//! Finds the cluster as kubectl does, and checks its version.

use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::errors;
use crate::cluster::ClusterError;

/// The oldest supported minor version of Kubernetes 1, which the tests cover.
const OLDEST_MINOR_VERSION: u32 = 33;

/// The cluster to connect to.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// The kubeconfig; none for `$KUBECONFIG`, `~/.kube/config`, or the service account of this pod.
    pub kubeconfig: Option<PathBuf>,
    /// The context; none for the current one.
    pub context: Option<String>,
    /// The default namespace of workloads; none for the context's.
    pub namespace: Option<String>,
    pub timeouts: Timeouts,
}

/// Time limits of requests and watches.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the answer to a read.
    pub request: Duration,
    /// For the answer to a write. Admission webhooks may take 30 s.
    pub write: Duration,
    /// For the next event of a watch. The server sends a bookmark about every minute, even without changes.
    pub watch_silence: Duration,
    /// Lifetime of a pod watch, after which it is reopened. Pods are watched only while something is awaited, and a
    /// hanging server shows in the reopening request rather than in silence.
    pub pod_watch: Duration,
    /// The resync interval of workloads, plus up to a half of it. A watch may have missed something.
    pub resync_interval: Duration,
    /// Before an unreachable server is reported, because it may only be restarting.
    pub unreachable_grace: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(10),
            write: Duration::from_secs(40),
            watch_silence: Duration::from_secs(90),
            pod_watch: Duration::from_secs(20),
            resync_interval: Duration::from_secs(600),
            unreachable_grace: Duration::from_secs(15),
        }
    }
}

/// A client, and the cluster's name in messages.
pub(super) struct KubeConnection {
    pub(super) client: Client,
    pub(super) server: String,
    pub(super) namespace: String,
}

/// Connects with one request.
pub(super) async fn connect(to: &ConnectOptions) -> Result<KubeConnection, ClusterError> {
    let (mut config, context) = config(to).await?;
    let uri = &config.cluster_url;
    let address = uri.authority().map_or_else(String::new, |it| it.host().to_owned() + &port(it.port_u16()));
    let scheme = uri.scheme_str().unwrap_or("https");
    let server = match context {
        Some(context) => format!("context {context} ({scheme}://{address})"),
        None => format!("the cluster this pod runs in ({scheme}://{address})"),
    };
    let namespace = to.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    // kube would otherwise repeat writes by itself.
    config.default_retry = false;
    if let (Ok(name), Ok(value)) = ("user-agent".parse(), concat!("pintle/", env!("CARGO_PKG_VERSION")).parse()) {
        config.headers.push((name, value));
    }
    let client =
        Client::try_from(config).map_err(|error| ClusterError::ConnectionConfig(format!("{server}: {error}")))?;
    ask_version(&client, &server, to.timeouts.request).await?;
    Ok(KubeConnection { client, server, namespace })
}

fn port(port: Option<u16>) -> String {
    port.map(|port| format!(":{port}")).unwrap_or_default()
}

/// Returns the configuration and the name of its context; none inside a pod.
async fn config(to: &ConnectOptions) -> Result<(Config, Option<String>), ClusterError> {
    let by_name = to.kubeconfig.as_ref().map(Kubeconfig::read_from).or_else(|| Kubeconfig::from_env().transpose());
    let is_named = by_name.is_some();
    let read = by_name.unwrap_or_else(Kubeconfig::read);
    let explicit = to.kubeconfig.is_some() || to.context.is_some();
    let file = match read {
        Ok(file) if explicit || file.current_context.as_ref().is_some_and(|name| !name.is_empty()) => file,
        Ok(_) => return inside("the kubeconfig has no current context"),
        Err(KubeconfigError::FindPath | KubeconfigError::ReadConfig(..)) if !explicit && !is_named => {
            return inside("there is no kubeconfig");
        }
        Err(KubeconfigError::ReadConfig(error, path)) => {
            let inside = Config::incluster().ok().filter(|_| !explicit).map(|config| (config, None));
            return inside.ok_or_else(|| ClusterError::Kubeconfig { path, why: error.to_string() });
        }
        Err(error) => return Err(ClusterError::ConnectionConfig(error.to_string())),
    };
    let name = to.context.clone().or_else(|| file.current_context.clone()).unwrap_or_default();
    if !file.contexts.iter().any(|context| context.name == name) {
        let names: Vec<_> = file.contexts.iter().map(|context| context.name.as_str()).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(ClusterError::ConnectionConfig(format!("the kubeconfig has no context `{name}`; it has {there}")));
    }
    let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(file, &options).await;
    let config = config.map_err(|error| ClusterError::ConnectionConfig(format!("context {name}: {error}")))?;
    Ok((config, Some(name)))
}

fn inside(why_not_outside: &str) -> Result<(Config, Option<String>), ClusterError> {
    match Config::incluster() {
        Ok(config) => Ok((config, None)),
        Err(error) => {
            Err(ClusterError::NoCluster(format!("{why_not_outside}, and this is no pod of a cluster ({error})")))
        }
    }
}

async fn ask_version(client: &Client, server: &str, patience: Duration) -> Result<(), ClusterError> {
    let version = match tokio::time::timeout(patience, client.apiserver_version()).await {
        Err(_) => return Err(errors::no_answer_error(server, &format!("no answer within {patience:?}"))),
        // Without permission to read the version, the requests that matter will tell.
        Ok(Err(kube::Error::Api(status))) if status.code == 403 || status.code == 404 => return Ok(()),
        Ok(Err(error)) => return Err(errors::read_error(server, &error)),
        Ok(Ok(version)) => version,
    };
    // Providers report versions such as `33+`.
    let minor = version.minor.trim_end_matches(|it: char| !it.is_ascii_digit()).parse().unwrap_or(OLDEST_MINOR_VERSION);
    if version.major == "1" && minor < OLDEST_MINOR_VERSION {
        let found = format!("{}.{}", version.major, version.minor);
        return Err(ClusterError::ConnectionConfig(format!(
            "{server} is Kubernetes {found}; Pintle needs 1.{OLDEST_MINOR_VERSION} or newer"
        )));
    }
    Ok(())
}
