//! Combines all declarations of one service into its pin.

use std::borrow::Cow;
use std::sync::Arc;

use super::found::{FoundPin, FoundValue};
use super::reader::{ValueError, parse_pinned_version};
use super::service::{Draft, VERSION_PLACEHOLDER};
use super::{Pin, ServiceName};
use crate::image::{Digest, Image};
use crate::problem::{FilePlace, Problem};
use crate::version::Version;

/// All declarations of one service in the files of a revision.
#[derive(Debug, Default)]
pub(super) struct Said<'f> {
    /// The draft from the service's own file, and the path of that file.
    pub(super) draft: Option<(&'f Draft, &'f Arc<str>)>,
    pub(super) found: Vec<&'f FoundPin>,
    /// Some file has an error that concerns the service.
    pub(super) broken: bool,
}

impl<'f> Said<'f> {
    /// Returns the draft of the service file, or an empty one.
    pub(super) fn draft(&self) -> Cow<'f, Draft> {
        self.draft.map_or_else(Cow::default, |(draft, _)| Cow::Borrowed(draft))
    }

    /// Returns whether neither the service file nor a pattern names an image.
    pub(super) fn is_imageless(&self) -> bool {
        self.draft().image.is_none()
            && self.found.iter().all(|found| matches!(found.value, FoundValue::Version(_, None)))
    }

    fn own_file(&self) -> FilePlace {
        FilePlace::whole_file(self.draft.map_or(&Arc::default(), |(_, path)| path))
    }
}

/// The reason that a service has no pin.
pub(super) enum NoPin {
    /// No repository is declared for the version at this place.
    NoImage(FilePlace),
    Invalid(Box<Problem>),
}

impl From<Box<Problem>> for NoPin {
    fn from(problem: Box<Problem>) -> Self {
        Self::Invalid(problem)
    }
}

/// Returns the pin and the place of its version.
pub(super) fn resolve_pin(name: &ServiceName, said: &Said<'_>) -> Result<(Pin, FilePlace), NoPin> {
    let draft = said.draft();
    let written = draft.version.as_ref();
    let places = written.map(|(_, place)| place).into_iter().chain(said.found.iter().map(|found| &found.at));
    twice(name, places)?;
    let found = said.found.first().map(|found| (&found.value, &found.at));
    let (version, image, at) = match (written, found) {
        (Some((version, at)), _) => (version.clone(), render((name, &draft), (version, None), at)?, at),
        (None, Some((FoundValue::Version(version, beside), at))) => {
            (version.clone(), render((name, &draft), (version, beside.as_deref()), at)?, at)
        }
        (None, Some((FoundValue::Image(image), at))) => {
            let version = tagged((name, &draft), image, at)?;
            same_repository((name, &draft), image, at)?;
            (version, image.clone(), at)
        }
        (None, None) => return Err(unpinned(name, said).into()),
    };
    let pin = Pin {
        version,
        image,
        depends_on: Arc::clone(&draft.needs.depends_on),
        verify: draft.verify.clone(),
        local: draft.local.clone(),
    };
    Ok((pin, at.clone()))
}

/// Refuses two versions for one service. Two patterns that find the same value count as one.
fn twice<'p>(name: &ServiceName, mut places: impl Iterator<Item = &'p FilePlace>) -> Result<(), Box<Problem>> {
    let Some(first) = places.next() else { return Ok(()) };
    let mut others = places.filter(|place| *place != first);
    let Some(second) = others.next() else { return Ok(()) };
    let problem = Problem::error(format!("`{name}` is pinned twice"), second.clone()).for_service(name);
    let problem = others.take(3).fold(problem, |problem, place| problem.also(place.clone(), "and here"));
    Err(Box::new(problem.also(first.clone(), "first pinned here").hint("keep one of them")))
}

fn unpinned(name: &ServiceName, said: &Said<'_>) -> Box<Problem> {
    let problem = match said.draft.and_then(|(draft, _)| draft.pin.as_ref()) {
        Some(pattern) => {
            let message = format!("`{name}` has no pin: there is no {}", pattern.files);
            Problem::error(message, pattern.files_at.clone()).hint("correct `file`")
        }
        None => Problem::error(format!("`{name}` has no version"), said.own_file())
            .hint("write `version: \"…\"`, or `pin: {file: …, key: …}`, or remove the file"),
    };
    Box::new(problem.for_service(name))
}

fn tagged((name, draft): (&ServiceName, &Draft), image: &Image, at: &FilePlace) -> Result<Version, Box<Problem>> {
    let refused = |(message, hint): ValueError| {
        Box::new(Problem { hint, ..Problem::error(message, at.clone()).for_service(name) })
    };
    let tag = image.tag().ok_or_else(|| {
        let hint = "write one, as in name:1.8.2; a digest alone names no version".to_owned();
        refused((format!("the image of `{name}` has no tag, and so no version"), Some(hint)))
    })?;
    let text = draft.tag.capture(tag).ok_or_else(|| {
        refused((
            format!("the tag `{tag}` is not as `tag: \"{}\"` of `{name}` says", draft.tag.fill(VERSION_PLACEHOLDER)),
            None,
        ))
    })?;
    parse_pinned_version(text).map_err(refused)
}

/// Checks that the image in a pinned value has the repository of the service file, if the service file names one.
fn same_repository((name, draft): (&ServiceName, &Draft), image: &Image, at: &FilePlace) -> Result<(), Box<Problem>> {
    let Some((own, place)) = &draft.image else { return Ok(()) };
    if own.parse::<Image>().is_ok_and(|own| own.repository() == image.repository()) {
        return Ok(());
    }
    let problem = Problem::error(format!("the image here is not `{own}`"), at.clone()).for_service(name);
    Err(Box::new(problem.also(place.clone(), "as the service file says").hint("remove `image` from the service file")))
}

/// Returns the image of a version. The repository of the service file takes precedence over the one beside the pin.
fn render(
    (name, draft): (&ServiceName, &Draft),
    (version, beside): (&Version, Option<&str>),
    at: &FilePlace,
) -> Result<Image, NoPin> {
    // A local service without an image is identified by its name and version. `check` requires an image where the
    // runtime pulls one.
    let local = draft.local.is_some().then_some(name.as_str());
    let Some(repository) = draft.image.as_ref().map(|(image, _)| image.as_str()).or(beside).or(local) else {
        return Err(NoPin::NoImage(at.clone()));
    };
    Image::from_parts(repository, &draft.tag.fill(version.as_str()), draft.digest.as_ref().map(Digest::as_str)).map_err(
        |error| Box::new(Problem::error(format!("this makes no image: {error}"), at.clone()).for_service(name)).into(),
    )
}
