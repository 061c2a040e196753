//! Decides the order of rollouts and rollbacks of service versions pinned in Git. Every function here is pure: it reads
//! no file, clock or environment, and starts no process. `ARCHITECTURE.md` describes how the modules work together.

pub mod change;
pub mod check;
pub mod desired;
pub mod edit;
pub mod evidence;
pub mod git;
pub mod graph;
pub mod history;
pub mod image;
pub mod init;
pub mod pins;
pub mod plan;
pub mod printable;
pub mod problem;
pub mod remedy;
pub mod rollback;
pub mod running;
pub mod service_name;
pub mod suspects;
pub mod verify;
pub mod version;
pub mod workload;
