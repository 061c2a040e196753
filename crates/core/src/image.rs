//! Image references: read by the OCI grammar, compared in normal form (`nginx` is `docker.io/library/nginx:latest`).
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

/// The registry of names that name none.
const DEFAULT_REGISTRY: &str = "docker.io";
/// The folder of that registry's official images.
const OFFICIAL: &str = "library/";
/// What a name without tag and digest means.
const DEFAULT_TAG: &str = "latest";
/// So much of a digest tells it from others for people: the algorithm and twelve digits.
const BRIEF_DIGEST: usize = "sha256:".len() + 12;

/// An image reference: equal where the normal forms are, printed as people write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Image {
    /// With its registry, always.
    repository: Arc<str>,
    tag: Option<Arc<str>>,
    digest: Option<Digest>,
}

/// `sha256:…`: algorithm and hexadecimal digits, their number checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(Arc<str>);

/// Why a text is no image reference; each names the part that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Nothing at all, or nothing before the tag.
    #[error("there is no repository in it")]
    NoRepository,
    /// The host before the first `/`.
    #[error("`{}` is not a registry host", show_ascii(.0))]
    Registry(String),
    /// A part of the path has letters that no registry takes.
    #[error("`{}` is not a repository name: only a-z, 0-9 and single `.`, `_`, `__` or dashes between them", show_ascii(.0))]
    Path(String),
    /// The repository is longer than 255 characters.
    #[error("the repository has {0} characters, registries take 255")]
    LongRepository(usize),
    /// The text after the `:`.
    #[error("`{}` is not a tag: up to 128 of a-z, A-Z, 0-9, `_`, `.` and `-`, not first `.` or `-`", show_ascii(.0))]
    Tag(String),
    /// The text before the `:` of a digest.
    #[error("`{}` is not a digest algorithm: sha256 and sha512 are", show_ascii(.0))]
    Algorithm(String),
    /// The digits of a digest.
    #[error("a {algorithm} digest has {expected} digits of 0-9 and a-f, this one is `{}`", show_ascii(.found))]
    Digits {
        /// The algorithm.
        algorithm: &'static str,
        /// How many digits it has.
        expected: usize,
        /// What is there.
        found: String,
    },
}

impl Image {
    /// Puts an image together: `repository` as people write it, without tag and digest.
    ///
    /// # Errors
    /// A part that the grammar does not take, a tag inside `repository` included.
    pub fn render(repository: &str, tag: &str, digest: Option<&str>) -> Result<Self, ImageError> {
        let digest = digest.map(str::parse).transpose()?;
        Ok(Self { repository: normal_repository(repository)?, tag: Some(valid_tag(tag)?), digest })
    }

    /// The repository with its registry: `docker.io/library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag as written; none where none is, although that means `latest` without a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The repository as people write it: `nginx`.
    pub fn familiar(&self) -> &str {
        let Some(path) = self.repository.strip_prefix(DEFAULT_REGISTRY).and_then(|rest| rest.strip_prefix('/')) else {
            return &self.repository;
        };
        match path.strip_prefix(OFFICIAL) {
            Some(name) if !name.contains('/') => name,
            _ if path.split_once('/').is_some_and(|(first, _)| !is_host(first)) => path,
            _ => &self.repository,
        }
    }

    /// The same tag and digest in the repository of another image.
    #[must_use]
    pub fn in_repository_of(&self, other: &Self) -> Self {
        Self { repository: other.repository.clone(), ..self.clone() }
    }

    /// Two images in the shortest form that tells them apart: without the repository where it is the same, digests by
    /// their first digits.
    pub fn apart(one: &Self, other: &Self) -> [String; 2] {
        let within = |digest| [one.beside(other, digest), other.beside(one, digest)];
        let brief = within(BRIEF_DIGEST);
        if brief[0] == brief[1] { within(usize::MAX) } else { brief }
    }

    /// What may differ from another image, with so many characters of the digest at most.
    fn beside(&self, other: &Self, digest: usize) -> String {
        let (_, tag, whole) = self.normal();
        let mut text = if self.repository == other.repository { String::new() } else { self.familiar().to_owned() };
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

    /// What is compared.
    fn normal(&self) -> (&str, Option<&str>, Option<&Digest>) {
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
        // A colon before the last slash is the registry's port.
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

/// Whether the first part of a name is a host rather than a folder. The grammar takes `Acme` for a host too; here it is a
/// folder in capitals, and refused.
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
    let official = if registry == DEFAULT_REGISTRY && !path.contains('/') { OFFICIAL } else { "" };
    let repository = format!("{registry}/{official}{path}");
    if repository.len() > 255 {
        return Err(ImageError::LongRepository(repository.len()));
    }
    Ok(repository.into())
}

/// Hosts are compared without regard to case (RFC 3986 §3.2.2); Docker's registry has two names.
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
        f.write_str(self.familiar())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl Digest {
    /// As written: `sha256:…`.
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
        self.normal() == other.normal()
    }
}

impl Eq for Image {}

impl Hash for Image {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normal().hash(state);
    }
}

impl PartialOrd for Image {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Image {
    fn cmp(&self, other: &Self) -> Ordering {
        self.normal().cmp(&other.normal())
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
