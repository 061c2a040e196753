//! Whole revisions, from text to pins and problems.

mod bad;
mod good;

use super::{Reading, read};
use crate::problem::render;
use crate::source::{BlobId, Content, File};

/// A revision: paths and texts.
struct Revision(Vec<File>);

const SERVICE: &str = "version: \"1.8.2\"\nimage: ghcr.io/acme/web\n";

impl Revision {
    /// One good service, `web`, and nothing else.
    fn new() -> Self {
        Self(Vec::new()).with("services/web.yaml", SERVICE)
    }

    fn empty() -> Self {
        Self(Vec::new())
    }

    /// With another file.
    fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.with_content(path, Content::Bytes(text.as_ref().into()))
    }

    /// With `pintle.yaml`.
    fn with_settings(self, text: &str) -> Self {
        self.with("pintle.yaml", format!("apiVersion: pintle.dev/v1alpha1\n{text}"))
    }

    fn with_content(mut self, path: &str, content: Content) -> Self {
        self.0.retain(|file| *file.path != *path);
        self.0.push(File { path: path.into(), blob: BlobId::from([0; 20]), content });
        self
    }

    fn read(&self) -> Reading {
        read("", &self.0)
    }

    /// All problems, as they are shown.
    fn problems(&self) -> String {
        let lookup = |path: &str| self.0.iter().find(|file| *file.path == *path).and_then(bytes);
        render(&self.read().problems, &lookup, false)
    }

    /// The pins of services that can be used: `web 1.8.2 ghcr.io/acme/web:1.8.2`, those that cannot, and why nothing can.
    fn pins(&self) -> String {
        let reading = self.read();
        let services = reading.pins.services.values();
        let good = services.map(|service| format!("{} {} {}", service.name, service.pin.version, service.pin.image));
        let broken = reading.pins.broken.iter().map(|(name, why)| format!("{name} held: {why}"));
        let unusable = reading.unusable.iter().map(|why| format!("all held: {why}"));
        good.chain(broken).chain(unusable).collect::<Vec<_>>().join("\n")
    }
}

fn bytes(file: &File) -> Option<&[u8]> {
    match &file.content {
        Content::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}
