//! What `pintle pause` leaves on a workload.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A pause: until it is over, the workload is not written. On Kubernetes the annotation [`Pause::ANNOTATION`], which has
/// a field manager of its own, so that neither it nor the state deletes the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// [`Pause::SCHEMA`]; a pause of another schema counts as none.
    pub schema: u32,
    /// When it is over.
    pub until: Timestamp,
    /// Why, as somebody typed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who paused it.
    pub by: String,
    /// When it was paused.
    pub at: Timestamp,
}

impl Pause {
    /// The annotation's name.
    pub const ANNOTATION: &'static str = "pintle.dev/pause";
    /// What this version reads and writes.
    pub const SCHEMA: u32 = 1;
    /// A longer text is not ours.
    const MAX_BYTES: usize = 4 << 10;

    /// Reads what was written; none where it is not one of ours: anybody can write there.
    pub fn read(text: &str) -> Option<Self> {
        let pause: Self = (text.len() <= Self::MAX_BYTES).then(|| serde_json::from_str(text).ok())??;
        (pause.schema == Self::SCHEMA).then_some(pause)
    }

    /// Its text.
    pub fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// A pause of no length, by which somebody who is not the one writer ends grace and policy: what was moved by hand until
    /// then is corrected at once.
    pub fn ended(by: String, at: Timestamp) -> Self {
        Self { schema: Self::SCHEMA, until: at, reason: None, by, at }
    }

    /// Until when grace and policy are ended; none for any other pause.
    pub fn ends(&self) -> Option<Timestamp> {
        (self.until <= self.at).then_some(self.at)
    }

    /// Whether it holds at this time.
    pub fn holds(&self, now: Timestamp) -> bool {
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
        let pause = Pause { schema: 1, until: at(7200), reason, by: "ada".to_owned(), at: at(0) };
        assert_eq!(Pause::read(&pause.write()), Some(pause.clone()));
        let newer = Pause { schema: 2, ..pause.clone() }.write();
        let long = Pause { by: "x".repeat(5000), ..pause.clone() }.write();
        for text in ["", "null", "{}", "true", "{\"schema\":1}", &newer, &long] {
            assert_eq!(Pause::read(text), None, "{text}");
        }
        assert!(pause.holds(at(7199)) && !pause.holds(at(7200)) && pause.ends().is_none());
        let ended = Pause::ended("ada".to_owned(), at(60));
        assert!(!ended.holds(at(60)) && ended.ends() == Some(at(60)));
    }
}
