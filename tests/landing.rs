//! Commits that Pintle makes, judged by git.

/// What a commit does to the clone that it is made in, and what keeps it from there.
mod clones;
/// A rollback undone where somebody has moved a pin or a hold since.
mod forward;
/// What is left of a rollback where somebody was faster to go forward again.
mod lifted;
/// A clone whose remote has moved on follows it, or says why not.
mod overtaken;
/// What `pin`, `hold` and `release` write.
mod pins;
/// Commits that wait for somebody to take them: branches of their own, and patches.
mod proposals;
/// The way to a remote: hooks, races, lost answers, who is there.
mod remotes;
/// Rollbacks and their way back, landed.
mod rollbacks;
/// Clones of the newest commits alone, which receive the rest.
mod shallow;
