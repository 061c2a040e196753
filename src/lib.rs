//! Pintle, a GitOps reconciler for service versions pinned in Git: the rooms of the house, in the order in which data
//! flows. `ARCHITECTURE.md` is the tour.

pub mod change;
pub mod check;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod edit;
pub mod event;
pub mod evidence;
pub mod graph;
pub mod image;
pub mod init;
pub mod pins;
pub mod plan;
pub mod problem;
pub mod reconcile;
pub mod rollback;
pub mod source;
pub mod suspects;
pub mod verify;
pub mod version;
