//! The pause that `pintle pause` records on a workload.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A pause: until it ends, Pintle does not write the workload. On Kubernetes it is the annotation [`PauseAnnotation::ANNOTATION`]
/// under a field manager of its own. Server-side apply of the pause or the state then does not delete the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseAnnotation {
    /// [`PauseAnnotation::SCHEMA`]. A pause with another schema is ignored.
    pub schema: u32,
    /// The end of the pause.
    pub until: Timestamp,
    /// The user's reason, as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub by: String,
    /// The time when the pause was set.
    pub at: Timestamp,
}

impl PauseAnnotation {
    /// The name of the annotation.
    pub const ANNOTATION: &'static str = "pintle.dev/pause";
    /// The schema that this version reads and writes.
    pub const SCHEMA: u32 = 1;
    /// The longest text that can be a pause of Pintle.
    const MAX_BYTES: usize = 4 << 10;

    /// Parses a pause. Returns none if the text is not one of Pintle's, since anybody can write the annotation.
    pub fn read(text: &str) -> Option<Self> {
        let pause: Self = (text.len() <= Self::MAX_BYTES).then(|| serde_json::from_str(text).ok())??;
        (pause.schema == Self::SCHEMA).then_some(pause)
    }

    /// Returns the text of the annotation.
    pub fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Returns a pause of zero length. By it, a client that is not the writer ends the grace period and drift policy of
    /// the manual changes made so far. The controller then corrects them at once.
    pub fn ending_grace(by: String, at: Timestamp) -> Self {
        Self { schema: Self::SCHEMA, until: at, reason: None, by, at }
    }

    /// Returns the time up to which grace period and drift policy are ended. None for a pause with a length.
    pub fn grace_end(&self) -> Option<Timestamp> {
        (self.until <= self.at).then_some(self.at)
    }

    /// Returns whether the pause is in force at this time.
    pub fn is_active(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_anything_else_counts_as_none() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let reason = Some("it loses orders".to_owned());
        let pause = PauseAnnotation { schema: 1, until: at(7200), reason, by: "ada".to_owned(), at: at(0) };
        assert_eq!(PauseAnnotation::read(&pause.write()), Some(pause.clone()));
        let newer = PauseAnnotation { schema: 2, ..pause.clone() }.write();
        let long = PauseAnnotation { by: "x".repeat(5000), ..pause.clone() }.write();
        for text in ["", "null", "{}", "true", "{\"schema\":1}", &newer, &long] {
            assert_eq!(PauseAnnotation::read(text), None, "{text}");
        }
        assert!(pause.is_active(at(7199)) && !pause.is_active(at(7200)) && pause.grace_end().is_none());
        let ended = PauseAnnotation::ending_grace("ada".to_owned(), at(60));
        assert!(!ended.is_active(at(60)) && ended.grace_end() == Some(at(60)));
    }
}
