//! One service from all that is said of it.

use std::sync::Arc;

use super::found::{Found, FoundValue, version};
use super::service::Draft;
use super::{Pin, ServiceName, Verify};
use crate::image::{Image, ImageError};
use crate::problem::{Place, Problem};

/// All that the files of a revision say of one service.
#[derive(Debug, Default)]
pub(super) struct Said<'f> {
    pub(super) drafts: Vec<&'f Draft>,
    pub(super) found: Vec<&'f Found>,
    /// A file has an error about it.
    pub(super) broken: bool,
}

/// The pin and where its version stands; or what is wrong.
pub(super) fn resolve(name: &ServiceName, said: &Said<'_>) -> Result<(Pin, Place), Box<Problem>> {
    let draft = said.drafts.first().copied();
    let written = draft.and_then(|draft| draft.version.as_ref());
    let places = written.map(|(_, place)| place).into_iter().chain(said.found.iter().map(|found| &found.at));
    twice(name, places)?;
    let found = said.found.first();
    let (version, image, at) = match (written, found) {
        (Some((version, at)), _) => (version.clone(), None, at),
        (None, Some(found)) => match &found.value {
            FoundValue::Version(version, repository) => {
                (version.clone(), repository.clone().map(Source::Beside), &found.at)
            }
            FoundValue::Image(image) => {
                let version = tagged(name, draft, image, &found.at)?;
                (version, Some(Source::Whole(image)), &found.at)
            }
        },
        (None, None) => return Err(unpinned(name, draft)),
    };
    let refused = |message: String| Box::new(Problem::error(message, at.clone()).of(name));
    let image = match image {
        Some(Source::Whole(image)) => {
            same_repository(draft, image, at)?;
            image.clone()
        }
        other => {
            let beside = other.and_then(|source| if let Source::Beside(text) = source { Some(text) } else { None });
            let own = draft.and_then(|draft| draft.image.as_ref()).map(|(image, _)| image.clone());
            let Some(repository) = own.or(beside) else {
                let hint = format!("write `image:` into services/{name}.yaml, or `image` into the pattern");
                return Err(Box::new(refused(format!("nothing says the image of `{name}`")).hint(hint)));
            };
            render(draft, &repository, &version).map_err(|error| refused(format!("this makes no image: {error}")))?
        }
    };
    let pin = Pin {
        version,
        image,
        depends_on: draft.map_or_else(Arc::default, |draft| Arc::clone(&draft.needs.of)),
        verify: draft.map_or(Verify { timeout: None }, |draft| draft.verify.clone()),
        local: draft.and_then(|draft| draft.local.clone()),
    };
    Ok((pin, at.clone()))
}

/// Where the image comes from when the service file does not say it.
enum Source<'f> {
    Beside(String),
    Whole(&'f Image),
}

/// Two patterns may find the same value; two values are two truths.
fn twice<'p>(name: &ServiceName, mut places: impl Iterator<Item = &'p Place>) -> Result<(), Box<Problem>> {
    let Some(first) = places.next() else { return Ok(()) };
    let mut others = places.filter(|place| *place != first);
    let Some(second) = others.next() else { return Ok(()) };
    let problem = Problem::error(format!("`{name}` is pinned twice"), second.clone()).of(name);
    let problem = others.take(3).fold(problem, |problem, place| problem.also(place.clone(), "and here"));
    Err(Box::new(problem.also(first.clone(), "first pinned here").hint("keep one of them")))
}

fn unpinned(name: &ServiceName, draft: Option<&Draft>) -> Box<Problem> {
    let missing = |draft: &Draft| match &draft.pin {
        Some((pattern, at)) => {
            Problem::error(format!("`{name}` has no pin: there is no {}", pattern.files), at.clone())
                .hint("correct `file`")
        }
        None => Problem::error(format!("`{name}` has no version"), draft.whole.clone())
            .hint("write `version: \"…\"`, or `pin: {file: …, key: …}`, or remove the file"),
    };
    let nowhere = || Problem::error(format!("`{name}` has no version"), Place::file(&"".into()));
    Box::new(draft.map_or_else(nowhere, missing).of(name))
}

fn tagged(
    name: &ServiceName,
    draft: Option<&Draft>,
    image: &Image,
    at: &Place,
) -> Result<crate::version::Version, Box<Problem>> {
    let refused = |message: String, hint: Option<String>| {
        Box::new(Problem { hint, ..Problem::error(message, at.clone()).of(name) })
    };
    let tag = image.tag().ok_or_else(|| {
        let hint = "write one, as in name:1.8.2; a digest alone names no version".to_owned();
        refused(format!("the image of `{name}` has no tag, and so no version"), Some(hint))
    })?;
    let text = match draft {
        None => tag,
        Some(draft) => draft.tag.version(tag).ok_or_else(|| {
            refused(format!("the tag `{tag}` is not as `tag: \"{}\"` of `{name}` says", draft.tag), None)
        })?,
    };
    version(text).map_err(|(message, hint)| refused(message, hint))
}

/// The value says the image; a service file that says it too must say the same.
fn same_repository(draft: Option<&Draft>, image: &Image, at: &Place) -> Result<(), Box<Problem>> {
    let Some((draft, (own, place))) = draft.and_then(|draft| Some((draft, draft.image.as_ref()?))) else {
        return Ok(());
    };
    if own.parse::<Image>().is_ok_and(|own| own.repository() == image.repository()) {
        return Ok(());
    }
    let problem = Problem::error(format!("the image here is not `{own}`"), at.clone()).of(&draft.name);
    Err(Box::new(problem.also(place.clone(), "as the service file says").hint("remove `image` from the service file")))
}

fn render(draft: Option<&Draft>, repository: &str, version: &crate::version::Version) -> Result<Image, ImageError> {
    let tag = draft.map_or_else(|| version.to_string(), |draft| draft.tag.of(version));
    let digest = draft.and_then(|draft| draft.digest.as_ref());
    Image::render(repository, &tag, digest.map(crate::image::Digest::as_str))
}
