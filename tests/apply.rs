/// The calls that a run makes: how many, and what becomes of one that is killed at any of them.
mod calls;
/// Services that come, go, and change otherwise, and what a change leaves as it is.
mod changes;
/// A broken version: nothing that needs it starts, everything else does.
mod failures;
/// What people do to workloads that are left as they are for a while: grace, policy, named services.
mod grace;
/// What people do to workloads while a rollout goes on.
mod hands;
/// Histories that were rewritten, clones that are behind, and servers that do not answer: everything is held.
mod held;
/// Other kinds of workloads, several of them, and what only a human can move.
mod kinds;
/// The order of starts, by what the API server saw of the pods.
mod order;
/// Services that somebody has paused, and undos that drop pauses.
mod pauses;
/// What the history shows of a cluster.
mod proven;
/// Services that are not written, why, and that the others are.
mod refused;
/// A server that rewrites images on the way in.
mod rewritten;
/// What a rollback knows of a cluster.
mod rollback;
/// Who is suspected where something alarms.
mod suspects;
/// What a terminal shows of a run.
mod terminal;
