//! What several tests share: real repositories and real servers on loopback.

pub mod chance;
pub mod changes;
pub mod control_plane;
pub mod git;
pub mod git_http;
pub mod hands;
pub mod host;
pub mod namespace;
pub mod pintle;
pub mod promise;
pub mod proxy;
pub mod pushed;
pub mod recorder;
pub mod rights;
pub mod running;
pub mod shop;
pub mod terminal;
pub mod through;
pub mod usage;
