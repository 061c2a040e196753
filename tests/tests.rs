//! End-to-end tests, in one binary: they share the servers they talk to.
#![expect(
    clippy::disallowed_methods,
    reason = "tests are outside the pure stages: they use files, processes and clocks"
)]
#![expect(clippy::too_many_lines, reason = "whole outputs stand in the tests that compare them")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

/// Repositories and servers that the others use.
mod common;

/// `pintle run` for two minutes. Tests are started by name, and most of these is waiting: they go on beside the others.
mod always;
/// `pintle apply` on the control plane, judged by the API server's own record of what ran.
mod apply;
/// `pintle check`: every problem at once, whole outputs.
mod cli_check;
/// `pintle graph`: trees, circles, drawings.
mod cli_graph;
/// `pintle history` and `pintle diff`: how pins came to be what they are.
mod cli_past;
/// `pintle plan` without a cluster: what is shown, what is left out, and how it ends.
mod cli_plan;
/// `pintle rollback --dry-run` without a cluster: what would go back, with whom, why, and what would be committed.
mod cli_rollback;
/// `pintle suspects` without a cluster: what changed, and what somebody names.
mod cli_suspects;
/// What all commands share: help, usage errors, colour, terminals, pipes.
mod cli_words;
/// What the control plane of the other tests does, and the API server's answers that Pintle relies on.
mod control_plane;
/// The tour of `examples/shop`: what it counts, and that it leaves nothing behind.
mod demo;
/// The documents: their links, what is generated of them, and what they say that commands print.
mod docs;
/// A real forge: what is proposed there, opened, merged and refused.
mod forge;
/// Files and commits that nobody would write: read, edited, or refused.
mod fuzz;
/// The index of a branch's pins: what it records, what it visits, and what becomes of it when it is damaged.
mod history;
/// `pintle init`: whole repositories, from nothing to a first plan.
mod init;
/// What Pintle sees of a real cluster, and what it does to it.
mod kube;
/// `pintle pin`, `hold`, `release`: commits on the tip, in clones and at remotes, and what keeps them from landing.
mod landing;
/// The layers of ARCHITECTURE.md, held by the sources.
mod layers;
/// The local runtime: services as processes of this host, judged by what the system shows of them.
mod local;
/// Remotes over http, ssh and file: what is asked, what is kept, and what is said when something is wrong.
mod remote;
/// What rollbacks would have been on a public history, beside what people did.
mod replays;
/// `pintle run`: what is pinned, kept so.
mod run;
/// Repositories made by git, read by Pintle: names, files, the working tree.
mod source;
/// What each command prints, whole, once: elsewhere tests know values, files and objects, and no sentences.
mod transcripts;
