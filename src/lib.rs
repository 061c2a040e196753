//! Pintle, a GitOps reconciler for service versions pinned in Git. `ARCHITECTURE.md` is the tour of the modules.

pub mod cli;
pub mod cluster;
pub mod controller;
pub mod source;

use mimalloc::MiMalloc;

/// Replaces glibc's allocator, which fragments: each file is read through buffers of 13 and 47 KB, and its parsed
/// content is allocated between them. Reading 5,000 files took 130 MB with glibc, of which at most 30 MB were in use.
/// With mimalloc it takes 59 MB.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
