//! The five servers and their flags. They run in the control plane's folder: paths are relative to it.

/// A server that a test may pause and break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Etcd,
    Apiserver,
    ControllerManager,
    Scheduler,
    Kwok,
}

impl Part {
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Apiserver => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok",
        }
    }

    /// `port` is the API server's; the others take none.
    pub(crate) fn flags(self, port: u16) -> String {
        match self {
            Self::Etcd => ETCD.to_owned(),
            Self::Apiserver => format!("--secure-port {port} {APISERVER}"),
            Self::ControllerManager => format!("{CLIENT} {CONTROLLERS}"),
            Self::Scheduler => CLIENT.to_owned(),
            Self::Kwok => KWOK.to_owned(),
        }
    }
}

// `localhost:7` is a socket in the folder. The peers' address is never used, but makes etcd generate a key, which the API
// server borrows for its tokens.
const ETCD: &str = "--data-dir etcd --unsafe-no-fsync --log-level warn --listen-client-urls unix://localhost:7 \
    --advertise-client-urls http://127.0.0.1:1 --peer-auto-tls --listen-peer-urls https://127.0.0.1:0 \
    --initial-advertise-peer-urls https://127.0.0.1:1 --initial-cluster default=https://127.0.0.1:1";

// The advertised address is one for documentation: without it the server looks for a network, and fails offline.
// TaintNodesByCondition would keep the not-ready taint on KWOK's node for ever.
const APISERVER: &str = "--etcd-servers unix://localhost:7 --bind-address 127.0.0.1 --advertise-address 192.0.2.1 \
    --cert-dir certificates --service-account-key-file etcd/fixtures/peer/key.pem \
    --service-account-signing-key-file etcd/fixtures/peer/key.pem \
    --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range 10.0.0.0/24 \
    --authorization-mode RBAC --token-auth-file tokens.csv \
    --disable-admission-plugins ServiceAccount,TaintNodesByCondition";

const CLIENT: &str =
    "--kubeconfig kubeconfig --leader-elect=false --secure-port 0 --kube-api-qps 500 --kube-api-burst 1000";

const CONTROLLERS: &str = "--controllers=deployment,replicaset,statefulset,daemonset,job,namespace,garbagecollector,\
endpointslice,serviceaccount,resourcequota,podgc";

const KWOK: &str = "--kubeconfig kubeconfig --manage-all-nodes --node-lease-duration-seconds 0 --config stages.yaml";
