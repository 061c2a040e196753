//! What Pintle remembers on a workload.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::source::CommitId;
use crate::version::Version;

/// What Pintle remembers on a workload: the annotation [`State::ANNOTATION`], always sent whole, because server-side
/// apply deletes what the next apply omits. A hint, never the truth: `kubectl rollout undo` puts an older copy back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// [`State::SCHEMA`]; an annotation of another schema counts as none.
    pub schema: u32,
    /// The instance that wrote it.
    pub instance: String,
    /// The commit whose pin was written.
    pub commit: CommitId,
    /// The version that was written.
    pub version: Version,
    /// The versions last verified here, newest first, at most [`State::PROVEN`].
    #[serde(default)]
    pub proven: Vec<Proven>,
}

/// A version verified on this workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The version.
    pub version: Version,
    /// The commit whose pin it was: a return to a version proven before is verified anew.
    pub commit: CommitId,
    /// When it was verified.
    pub at: Timestamp,
    /// How long it took from the write to there, in milliseconds.
    pub took_ms: u64,
}

impl Proven {
    /// How long it took from the write to there.
    pub fn took(&self) -> Duration {
        Duration::from_millis(self.took_ms)
    }
}

impl State {
    /// The annotation's name.
    pub const ANNOTATION: &'static str = "pintle.dev/state";
    /// What this version reads and writes.
    pub const SCHEMA: u32 = 1;
    /// How many proven versions are kept.
    pub const PROVEN: usize = 8;
    /// A longer annotation is not ours.
    const MAX_BYTES: usize = 16 << 10;

    /// Reads the annotation; none where it is not one of ours: anybody can write there.
    pub fn read(annotation: &str) -> Option<Self> {
        if annotation.len() > Self::MAX_BYTES {
            return None;
        }
        let mut state: Self = serde_json::from_str(annotation).ok()?;
        state.proven.truncate(Self::PROVEN);
        (state.schema == Self::SCHEMA).then_some(state)
    }

    /// The annotation's text.
    pub fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// The same with `proven` as the newest proof, and none older of its version.
    #[must_use]
    pub fn prove(mut self, proven: Proven) -> Self {
        self.proven.retain(|older| older.version != proven.version);
        self.proven.insert(0, proven);
        self.proven.truncate(Self::PROVEN);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let commit = CommitId::from([0xab; 20]);
        State {
            schema: State::SCHEMA,
            instance: "prod-eu".to_owned(),
            commit,
            version: Version::new("2.1.0").unwrap(),
            proven: vec![proven("2.0.3"), proven("2.0.2")],
        }
    }

    fn proven(version: &str) -> Proven {
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        Proven { version: Version::new(version).unwrap(), commit: CommitId::from([1; 20]), at, took_ms: 1500 }
    }

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(State::read(&state().write()), Some(state()));
    }

    #[test]
    fn garbage_of_others_another_schema_and_what_is_too_long_count_as_none() {
        let newer = State { schema: 2, ..state() }.write();
        let long = State { instance: "x".repeat(20_000), ..state() }.write();
        for text in ["", "null", "{}", "[]", "{\"schema\":1}", "\u{1b}[31m", &newer, &long] {
            assert_eq!(State::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_newest_proof_comes_first_and_once_a_version() {
        let versions =
            |state: State| state.proven.iter().map(|it| it.version.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(versions(state().prove(proven("2.0.2"))), "2.0.2 2.0.3");
        let many = (0..20).fold(state(), |state, n| state.prove(proven(&format!("3.0.{n}"))));
        assert_eq!(versions(many), "3.0.19 3.0.18 3.0.17 3.0.16 3.0.15 3.0.14 3.0.13 3.0.12");
    }
}
