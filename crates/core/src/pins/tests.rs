//! Tests of whole revisions, from text to pins and problems. A "row" is a row of the table of bad inputs. It names the
//! message that a user must get.

mod after;
mod any;
mod between;
mod files;
mod good;
mod patterns;
mod services;
mod settings;

use super::{ParsedRevision, parse_revision};
use crate::git::{BlobId, FileContent, RepoFile};
use crate::problem::{Problem, Severity, one_line_message, render_problems, show};

/// A valid service file.
const SERVICE: &str = "version: \"1.8.2\"\nimage: ghcr.io/acme/web\n";

/// A revision in memory.
struct Revision(Vec<RepoFile>);

impl Revision {
    /// Returns a revision with one valid service, `web`, and nothing else.
    fn new() -> Self {
        Self::empty().with("services/web.yaml", SERVICE)
    }

    fn empty() -> Self {
        Self(Vec::new())
    }

    /// Adds or replaces a file.
    fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.with_content(path, FileContent::Bytes(text.as_ref().into()))
    }

    /// Adds or replaces `pintle.yaml`.
    fn with_settings(self, text: &str) -> Self {
        self.with("pintle.yaml", format!("apiVersion: pintle.dev/v1alpha1\n{text}"))
    }

    fn with_content(mut self, path: &str, content: FileContent) -> Self {
        self.0.retain(|file| *file.path != *path);
        self.0.push(RepoFile { path: path.into(), blob: BlobId::from([0; 20]), content });
        self
    }

    /// Returns a revision with a compose file whose services are pinned by their images.
    fn compose(text: &str) -> Self {
        Self::empty()
            .with_settings("pins: [{files: compose.yaml, key: 'services.{service}.image', as: image}]\n")
            .with("compose.yaml", text)
    }

    /// Returns a revision with Helm values of one service, `web`.
    fn values(text: &str) -> Self {
        Self::empty()
            .with_settings("pins: [{files: 'apps/{service}.yaml', key: image.tag, image: 'acme/{service}'}]\n")
            .with("apps/web.yaml", text)
    }

    fn read(&self) -> ParsedRevision {
        parse_revision("", &self.0)
    }

    fn bytes(&self, path: &str) -> Option<&[u8]> {
        let file = self.0.iter().find(|file| *file.path == *path)?;
        if let FileContent::Bytes(bytes) = &file.content { Some(bytes) } else { None }
    }

    /// Returns all problems, rendered.
    fn shown(&self) -> String {
        render_problems(&self.read().problems, &|path| self.bytes(path), false)
    }

    /// Returns all problems in one line each: the place, the message, other places, and the hint.
    fn problems(&self) -> String {
        let line = |problem: &Problem| {
            let at = |problem: &Problem| one_line_message(problem, self.bytes(&problem.place.path).unwrap_or_default());
            let warning = if problem.severity == Severity::Warning { "warning: " } else { "" };
            let other = |(place, label): &_| at(&Problem::error(String::clone(label), Clone::clone(place)));
            let also = problem.also.iter().map(|also| format!(" ({})", other(also))).collect::<Vec<_>>().concat();
            let hint = problem.hint.as_ref().map(|hint| format!(" => {hint}")).unwrap_or_default();
            format!("{warning}{}{also}{hint}", at(problem))
        };
        self.read().problems.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Returns the pins such as `web 1.8.2 ghcr.io/acme/web:1.8.2`, the broken services, and why nothing is usable.
    fn pins(&self) -> String {
        let reading = self.read();
        let services = reading.pins.services.values();
        let good = services.map(|service| format!("{} {} {}", service.name, service.pin.version, service.pin.image));
        let broken = reading.pins.broken.iter().map(|(name, why)| format!("{name} held: {why}"));
        let unusable = reading.unusable.iter().map(|why| format!("all held: {why}"));
        good.chain(broken).chain(unusable).collect::<Vec<_>>().join("\n")
    }
}

/// Returns a table of inputs, each with the problems of the revision made from it.
fn table(make: impl Fn(&str) -> Revision, inputs: &[&str]) -> String {
    let row = |input: &&str| match make(input).problems() {
        none if none.is_empty() => format!("{}\n    good\n", show(input)),
        problems => format!("{}\n    {}\n", show(input), problems.replace('\n', "\n    ")),
    };
    inputs.iter().map(row).collect()
}
