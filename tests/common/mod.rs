//! What the end-to-end tests share.

pub mod control_plane;
pub mod namespace;
pub mod recorder;
