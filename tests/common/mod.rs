//! What several tests share: real repositories and real servers on loopback.

pub(crate) mod chance;
pub(crate) mod changes;
pub(crate) mod control_plane;
pub(crate) mod folder;
pub(crate) mod git;
pub(crate) mod git_http;
pub(crate) mod gitea;
pub(crate) mod hands;
pub(crate) mod host;
pub(crate) mod late;
pub(crate) mod limit;
pub(crate) mod namespace;
pub(crate) mod outline;
pub(crate) mod pintle;
pub(crate) mod promise;
pub(crate) mod proxy;
pub(crate) mod pushed;
pub(crate) mod recorder;
pub(crate) mod rights;
pub(crate) mod running;
pub(crate) mod server;
pub(crate) mod shop;
pub(crate) mod terminal;
pub(crate) mod through;
pub(crate) mod tunnel;
pub(crate) mod usage;
