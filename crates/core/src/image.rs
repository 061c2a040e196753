//! Image references, parsed by the OCI grammar and compared in normal form: `nginx` is
//! `docker.io/library/nginx:latest`.
//!
//! The grammar is that of <https://github.com/distribution/reference>, which kubelet and Docker use too.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::printable::show_ascii;

/// The registry of a name without one.
const DEFAULT_REGISTRY: &str = "docker.io";
/// The folder of that registry's official images.
const OFFICIAL_NAMESPACE: &str = "library/";
/// The tag of a name without tag and digest.
const DEFAULT_TAG: &str = "latest";
/// The length of a shortened digest: the algorithm and twelve digits, enough for people to tell digests apart.
const SHORT_DIGEST_BYTES: usize = "sha256:".len() + 12;

/// An image reference. References are equal if their normal forms are, and are printed in the familiar short form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Image {
    /// Always with the registry.
    repository: Arc<str>,
    tag: Option<Arc<str>>,
    digest: Option<Digest>,
}

/// A digest such as `sha256:…`: the algorithm and its fixed number of hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(Arc<str>);

/// The reason that a text is no image reference. Each names the wrong part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The text is empty, or nothing precedes the tag.
    #[error("there is no repository in it")]
    NoRepository,
    /// The host before the first `/` is invalid.
    #[error("`{}` is not a registry host", show_ascii(.0))]
    Registry(String),
    /// A part of the path has characters that no registry accepts.
    #[error("`{}` is not a repository name: only a-z, 0-9 and single `.`, `_`, `__` or dashes between them", show_ascii(.0))]
    Path(String),
    /// The repository has more than 255 characters.
    #[error("the repository has {0} characters, registries take 255")]
    LongRepository(usize),
    /// The text after the `:` is invalid.
    #[error("`{}` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`", show_ascii(.0))]
    Tag(String),
    /// The text before the `:` of a digest is invalid.
    #[error("`{}` is not a digest algorithm: sha256 and sha512 are", show_ascii(.0))]
    Algorithm(String),
    /// The digits of a digest are invalid.
    #[error("a {algorithm} digest has {expected} digits of 0-9 and a-f, this one is `{}`", show_ascii(.found))]
    Digits {
        algorithm: &'static str,
        /// The number of digits that the algorithm has.
        expected: usize,
        found: String,
    },
}

impl Image {
    /// Builds an image. `repository` is written without tag and digest, in long or short form.
    ///
    /// # Errors
    /// A part that the grammar refuses, including a tag inside `repository`.
    pub fn from_parts(repository: &str, tag: &str, digest: Option<&str>) -> Result<Self, ImageError> {
        let digest = digest.map(str::parse).transpose()?;
        Ok(Self { repository: normal_repository(repository)?, tag: Some(valid_tag(tag)?), digest })
    }

    /// Returns the repository with its registry, such as `docker.io/library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag as written. A reference without tag and digest means `latest`, but returns none.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Returns the familiar short form of the repository, such as `nginx`.
    pub fn short_repository(&self) -> &str {
        let Some(path) = self.repository.strip_prefix(DEFAULT_REGISTRY).and_then(|rest| rest.strip_prefix('/')) else {
            return &self.repository;
        };
        match path.strip_prefix(OFFICIAL_NAMESPACE) {
            Some(name) if !name.contains('/') => name,
            _ if path.split_once('/').is_some_and(|(first, _)| !is_host(first)) => path,
            _ => &self.repository,
        }
    }

    /// Returns the same tag and digest in the repository of another image.
    #[must_use]
    pub fn in_repository_of(&self, other: &Self) -> Self {
        Self { repository: other.repository.clone(), ..self.clone() }
    }

    /// Returns the shortest forms that tell two images apart. An equal repository is left out, and digests are
    /// shortened.
    pub fn distinguish(one: &Self, other: &Self) -> [String; 2] {
        let within = |digest| [one.difference_from(other, digest), other.difference_from(one, digest)];
        let brief = within(SHORT_DIGEST_BYTES);
        if brief[0] == brief[1] { within(usize::MAX) } else { brief }
    }

