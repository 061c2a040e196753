//! Pintle's own record on a workload.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::git::CommitId;
use crate::image::Image;
use crate::version::Version;

/// Pintle's record on a workload: the annotation [`StateAnnotation::ANNOTATION`]. It is always sent as a whole, because
/// server-side apply deletes what the next apply omits. It is a hint only: `kubectl rollout undo` restores an older
/// copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateAnnotation {
    /// [`StateAnnotation::SCHEMA`]. An annotation with another schema is ignored.
    pub schema: u32,
    /// The instance that wrote the annotation.
    pub instance: String,
    /// The commit whose pin was written.
    pub commit: CommitId,
    pub version: Version,
    /// The versions last verified on this workload, newest first, at most [`StateAnnotation::MAX_PROVEN_VERSIONS`].
    #[serde(default)]
    pub proven: Vec<ProvenVersion>,
    /// The last rewrite of a written image, if an admission webhook rewrites images.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub image_rewrite: Option<ImageRewrite>,
}

/// An image that an admission webhook rewrote, usually to the one of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRewrite {
    /// The image that Pintle sent.
    pub from: Image,
    /// The image that the server stored.
    pub to: Image,
}

impl StateAnnotation {
    /// Returns whether the version written last is recorded as verified.
    pub fn is_proven(&self) -> bool {
        self.proven.first().is_some_and(|proven| proven.version == self.version && proven.commit == self.commit)
    }
}

impl ImageRewrite {
    /// Returns the image that was sent for a stored one. If the webhook replaced only the repository, the result covers
    /// any tag.
    pub fn image_as_written(&self, there: &Image) -> Option<Image> {
        if *there == self.to {
            return Some(self.from.clone());
        }
        let moves_repository = self.from.in_repository_of(&self.to) == self.to;
        (moves_repository && there.repository() == self.to.repository()).then(|| there.in_repository_of(&self.from))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenVersion {
    pub version: Version,
    /// The commit of the verified pin. A return to a version proven before is verified anew.
    pub commit: CommitId,
    /// The time of the verification.
    pub at: Timestamp,
    /// The time from the write to the verification, in milliseconds.
    pub took_ms: u64,
}

impl ProvenVersion {
    /// Returns the time from the write to the verification.
    pub fn rollout_duration(&self) -> Duration {
        Duration::from_millis(self.took_ms)
    }
}

/// Returns the versions that all of several workloads have proven. Each gets the latest time of verification and the
/// longest duration among them.
pub fn proven_by_all<'p>(mut workloads: impl Iterator<Item = &'p [ProvenVersion]>) -> Vec<ProvenVersion> {
    let mut all = workloads.next().unwrap_or_default().to_vec();
    for other in workloads {
        all.retain_mut(|proven| {
            let found = other.iter().find(|other| other.version == proven.version);
            if let Some(found) = found {
                proven.at = proven.at.max(found.at);
                proven.took_ms = proven.took_ms.max(found.took_ms);
            }
            found.is_some()
        });
    }
    all
}

impl StateAnnotation {
    /// The name of the annotation.
    pub const ANNOTATION: &'static str = "pintle.dev/state";
    /// The schema that this version reads and writes.
    pub const SCHEMA: u32 = 1;
    /// The most proven versions kept.
    pub const MAX_PROVEN_VERSIONS: usize = 8;
    /// The longest text that can be an annotation of Pintle.
    const MAX_BYTES: usize = 16 << 10;

    /// Parses the annotation. Returns none if the text is not one of Pintle's, since anybody can write it.
    pub fn read(annotation: &str) -> Option<Self> {
        if annotation.len() > Self::MAX_BYTES {
            return None;
        }
        let mut state: Self = serde_json::from_str(annotation).ok()?;
        state.proven.truncate(Self::MAX_PROVEN_VERSIONS);
        (state.schema == Self::SCHEMA).then_some(state)
    }

    /// Returns the text of the annotation.
    pub fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Adds `proven` as the newest proof, and removes older proofs of its version.
    #[must_use]
    pub fn with_proof(mut self, proven: ProvenVersion) -> Self {
        self.proven.retain(|older| older.version != proven.version);
        self.proven.insert(0, proven);
        self.proven.truncate(Self::MAX_PROVEN_VERSIONS);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> StateAnnotation {
        let commit = CommitId::from([0xab; 20]);
        StateAnnotation {
            schema: StateAnnotation::SCHEMA,
            instance: "prod-eu".to_owned(),
            commit,
            version: Version::new("2.1.0").unwrap(),
            proven: vec![proven("2.0.3"), proven("2.0.2")],
            image_rewrite: None,
        }
    }

    fn proven(version: &str) -> ProvenVersion {
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        ProvenVersion { version: Version::new(version).unwrap(), commit: CommitId::from([1; 20]), at, took_ms: 1500 }
    }

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(StateAnnotation::read(&state().write()), Some(state()));
        let image = |text: &str| text.parse().unwrap();
        let rewritten = Some(ImageRewrite { from: image("acme/x:2"), to: image("mirror.test/acme/x:2") });
        let state = StateAnnotation { image_rewrite: rewritten, ..state() };
        assert_eq!(StateAnnotation::read(&state.write()), Some(state));
    }

    #[test]
    fn what_is_there_is_told_by_the_repository_where_that_alone_is_rewritten() {
        let image = |text: &str| -> Image { text.parse().unwrap() };
        let sent = |from: &str, to: &str, there: &str| {
            let sent = ImageRewrite { from: image(from), to: image(to) }.image_as_written(&image(there));
            sent.map_or("unknown".to_owned(), |sent| {
                sent.short_repository().to_owned() + ":" + sent.tag().unwrap_or_default()
            })
        };
        assert_eq!(sent("acme/x:2", "mirror.test/x:2", "mirror.test/x:2"), "acme/x:2");
        assert_eq!(sent("acme/x:2", "mirror.test/x:2", "mirror.test/x:1"), "acme/x:1");
        assert_eq!(sent("acme/x:2", "mirror.test/x:2", "mirror.test/y:2"), "unknown");
        assert_eq!(sent("acme/x:2", "acme/x:2-patched", "acme/x:2-patched"), "acme/x:2");
        assert_eq!(sent("acme/x:2", "acme/x:2-patched", "acme/x:1"), "unknown");
    }

    #[test]
    fn garbage_of_others_another_schema_and_what_is_too_long_count_as_none() {
        let newer = StateAnnotation { schema: 2, ..state() }.write();
        let long = StateAnnotation { instance: "x".repeat(20_000), ..state() }.write();
        for text in ["", "null", "{}", "[]", "{\"schema\":1}", "\u{1b}[31m", &newer, &long] {
            assert_eq!(StateAnnotation::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_newest_proof_comes_first_and_once_a_version() {
        let versions =
            |state: StateAnnotation| state.proven.iter().map(|it| it.version.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(versions(state().with_proof(proven("2.0.2"))), "2.0.2 2.0.3");
        let many = (0..20).fold(state(), |state, n| state.with_proof(proven(&format!("3.0.{n}"))));
        assert_eq!(versions(many), "3.0.19 3.0.18 3.0.17 3.0.16 3.0.15 3.0.14 3.0.13 3.0.12");
    }
}
