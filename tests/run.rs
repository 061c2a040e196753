/// What people do by hand: how long it stands, and who is not fought.
mod hands;
/// Who may write: one process of an instance, and the next one when it is gone.
mod lease;
/// Commits, drift, and what a run does about them.
mod story;