    /// Returns the parts that may differ from another image, with at most `digest` characters of the digest.
    fn difference_from(&self, other: &Self, digest: usize) -> String {
        let (_, tag, whole) = self.normal_form();
        let mut text =
            if self.repository == other.repository { String::new() } else { self.short_repository().to_owned() };
        let mut add = |separator: &str, part: &str| {
            text.push_str(if text.is_empty() { "" } else { separator });
            text.push_str(part);
        };
        if let Some(tag) = tag {
            add(":", tag);
        }
        if let Some(Digest(whole)) = whole.filter(|_| self.digest != other.digest || tag.is_none()) {
            add("@", &whole[..whole.len().min(digest)]);
        }
        text
    }

    /// Returns the normal form for comparison.
    fn normal_form(&self) -> (&str, Option<&str>, Option<&Digest>) {
        let default = self.digest.is_none().then_some(DEFAULT_TAG);
        (&self.repository, self.tag().or(default), self.digest())
    }
}

impl FromStr for Image {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse()?)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match name[last..].find(':') {
            Some(colon) => (&name[..last + colon], Some(valid_tag(&name[last + colon + 1..])?)),
            None => (name, None),
        };
        Ok(Self { repository: normal_repository(repository)?, tag, digest })
    }
}

impl FromStr for Digest {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        let (algorithm, digits) = text.split_once(':').unwrap_or((text, ""));
        let (algorithm, expected) = match algorithm {
            "sha256" => ("sha256", 64),
            "sha512" => ("sha512", 128),
            _ => return Err(ImageError::Algorithm(algorithm.to_owned())),
        };
        if digits.len() == expected && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Self(text.into()));
        }
        Err(ImageError::Digits { algorithm, expected, found: digits.to_owned() })
    }
}

/// Returns whether the first part of a name is a host rather than a folder. The grammar also takes `Acme` for a host.
/// Here it is a folder in capitals, and refused.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':', '['])
}

fn normal_repository(text: &str) -> Result<Arc<str>, ImageError> {
    let (registry, path) = match text.split_once('/') {
        Some((first, rest)) if is_host(first) => (valid_host(first)?, rest),
        _ => (DEFAULT_REGISTRY.to_owned(), text),
    };
    if path.is_empty() {
        return Err(ImageError::NoRepository);
    }
    if let Some(wrong) = path.split('/').find(|part| !is_path_part(part)) {
        return Err(ImageError::Path(wrong.to_owned()));
    }
    let official = if registry == DEFAULT_REGISTRY && !path.contains('/') { OFFICIAL_NAMESPACE } else { "" };
    let repository = format!("{registry}/{official}{path}");
    if repository.len() > 255 {
        return Err(ImageError::LongRepository(repository.len()));
    }
    Ok(repository.into())
}

/// Validates a host. Case does not matter in hosts (RFC 3986 §3.2.2), and Docker's registry has two further names.
fn valid_host(host: &str) -> Result<String, ImageError> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let good_name = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(is_host_label),
    };
    if !good_name || port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return Err(ImageError::Registry(host.to_owned()));
    }
    let host = host.to_ascii_lowercase();
    Ok(if matches!(host.as_str(), "index.docker.io" | "registry-1.docker.io") {
        DEFAULT_REGISTRY.to_owned()
    } else {
        host
    })
}

fn is_host_label(label: &str) -> bool {
    let dash_outside = label.starts_with('-') || label.ends_with('-');
    !label.is_empty() && !dash_outside && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_path_part(part: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = part.bytes().next().is_some_and(is_letter) && part.bytes().next_back().is_some_and(is_letter);
    let mut between = part.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    ends && between.all(|text| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-'))
}

fn valid_tag(tag: &str) -> Result<Arc<str>, ImageError> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let good = tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-');
    if good { Ok(tag.into()) } else { Err(ImageError::Tag(tag.to_owned())) }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short_repository())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl Digest {
    /// Returns the digest as written: `sha256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        self.normal_form() == other.normal_form()
    }
}

impl Eq for Image {}

impl Hash for Image {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normal_form().hash(state);
    }
}

impl PartialOrd for Image {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Image {
    fn cmp(&self, other: &Self) -> Ordering {
        self.normal_form().cmp(&other.normal_form())
    }
}

impl TryFrom<String> for Image {
    type Error = ImageError;

    fn try_from(text: String) -> Result<Self, ImageError> {
        text.parse()
    }
}

impl From<Image> for String {
    fn from(image: Image) -> Self {
        image.to_string()
    }
}
