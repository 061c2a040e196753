//! Pintle, a GitOps reconciler for service versions pinned in Git: the rooms of the house, in the order in which data
//! flows. `ARCHITECTURE.md` is the tour.

pub mod cli;
pub mod cluster;
pub mod controller;
pub mod source;

use mimalloc::MiMalloc;

/// glibc's allocator leaves holes: each file is read through buffers of 13 and 47 KB, and what is kept of it lies between
/// them. To read 5,000 files took 130 MB so, of which 30 were in use at most; it takes 59.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
