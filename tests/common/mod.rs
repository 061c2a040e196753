//! What several tests share: real repositories and real servers on loopback.

pub mod chance;
pub mod changes;
pub mod control_plane;
pub mod folder;
pub mod git;
pub mod git_http;
pub mod gitea;
pub mod hands;
pub mod host;
pub mod late;
pub mod namespace;
pub mod pintle;
pub mod promise;
pub mod proxy;
pub mod pushed;
pub mod recorder;
pub mod rights;
pub mod running;
pub mod server;
pub mod shop;
pub mod terminal;
pub mod through;
pub mod tunnel;
pub mod usage;
