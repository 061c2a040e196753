/// Who may write: one process of an instance, and the next one when it is gone.
mod lease;
/// Commits, drift, and what a run does about them.
mod story;
