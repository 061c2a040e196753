//! End-to-end tests, in one binary: they share the servers they talk to.
#![expect(
    clippy::disallowed_methods,
    reason = "tests are outside the pure stages: they use files, processes and clocks"
)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

/// Repositories and servers that the others use.
mod common;

/// `pintle apply` on the control plane, judged by the API server's own record of what ran.
mod apply;
/// What the control plane of the other tests does, and the API server's answers that Pintle relies on.
mod control_plane;
/// What Pintle sees of a real cluster, and what it does to it.
mod kube;
/// Repositories made by git, read by Pintle: names, files, the working tree.
mod source;
